"""Counts of alarms, and the filter of their list."""

import re

import pytest
from django.http import QueryDict
from django.test import Client

from accounts.models import User
from telemetry.alarm_filter import AlarmFilter
from telemetry.design import ALARMS


def test_it_fills_a_count_if_any_is_not_acknowledged() -> None:
    assert [(each.severity, each.count, each.standing) for each in ALARMS.counts.of_severities] == [
        ("critical", 1, "raised"),
        ("high", 2, "raised"),
        ("medium", 1, "acknowledged"),
        ("low", 1, "acknowledged"),
    ]


@pytest.mark.parametrize(
    ("query", "severity", "link"),
    [
        ("", "high", "?severity=high"),
        ("plant=kandy&q=roller", "high", "?plant=kandy&severity=high&q=roller"),
        ("plant=kandy&severity=high", "high", "?plant=kandy"),
        ("severity=dreadful", "low", "?severity=low"),
        ("show=closed", "low", "?show=closed&severity=low"),
    ],
)
def test_it_keeps_its_filter_in_the_url(query: str, severity: str, link: str) -> None:
    assert AlarmFilter.from_query(QueryDict(query)).link_of(severity) == link


@pytest.mark.parametrize("mark", ["critical", "high", "medium", "low"])
def test_it_shows_every_severity_in_every_standing(client: Client, vera: User, mark: str) -> None:
    client.force_login(vera)
    page = client.get("/design/").content.decode()
    for standing in ("raised", "acknowledged", "cleared", "shelved"):
        assert f'data-severity="{mark}" data-standing="{standing}"' in page


def test_it_shows_every_freshness_and_quality(client: Client, vera: User) -> None:
    client.force_login(vera)
    page = client.get("/design/").content.decode()
    for freshness in ("fresh", "late", "stale", "none"):
        assert re.search(f'class="tile" data-sensor="[^"]*" data-freshness="{freshness}"', page)
    for quality in ("bad", "uncertain"):
        assert f'data-quality="{quality}"' in page

"""The alarms page, which has none to show yet, and the design page, which shows how they will look."""

import re

import pytest
from django.http import QueryDict
from django.template.loader import render_to_string
from django.test import Client

from accounts.models import User
from plants.models import Plant
from telemetry.alarm_rows import AlarmFilter
from telemetry.design import ALARMS


def test_it_says_that_there_are_no_rules_yet(client: Client, vera: User) -> None:
    client.force_login(vera)
    page = client.get("/alarms/").content.decode()
    assert "InQube has no rules yet" in page
    assert 'title="Alarms" aria-current="page"' in page
    assert "data-alarm" not in page


def test_it_is_in_everybodys_navigation(client: Client, vera: User, kandy: Plant) -> None:
    client.force_login(vera)
    assert 'href="/alarms/"' in client.get("/plants/kandy/").content.decode()


def test_it_lists_the_waiting_before_the_acknowledged() -> None:
    html = render_to_string("telemetry/_alarm_list.html", {"alarms": ALARMS, "may_operate": True})
    positions = [html.index(f">{row.title}<") for row in (*ALARMS.waiting, *ALARMS.acknowledged)]
    assert positions == sorted(positions)
    assert html.count("data-wants") == len(ALARMS.waiting)


def test_it_lets_viewers_select_nothing() -> None:
    html = render_to_string("telemetry/_alarm_list.html", {"alarms": ALARMS, "may_operate": False})
    assert "<button" not in html
    assert "<input" not in html


def test_it_fills_a_count_if_any_is_not_acknowledged() -> None:
    assert [(each.severity, each.count, each.standing) for each in ALARMS.counts] == [
        ("critical", 1, "raised"),
        ("high", 2, "raised"),
        ("medium", 1, "acknowledged"),
        ("low", 1, "acknowledged"),
    ]


@pytest.mark.parametrize(
    ("query", "severity", "link"),
    [
        ("", "high", "?severity=high"),
        ("plant=kandy&q=roller", "high", "?plant=kandy&q=roller&severity=high"),
        ("plant=kandy&severity=high", "high", "?plant=kandy"),
        ("severity=dreadful", "low", "?severity=low"),
    ],
)
def test_it_keeps_its_filter_in_the_url(query: str, severity: str, link: str) -> None:
    assert AlarmFilter.from_query(QueryDict(query)).link(severity) == link


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

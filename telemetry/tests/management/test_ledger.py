"""`manage.py ledger`: sums for people and programs, and an exit code for monitoring."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils.timezone import now

from telemetry.models import LedgerEntry

pytestmark = pytest.mark.django_db(transaction=True)

ROLLER = "kandy/rolling/roller-2"


def entry(source: str, minutes_ago: int = 5, kind: str = "mqtt", **counts: int) -> None:
    minute = now().replace(second=0, microsecond=0) - timedelta(minutes=minutes_ago)
    values: dict[str, Any] = dict.fromkeys(("received", "stored", "duplicate", "conflict", "late", "dead"), 0) | counts
    LedgerEntry.objects.create(minute=minute, kind=kind, source=source, **values)


def ledger(*options: str) -> str:
    output = StringIO()
    call_command("ledger", *options, stdout=output)
    return output.getvalue()


def parsed(*options: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ledger("--json", *options).splitlines()]


def test_it_sums_up_each_source() -> None:
    entry(ROLLER, 5, received=7, stored=5, duplicate=2)
    entry(ROLLER, 4, received=3, stored=1, conflict=1, dead=1, late=1)
    entry("kandy/gateway", kind="http", received=1, stored=1)
    assert parsed() == [
        {"kind": "http", "source": "kandy/gateway", "received": 1, "stored": 1}
        | {"duplicate": 0, "conflict": 0, "dead": 0, "late": 0, "broken": 0},
        {"kind": "mqtt", "source": ROLLER, "received": 10, "stored": 6}
        | {"duplicate": 2, "conflict": 1, "dead": 1, "late": 1, "broken": 0},
    ]


@pytest.mark.parametrize(
    ("options", "received"),
    [
        (["--last", "10m"], [1, 2]),
        (["--last", "2h"], [1, 2, 4]),
        (["--source", "kandy/ro"], [1]),
        (["--kind", "http"], [2]),
        (["--by", "plant", "--last", "1d"], [2, 5]),
        (["--by", "kind", "--last", "1d"], [2, 5]),
        (["--by", "minute"], [3]),
    ],
)
def test_it_chooses_and_groups(options: list[str], received: list[int]) -> None:
    entry(ROLLER, 5, received=1, stored=1)
    entry("kandy/gateway", 5, kind="http", received=2, stored=2)
    entry("kandy/mixing/mixer-1", 100, received=4, stored=4)
    assert sorted(line["received"] for line in parsed(*options)) == received


def test_it_writes_a_table_with_a_sum() -> None:
    entry(ROLLER, received=1200, stored=1200)
    entry("kandy/mixing/mixer-1", received=34, stored=34)
    heading, _, roller, total = ledger().splitlines()
    assert heading.split() == ["source", "received", "stored", "duplicate", "conflict", "dead", "late"]
    assert roller.split() == ["mqtt", ROLLER, "1,200", "1,200", "0", "0", "0", "0"]
    assert total.split() == ["1,234", "1,234", "0", "0", "0", "0"]


def test_it_says_when_nothing_came() -> None:
    assert ledger() == "Nothing was received.\n"


def test_it_fails_where_counts_do_not_match() -> None:
    entry(ROLLER, received=3, stored=1)
    with pytest.raises(CommandError, match="1 minutes don't match") as failure:
        ledger()
    assert failure.value.returncode == 3


def test_it_refuses_what_is_no_time() -> None:
    with pytest.raises(CommandError, match="90m, 24h or 7d"):
        ledger("--last", "yesterday")

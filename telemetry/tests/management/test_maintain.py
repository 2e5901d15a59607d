"""`manage.py maintain`: all steps once, in order; its dry run says what retention would drop, and drops nothing."""

import re
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from psycopg import Connection

from plants.models import Plant, Sensor
from telemetry import maintenance
from telemetry.management.commands import maintain
from telemetry.models import DeadLetter, IngestEvent
from telemetry.storage import retention, rollups
from telemetry.tests.letters import make_letter
from telemetry.tests.samples import write
from telemetry.tests.storage.past import DAYS, KEEP_DAYS, NOW, clear, raw_by_day, readings

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def historian(kandy: Plant, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    """At NOW, of which the first two days are to go."""
    settings.RAW_RETENTION_DAYS = KEEP_DAYS
    monkeypatch.setattr(maintain, "now", lambda: NOW)
    with maintenance.connect() as connection:
        clear(connection)
        write(readings(Sensor.objects.get(slug="temp").number))
        yield connection


def run(*arguments: str) -> str:
    output = StringIO()
    call_command("maintain", *arguments, stdout=output)
    return output.getvalue()


def test_it_runs_all_steps_in_order(historian: Connection) -> None:
    said = run().splitlines()
    assert [line.partition(":")[0] for line in said] == list(maintenance.STEPS)
    assert "retention: dropped 2025-01-10 2025-01-11" in said[3]
    assert list(raw_by_day(historian)) == ["2025-01-12", "2025-01-13"]


def test_it_runs_the_steps_that_are_asked_for(historian: Connection) -> None:
    assert [line.partition(":")[0] for line in run("--only", "latest", "--only", "rollups").splitlines()] == [
        "rollups",
        "latest",
    ]
    assert len(raw_by_day(historian)) == 4


def test_it_forgets_old_dead_letters(historian: Connection, settings: Any) -> None:
    settings.DEAD_LETTER_RETENTION_DAYS = 30
    for age in (29, 31):
        make_letter(None, received_at=NOW - timedelta(days=age), topic=str(age))
    assert "dead letters 1" in run("--only", "retention")
    assert DeadLetter.objects.get().topic == "29"


def test_it_forgets_old_events_of_ingest(historian: Connection, settings: Any) -> None:
    settings.DEAD_LETTER_RETENTION_DAYS = 30
    for age in (29, 31):
        IngestEvent.objects.create(at=NOW - timedelta(days=age), kind="took_over", client_id=str(age), detail="")
    run("--only", "retention")
    assert IngestEvent.objects.get().client_id == "29"


def test_it_says_beforehand_what_goes_then(historian: Connection) -> None:
    rollups.refresh(historian, NOW)
    announced = run("--dry-run")
    before = raw_by_day(historian)
    assert len(before) == 4
    run()
    gone = {day: n for day, n in before.items() if day not in raw_by_day(historian)}
    assert dict(re.findall(r"^(\S+): (\d+) readings", announced, re.MULTILINE)) == {d: str(n) for d, n in gone.items()}
    assert f"would drop {len(gone)} days, {sum(gone.values())} readings, " in announced


def test_it_says_which_days_stay_and_why(historian: Connection) -> None:
    rollups.refresh(historian, NOW)
    write(readings(Sensor.objects.get(slug="temp").number, [DAYS[0] + timedelta(hours=1)]))
    assert "2025-01-10: stays for now, late readings of it are not in the rollups yet" in run("--dry-run")


def test_it_has_a_dry_run_of_retention_only(historian: Connection) -> None:
    with pytest.raises(CommandError, match="about retention"):
        run("--dry-run", "--only", "latest")


def test_it_stops_at_a_step_that_fails(historian: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "TRIES", 1)
    output = StringIO()
    with maintenance.connect() as reader, reader.transaction():
        reader.execute("SELECT count(*) FROM reading")
        with pytest.raises(CommandError, match=r"^retention failed: Readings of 2025-01-10"):
            call_command("maintain", stdout=output)
    assert [line.partition(":")[0] for line in output.getvalue().splitlines()] == ["partitions", "rollups", "ledger"]

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from plants.models import Machine, Sensor
from telemetry.attention import concerns, not_reporting, outranks, worst
from telemetry.models import Latest
from telemetry.queries.console import MachineView, sensor_views
from telemetry.templatetags.console import concern_detail, concern_title, concern_words

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
STATES = {"1": "running", "3": "fault", "4": "maintenance"}


def sensor(age_s: float | None, quality: int = 192, value: float = 20.0, **settings: object) -> Sensor:
    """Of which a reading is expected every 2 s, and which is stale after a minute."""
    made = Sensor(name="S", expected_interval_s=2, stale_after_s=60, **settings)
    if age_s is None:
        made._state.fields_cache["latest"] = None  # known to be none: nothing is asked of the database
    else:
        time = NOW - timedelta(seconds=age_s)
        made.latest = Latest(sensor=made, time=time, value=value, quality=quality)
    return made


def state(value: int) -> Sensor:
    return sensor(1, value=value, kind="state", states=STATES)


def machine(name: str, *sensors: Sensor) -> MachineView:
    return MachineView(Machine(name=name), sensor_views(sensors, sensors, NOW))


CALM = machine("Trough 1", sensor(1), state(1))
LATE = machine("Furnace", sensor(20), sensor(1))
STALE = machine("Dryer 2", sensor(90), sensor(70), sensor(1))
BAD = machine("Roller 3", sensor(1, quality=0), sensor(1))
SILENT = machine("Packer", sensor(300), sensor(200))
FAULT = machine("Roller 2", sensor(1), state(3))
REPAIR = machine("Labeller", sensor(1), state(4))
LOST = machine("Filler", sensor(1), state(7))
NEW = machine("Capper", sensor(None))


@pytest.mark.parametrize(
    ("view", "kind", "title"),
    [
        (LATE, "late", "Furnace: 1 of 2 sensors late"),
        (STALE, "stale", "Dryer 2: 2 of 3 sensors stale"),
        (BAD, "bad", "Roller 3: 1 of 2 sensors bad"),
        (SILENT, "silent", "Packer silent"),
        (FAULT, "fault", "Roller 2 in fault"),
        (REPAIR, "maintenance", "Labeller in maintenance"),
        (LOST, "unknown", "Filler state unknown"),
    ],
)
def test_it_says_of_a_machine_what_is_wrong(view: MachineView, kind: str, title: str) -> None:
    (found,) = concerns(view)

    assert (found.kind, concern_title(found)) == (kind, title)


@pytest.mark.parametrize("view", [CALM, NEW])
def test_it_has_nothing_to_say_of_a_machine_that_is_as_expected_or_has_not_begun(view: MachineView) -> None:
    assert concerns(view) == []


def test_it_names_the_worst_and_counts_the_other_machines() -> None:
    found = worst([CALM, LATE, SILENT, STALE, FAULT, BAD])

    assert found is not None
    assert found.concern.machine is FAULT
    assert found.others == 4


def test_it_takes_the_first_of_two_that_are_equally_bad() -> None:
    again = machine("Packer 2", sensor(400))
    found = worst([SILENT, again])

    assert found is not None
    assert found.concern.machine is SILENT


def test_it_finds_no_worst_where_nothing_is_abnormal() -> None:
    assert worst([CALM, NEW]) is None


def test_it_lists_what_does_not_report_by_its_last_reading() -> None:
    found = [each for _, each in not_reporting([FAULT, LATE, BAD, STALE, SILENT])]

    assert [each.machine for each in found] == [SILENT, STALE, LATE, BAD]
    assert [concern_words(each) for each in found] == [
        "silent, 2 sensors",
        "2 of 3 stale",
        "1 of 2 late",
        "1 of 2 sensors",
    ]


def test_it_says_when_the_worst_was_last_heard() -> None:
    found = worst([SILENT, LATE])

    assert found is not None
    assert concern_detail(found, ZoneInfo("UTC"), NOW) == "since 11:56, and 1 other machine"


def test_it_ranks_an_alarm_among_what_is_not_as_expected() -> None:
    found = worst([FAULT])

    assert found is not None
    assert outranks("critical", found.concern)
    assert not outranks("high", found.concern)
    assert outranks("low", None)

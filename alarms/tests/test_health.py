from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils.timezone import now
from pytest_django.fixtures import Settings

from alarms.health import FLOOD_BEGINS, SPAN, Flood, Health, floods, health
from alarms.models import Alarm, AlarmEvent
from alarms.tests.alarms import make_alarm
from plants.models import Plant, Sensor

MOMENT = now()


@pytest.fixture
def temp(kandy: Plant) -> Sensor:
    return Sensor.objects.get(slug="temp")


def call(alarm: Alarm, ago_s: float, times: int = 1) -> None:
    """It was raised so long ago, and so many times in all, a second apart."""
    events = [
        AlarmEvent(
            alarm=alarm,
            plant_id=alarm.plant_id,
            kind="raised",
            state="raised",
            time=MOMENT - timedelta(seconds=ago_s - number),
            recorded_at=MOMENT - timedelta(seconds=ago_s - number),
            source="ingest",
        )
        for number in range(times)
    ]
    AlarmEvent.objects.bulk_create(events)


def asked(plant: Plant, hours: float = 24) -> Health:
    return health([plant.pk], MOMENT - timedelta(hours=hours), MOMENT, MOMENT)


def measured(found: Health) -> dict[str, float]:
    return {measure.name: measure.value for measure in found.measures}


def test_it_counts_what_called_by_hour_and_severity(temp: Sensor, settings: Settings) -> None:
    settings.ALARM_OPERATORS = 2
    call(make_alarm(temp, severity="high"), 3600, times=9)
    call(make_alarm(temp, severity="low"), 7200, times=3)
    found = asked(temp.machine.zone.plant)
    assert found.total == 12
    assert measured(found)["Alarms an hour and operator"] == 12 / 24 / 2
    assert [(share.severity, share.percent) for share in found.shares if share.count] == [("high", 75), ("low", 25)]


def test_it_leaves_out_other_plants_other_times_and_what_is_held(temp: Sensor, rotterdam: Plant) -> None:
    alarm = make_alarm(temp)
    call(alarm, 25 * 3600)
    call(make_alarm(temp, held_under=alarm), 60)
    call(make_alarm(Sensor.objects.get(slug="power")), 60)
    assert asked(temp.machine.zone.plant).total == 0


def test_it_names_the_most_frequent_and_the_chattering(temp: Sensor) -> None:
    quiet, loud = make_alarm(temp, title="quiet"), make_alarm(temp, title="loud")
    for ago_s in (900, 600, 300):
        call(quiet, ago_s)
    call(loud, 100, times=5)
    found = asked(temp.machine.zone.plant)
    assert [(each.title, each.times) for each in found.frequent] == [("loud", 5), ("quiet", 3)]
    assert [(each.title, each.times, each.id) for each in found.chattering] == [("loud", 3, loud.pk)]
    assert measured(found)["Chattering"] == 1


def test_it_names_what_stands_and_what_nobody_has_seen(temp: Sensor) -> None:
    long_ago = MOMENT - timedelta(hours=25)
    make_alarm(temp, title="stands", raised_at=long_ago, state="acknowledged")
    make_alarm(temp, title="unseen", raised_at=MOMENT - timedelta(minutes=31), state="cleared")
    make_alarm(temp, title="new", raised_at=MOMENT)
    make_alarm(temp, title="shelved", raised_at=long_ago, shelved_until=MOMENT + timedelta(hours=1))
    found = asked(temp.machine.zone.plant)
    assert [each.title for each in found.standing] == ["stands"]
    assert [each.title for each in found.unseen] == ["unseen"]


def test_it_finds_a_flood(temp: Sensor) -> None:
    call(make_alarm(temp), 3600, times=FLOOD_BEGINS + 20)
    found = asked(temp.machine.zone.plant)
    assert sum(flood.calls for flood in found.floods) > FLOOD_BEGINS
    assert measured(found)["Time in flood"] > 0
    assert measured(found)["Most in ten minutes"] > FLOOD_BEGINS


def spans(*counts: int) -> list[tuple[datetime, int]]:
    return [(MOMENT + SPAN * number, count) for number, count in enumerate(counts) if count]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((10, 10), []),
        ((11,), [(0, 1, 11)]),
        ((4, 11, 5, 4, 11), [(1, 3, 16), (4, 5, 11)]),
        ((11, 0, 11), [(0, 1, 11), (2, 3, 11)]),
    ],
)
def test_it_tells_where_a_flood_begins_and_ends(counts: tuple[int, ...], expected: list[tuple[int, int, int]]) -> None:
    found = floods(spans(*counts))
    assert found == [Flood(MOMENT + SPAN * start, MOMENT + SPAN * end, calls) for start, end, calls in expected]


def test_it_asks_as_often_for_many_alarms(temp: Sensor, django_assert_num_queries: Any) -> None:
    for _ in range(20):
        call(make_alarm(temp), 60)
    with django_assert_num_queries(5, connection=connection):
        asked(temp.machine.zone.plant)

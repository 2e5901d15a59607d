from datetime import UTC, datetime, timedelta

import pytest

from plants.models import Machine, Plant, Sensor
from telemetry.queries.plant_page import plant_page
from telemetry.queries.rates import readings_a_second
from telemetry.queries.sparklines import sparklines
from telemetry.queries.state_changes import state_changes
from telemetry.tests.conftest import Store

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


@pytest.fixture
def temp(kandy: Plant) -> Sensor:
    return Sensor.objects.get(slug="temp")


@pytest.fixture
def state(kandy: Plant) -> Sensor:
    return Sensor.objects.get(slug="state")


def test_it_averages_the_last_hour_in_buckets_of_two_minutes(temp: Sensor, store: Store) -> None:
    store(temp, [(ago(minutes=61), 99.0), (ago(minutes=4), 1.0), (ago(minutes=3), 3.0), (ago(seconds=1), 5.0)])

    assert sparklines([temp.number], NOW) == {temp.number: [(ago(minutes=4), 2.0), (ago(minutes=2), 5.0)]}


def test_it_leaves_readings_of_doubtful_quality_out_of_sparklines(temp: Sensor, store: Store) -> None:
    store(temp, [(ago(minutes=3), 99.0)], quality=64)
    store(temp, [(ago(minutes=1), 5.0)])

    assert sparklines([temp.number], NOW) == {temp.number: [(ago(minutes=2), 5.0)]}


def test_it_knows_since_when_a_state_holds(state: Sensor, store: Store) -> None:
    store(state, [(ago(hours=3), 1), (ago(hours=2), 0), (ago(minutes=34), 1), (ago(minutes=5), 1)])

    assert state_changes([state.number]) == {state.number: (ago(minutes=34), True)}


def test_it_knows_since_when_at_least_where_no_change_was_seen(state: Sensor, store: Store) -> None:
    store(state, [(ago(hours=2), 1), (ago(minutes=5), 1)])

    assert state_changes([state.number]) == {state.number: (ago(hours=2), False)}


def test_it_counts_the_readings_of_the_last_minute(temp: Sensor, state: Sensor, store: Store) -> None:
    store(temp, [(ago(seconds=second), 1.0) for second in range(0, 120, 2)])
    store(state, [(ago(seconds=second), 1.0) for second in range(0, 120, 4)])

    assert readings_a_second([temp.number, state.number], NOW) == pytest.approx(0.75)


def test_it_shows_the_first_sensors_besides_the_state(kandy: Plant, state: Sensor) -> None:
    machine = Machine.objects.get()
    for position in (3, 4):
        Sensor.objects.create(machine=machine, slug=f"s{position}", name=f"S{position}", position=position)
    Sensor.objects.create(machine=machine, slug="off", name="Off", is_active=False)
    (view,) = plant_page(kandy, NOW).view.machines

    assert [each.sensor.slug for each in view.shown] == ["temp", "rpm", "s3"]
    assert len(view.sensors) == 5


def test_it_counts_every_sensor_once_by_what_is_wrong_with_it(
    kandy: Plant, temp: Sensor, state: Sensor, store: Store
) -> None:
    rpm = Sensor.objects.get(slug="rpm")
    store(temp, [(ago(seconds=1), 5.0)], quality=0)
    store(rpm, [(ago(hours=1), 5.0)], quality=0)
    page = plant_page(kandy, NOW)

    assert page.view.standings == {"bad": 1, "stale": 1, "none": 1}
    assert page.view.machines[0].is_abnormal

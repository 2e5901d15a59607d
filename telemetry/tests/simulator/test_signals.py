from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plants.demo_factory import PLANTS, Place, places
from plants.scales import GOOD
from telemetry.simulator.course import RUNNING
from telemetry.simulator.signals import Signal

NOW = 1_790_000_000.0
DAY = NOW + np.arange(0, 86_400, 10.0)
PLACES = {place.address: place for place in places(PLANTS)}
every_place = pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)


def of_kind(kind: str) -> list[Place]:
    return [place for place in PLACES.values() if place.sensor.kind == kind]


def midnight(timezone: str, day: int) -> float:
    return datetime(2026, 10, day, tzinfo=ZoneInfo(timezone)).timestamp()


@every_place
def test_it_stays_in_its_plausible_range(place: Place) -> None:
    values = Signal(place).value(DAY)

    low, high = (place.sensor.low, place.sensor.high) if place.sensor.low is not None else (0, 4)
    assert np.isfinite(values).all()
    assert low <= values.min() <= values.max() <= high


@every_place
def test_it_seldom_touches_the_ends_of_its_range_while_running(place: Place) -> None:
    if place.sensor.kind != "gauge":
        return
    signal = Signal(place)
    values = signal.value(DAY)[signal.course.state(DAY) == RUNNING]

    assert ((values == place.sensor.low) | (values == place.sensor.high)).mean() < 0.01


@given(st.sampled_from(list(PLACES.values())), st.floats(1.75e9, 2.2e9), st.integers(0, 40))
def test_it_reads_the_same_alone_as_among_others(place: Place, start: float, i: int) -> None:
    t = np.linspace(start, start + 40 * 3_600, 41)

    among_others = Signal(place).value(t)
    alone = Signal(place).value(t[i : i + 1])

    assert alone[0] == among_others[i]


@pytest.mark.parametrize(
    "place", [p for p in of_kind("gauge") if p.sensor.type == "temperature"], ids=lambda p: p.address
)
def test_it_warms_without_jumps(place: Place) -> None:
    values = Signal(place).value(NOW + np.arange(3 * 86_400.0))

    assert np.abs(np.diff(values)).max() < 1.0


@pytest.mark.parametrize("place", [p for p in of_kind("counter") if p.sensor.resets_daily], ids=lambda p: p.address)
def test_it_counts_from_zero_at_the_plant_s_midnight(place: Place) -> None:
    # 25 October 2026: the day of 25 hours in Amsterdam
    begin, end = midnight(place.plant.timezone, 25), midnight(place.plant.timezone, 26)
    of_day = Signal(place).value(np.arange(begin, end, 10.0))
    around_end = Signal(place).value(np.array([end - 1, end]))

    assert of_day[0] == 0
    assert (np.diff(of_day) >= 0).all()
    assert around_end[0] > 100
    assert around_end[1] == 0


@pytest.mark.parametrize("place", [p for p in of_kind("counter") if not p.sensor.resets_daily], ids=lambda p: p.address)
def test_it_meters_energy_that_never_falls(place: Place) -> None:
    values = Signal(place).value(NOW + np.arange(0, 10 * 86_400, 60.0))

    assert (np.diff(values) >= 0).all()
    assert values[-1] > values[0]


def test_it_follows_its_machine() -> None:
    current = Signal(PLACES["kandy/rolling/roller-2/motor-current"])
    t = NOW + np.arange(0, 7 * 86_400, 10.0)
    state = current.course.state(t)
    standing = (state != RUNNING) & (np.roll(state, 3) != RUNNING)  # for half a minute already
    running = (state == RUNNING) & (np.roll(state, 3) == RUNNING)

    assert current.value(t)[standing].max() < 1
    assert current.value(t)[running].min() > 30


def test_it_shows_a_coming_fault_in_the_bearing() -> None:
    bearing = Signal(PLACES["kandy/rolling/roller-2/bearing-temp"])
    changes = bearing.course.changes(NOW, NOW + 30 * 86_400)
    faults = changes[bearing.course.state(changes) == 3]

    before, at = bearing.value(faults - 1_200), bearing.value(faults)
    assert np.median(at - before) > 20


def test_it_is_rarely_doubtful_and_rarely_silent() -> None:
    doubtful = silent = 0.0
    for place in of_kind("gauge"):
        signal = Signal(place)
        doubtful += float((signal.quality(DAY) < GOOD).mean())
        silent += float((~signal.reports(DAY)).mean())

    assert 0 < doubtful / len(of_kind("gauge")) < 0.002
    assert 0 < silent / len(of_kind("gauge")) < 0.002


def test_it_reads_differently_in_equal_machines() -> None:
    a, b = (Signal(PLACES[f"kandy/rolling/{machine}/vibration"]).value(DAY) for machine in ("roller-1", "roller-2"))

    assert (a != b).mean() > 0.5

import numpy as np

from plants.demo_factory import PLANTS, places
from telemetry.simulator.history import history
from telemetry.simulator.signals import Signal

NOW = 1_790_000_003.5
DENSE_FROM = NOW - 600
PLACES = {place.address: place for place in places(PLANTS)}
TEMP = Signal(PLACES["kandy/rolling/roller-2/bearing-temp"])
STATE = Signal(PLACES["kandy/rolling/roller-2/state"])


def test_it_has_a_reading_every_ten_seconds_but_for_silences() -> None:
    rows = history(TEMP, 7, NOW - 86_400, NOW, NOW)

    assert set(rows.sensor.tolist()) == {7}
    assert (rows.time_us % 10_000_000 == 0).all()
    assert 8_500 < len(rows.time_us) <= 8_640
    assert np.array_equal(rows.value, TEMP.value(rows.time_us / 1e6))


def test_it_has_of_the_end_all_that_the_device_sends() -> None:
    t = history(TEMP, 7, NOW - 7_200, NOW, DENSE_FROM).time_us / 1e6

    assert set(np.diff(t[t > DENSE_FROM]).tolist()) == {TEMP.place.sensor.interval_s}
    assert set(np.diff(t[t < DENSE_FROM]).tolist()) == {10}


def test_it_has_every_change_of_state_and_a_reading_every_minute() -> None:
    rows = history(STATE, 7, NOW - 86_400, NOW, NOW)
    t = rows.time_us / 1e6

    assert set(STATE.course.changes(NOW - 86_400, NOW).tolist()) <= set(t.tolist())
    assert np.diff(t).max() == 60
    assert np.array_equal(rows.value, STATE.value(t))


def test_it_joins_in_parts_as_if_written_at_once() -> None:
    for signal in (TEMP, STATE):
        whole = history(signal, 7, NOW - 7_200, NOW, DENSE_FROM)
        middle = float(whole.time_us[100]) / 1e6
        parts = [history(signal, 7, *part, DENSE_FROM) for part in ((NOW - 7_200, middle + 0.5), (middle, NOW))]

        joined = np.concatenate([part.time_us for part in parts])
        assert joined.tolist() == whole.time_us.tolist()


def test_it_is_empty_where_nothing_is_to_be_filled() -> None:
    for start, end in [(NOW, NOW + 0.4), (NOW, NOW), (NOW + 100, NOW)]:
        for signal in (TEMP, STATE):
            assert len(history(signal, 7, start, end, DENSE_FROM).time_us) == 0

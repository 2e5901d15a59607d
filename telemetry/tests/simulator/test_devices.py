from collections import Counter
from itertools import takewhile

import numpy as np
import pytest

from plants.demo_factory import PLANTS, DemoPlant, Place, places
from telemetry.ingest.decode import decode
from telemetry.readings import Message, Sample
from telemetry.simulator.devices import drafts, measured, usual_rate
from telemetry.simulator.drafts import Publication
from telemetry.simulator.forms import publications
from telemetry.simulator.signals import Signal

NOW = 1_790_000_000.25
PLACES = {place.address: place for place in places(PLANTS)}


def published(
    seconds: float, start: float = NOW, pace: float = 1.0, plants: tuple[DemoPlant, ...] = PLANTS
) -> list[Publication]:
    return list(takewhile(lambda p: p.due < start + seconds, publications(drafts(plants, start, pace))))


def samples_of(publication: Publication) -> list[Sample]:
    assert publication.payload is not None
    samples, rejected = decode(Message(publication.topic, publication.payload, 0, None))
    assert rejected == []
    return samples


@pytest.mark.parametrize(
    ("address", "value", "quality", "expected"),
    [
        ("kandy/rolling/roller-2/bearing-temp", 61.25, 192, (61.25, None)),
        ("kandy/rolling/roller-2/bearing-temp", 61.25, 64, (61.25, "uncertain")),
        ("kandy/rolling/roller-2/bearing-temp", 61.25, 0, (61.25, "bad")),
        ("kandy/sorting/packer/bags-today", 1284.0, 192, (1284, None)),
    ],
)
def test_it_writes_a_quality_only_where_it_is_not_good(
    address: str, value: float, quality: int, expected: object
) -> None:
    written = measured(PLACES[address], NOW, value, quality)
    assert (written.value, written.quality) == expected


def test_it_writes_states_as_labels_for_some_machines_and_as_numbers_for_others() -> None:
    kinds = {type(measured(place, NOW, 1.0, 192).value) for place in PLACES.values() if place.sensor.slug == "state"}

    assert kinds == {str, int}


def test_it_uses_both_topics_and_every_body_decodes_to_what_the_signal_reads() -> None:
    forms: Counter[str] = Counter()
    for publication in published(20):
        forms["sensor" if publication.topic.rpartition("/")[0].endswith("/t") else "machine"] += 1
        samples = samples_of(publication)
        assert len(samples) == publication.samples
        for address, time_us, value, quality in samples:
            place = PLACES[address]
            signal = Signal(place)
            moment = np.array([time_us / 1e6])
            expected = signal.value(moment)[0]
            if isinstance(value, str):
                assert place.sensor.states[str(int(expected))] == value
            else:
                assert value == expected
            assert quality == signal.quality(moment)[0]
    assert forms["machine"] > 100
    assert forms["sensor"] > 100


def test_it_sends_each_sensor_at_its_interval() -> None:
    times: dict[str, list[int]] = {}
    for publication in published(400):  # longer than one pass over the arrays
        for address, time_us, _, _ in samples_of(publication):
            times.setdefault(address, []).append(time_us)

    assert set(times) == set(PLACES)
    for address, moments in times.items():
        gaps = np.diff(moments) / 1e6
        assert np.median(gaps) == pytest.approx(PLACES[address].sensor.interval_s, abs=0.002)
        assert gaps.min() > PLACES[address].sensor.interval_s - 0.01


def test_it_misses_no_turn() -> None:
    due: dict[str, list[float]] = {}
    for publication in published(400):  # longer than one pass over the arrays
        due.setdefault(publication.topic, []).append(publication.due)

    for topic, moments in due.items():
        if topic.endswith("/t"):
            assert np.diff(moments).max() == pytest.approx(2, abs=0.002)
        elif topic.endswith("/state"):  # never silent
            assert np.diff(moments).max() == pytest.approx(5, abs=0.002)


def test_it_spreads_messages_over_time_and_in_order() -> None:
    due = np.array([publication.due for publication in published(60)])

    assert (np.diff(due) >= 0).all()
    in_tenths = np.bincount(((due - NOW) * 10).astype(int))
    assert in_tenths.max() <= 8  # 15 messages a second


def test_it_sends_twice_as_often_at_twice_the_pace() -> None:
    once, twice = (sum(p.samples for p in published(60, pace=pace)) for pace in (1.0, 2.0))

    assert twice == pytest.approx(2 * once, rel=0.05)


def test_it_begins_after_the_start() -> None:
    assert all(publication.due > NOW for publication in published(10))


def one_of(plant: str) -> Place:
    return next(place for place in PLACES.values() if place.plant.slug == plant)


def test_it_publishes_only_the_plants_it_is_given() -> None:
    rotterdam = (one_of("rotterdam").plant,)
    some = published(10, plants=rotterdam)

    assert some
    assert all(publication.topic.startswith("inqube/v1/rotterdam/") for publication in some)


def test_it_knows_how_many_readings_it_usually_sends() -> None:
    sent = sum(p.samples for p in published(300))

    assert usual_rate(PLANTS) == pytest.approx(sent / 300, rel=0.05)  # some sensors are silent now and then


def test_it_tells_even_milliseconds_for_odd_ones_are_of_wrong_clocks() -> None:
    assert all(time_us % 2_000 == 0 for p in published(20) for _, time_us, _, _ in samples_of(p))

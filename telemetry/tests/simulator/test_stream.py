from dataclasses import replace
from itertools import islice

import pytest

from telemetry.simulator.drafts import Publication
from telemetry.simulator.faults import Faults
from telemetry.simulator.fleet import Fleet
from telemetry.simulator.stream import Load, stream

NOW = 1_790_000_000.25
EVERYTHING = Faults(
    drift=0.2, stuck=0.2, gap=0.2, skew=0.0, malformed=0.2, duplicates=0.2, reordering=0.2, episode_s=1.0
)
LOAD = Load(fleet=Fleet("load", 45), rate=450, form="number", faults=EVERYTHING)


def sent(load: Load, count: int = 2_000, start: float = NOW) -> list[tuple[str, bytes | None]]:
    return [(each.topic, each.payload) for each in islice(stream(load, start), count)]


def test_it_sends_the_same_messages_for_the_same_seed_at_any_time() -> None:
    assert sent(LOAD) == sent(LOAD, start=NOW + 86_400.5)
    assert sent(LOAD) != sent(replace(LOAD, seed=1))


def test_it_sends_the_demo_factory_s_messages_again_at_the_same_time() -> None:
    demo = Load(faults=EVERYTHING)
    assert sent(demo, 500) == sent(demo, 500)
    assert sent(demo, 500) != sent(replace(demo, seed=1), 500)


@pytest.mark.parametrize(
    "load", [Load(rate=200), Load(plant="kandy", rate=200), replace(LOAD, rate=200, faults=Faults())]
)
def test_it_sends_as_many_readings_a_second_as_asked_for(load: Load) -> None:
    found = list(stream(replace(load, duration_s=30), NOW))

    assert sum(each.samples for each in found) == pytest.approx(6_000, rel=0.05)


def test_it_sends_each_sensor_of_a_load_once_a_second_where_no_rate_is_asked_for() -> None:
    assert len(list(stream(Load(fleet=Fleet("load", 45), duration_s=10), NOW))) == 450


def test_it_ends_after_so_many_messages_beside_those_that_are_repeated() -> None:
    found = [each for each in stream(replace(LOAD, count=300), NOW) if each.payload is not None]

    assert len([each for each in found if not each.is_repeated]) == 300
    assert len(found) > 320


def test_it_sends_also_what_was_held_back_when_it_ends() -> None:
    load = replace(LOAD, count=300, faults=Faults(reordering=1.0))

    def key(each: Publication) -> tuple[str, bytes | None]:
        return each.topic, each.payload

    assert sorted(map(key, stream(load, NOW))) == sorted(map(key, stream(replace(load, faults=Faults()), NOW)))

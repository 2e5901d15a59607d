from collections import Counter
from itertools import islice

import numpy as np
import pytest

from telemetry.readings import ADDRESS
from telemetry.simulator.drafts import Draft
from telemetry.simulator.fleet import Fleet, drafts

NOW = 1_790_000_000.25
FLEET = Fleet("load", 45)


def sent(
    count: int, form: str = "object", per_message: int = 1, seed: int = 0, start: float = NOW, interval_s: float = 1.0
) -> list[Draft]:
    return list(islice(drafts(FLEET, start, interval_s, per_message, form, seed), count))


def times(found: list[Draft]) -> dict[str, list[int]]:
    """In ms, by address."""
    at: dict[str, list[int]] = {}
    for draft in found:
        for each in draft.measured:
            at.setdefault(f"{draft.machine}/{each.sensor}", []).append(each.time_ms)
    return at


def test_it_has_as_many_sensors_as_asked_for_at_addresses_that_are_good() -> None:
    addresses = {
        f"load/{zone}/{machine}/{slug}" for zone, machine, slugs in Fleet("load", 1234).machines() for slug in slugs
    }

    assert len(addresses) == 1234
    assert all(ADDRESS.fullmatch(address) for address in addresses)


@pytest.mark.parametrize(
    ("form", "per_message"),
    [("number", 1), ("object", 1), ("list", 7), ("machine", 8), ("machine", 20), ("machine", 60)],
)
def test_it_sends_each_sensor_at_its_interval_whatever_the_form(form: str, per_message: int) -> None:
    at = times(sent(45 * 4, form, per_message))

    assert len(at) == 45
    for moments in at.values():
        assert set(np.diff(moments)) <= {998, 1000, 1002}  # in even milliseconds
    assert all(time_ms % 2 == 0 for moments in at.values() for time_ms in moments)


@pytest.mark.parametrize(
    ("form", "per_message", "sizes"),
    [
        ("object", 1, {1}),
        ("list", 7, {7}),
        ("machine", 8, {8, 4, 5}),  # machines of 20, 20 and 5 sensors
        ("machine", 20, {20, 5}),
        ("machine", 60, {60, 15}),
    ],
)
def test_it_puts_as_many_readings_into_a_message_as_asked_for(form: str, per_message: int, sizes: set[int]) -> None:
    assert {len(draft.measured) for draft in sent(45, form, per_message)} == sizes


def test_it_takes_a_message_from_one_machine_and_a_list_from_one_sensor() -> None:
    for draft in sent(45, "list", 7):
        assert len({each.sensor for each in draft.measured}) == 1
    for draft in sent(45, "machine", 20):
        assert max(Counter(each.sensor for each in draft.measured).values()) == 1


def test_it_spreads_messages_evenly_from_the_start_on() -> None:
    due = [draft.due - NOW for draft in sent(90)]

    assert np.diff([0, *due]) == pytest.approx([0, *[1 / 45] * 89], abs=1e-6)


def test_it_sends_the_same_again_but_for_the_times() -> None:
    def values(found: list[Draft]) -> list[tuple[str, float | int | str]]:
        return [(f"{draft.machine}/{each.sensor}", each.value) for draft in found for each in draft.measured]

    first = sent(90, "machine", 8)
    assert first == sent(90, "machine", 8)
    assert values(first) == values(sent(90, "machine", 8, start=NOW + 86_400.123))
    assert values(first) != values(sent(90, "machine", 8, seed=1))


def test_it_reads_what_lies_in_its_range() -> None:
    values = [each.value for draft in sent(45 * 200, interval_s=10) for each in draft.measured]

    assert all(isinstance(value, float) and -10 <= value <= 110 for value in values)
    assert len(set(values)) > 2_000

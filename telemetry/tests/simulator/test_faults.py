"""Each fault hits its share, leaves all else as it was, and says what it did."""

import random
from collections.abc import Iterator
from itertools import pairwise

import pytest

from telemetry.ingest.decode import decode
from telemetry.readings import Message, Reason
from telemetry.simulator import faults
from telemetry.simulator.drafts import Draft, Measured, Publication
from telemetry.simulator.faults import Episodes, Faults
from telemetry.simulator.forms import FORMS, publications

START = 1_790_000_000.0
SECONDS = 300
EPISODE_S = 10.0
MACHINES = [f"load/line-1/machine-{number}" for number in range(20)]
SHARE = 0.3


def drafts() -> Iterator[Draft]:
    for second in range(SECONDS):
        at_ms = round(START * 1000) + second * 1000
        for machine in MACHINES:
            measured = (Measured("a", at_ms, 50.0 + second), Measured("b", at_ms, second), Measured("c", at_ms, "on"))
            yield Draft(START + second, machine, "machine", measured)


def episodes(fault: str, share: float = SHARE, seed: int = 0) -> Episodes:
    return Episodes(fault, share, seed, START, EPISODE_S)


def sent(count: int, form: str = "object") -> list[Publication]:
    found = publications(drafts(), form)
    return [next(found) for _ in range(count)]


def of_sensors(found: list[Draft]) -> dict[tuple[str, str], list[Measured]]:
    """By machine and sensor, in order."""
    values: dict[tuple[str, str], list[Measured]] = {}
    for draft in found:
        for each in draft.measured:
            values.setdefault((draft.machine, each.sensor), []).append(each)
    return values


def in_episodes(values: list[Measured]) -> list[list[Measured]]:
    return [values[first : first + int(EPISODE_S)] for first in range(0, SECONDS, int(EPISODE_S))]


def changed(kind: str, found: list[Draft]) -> float:
    """The share of values that say they were hit."""
    values = [each for draft in found for each in draft.measured]
    return sum(kind in each.faults for each in values) / len(values)


def test_it_hits_whole_episodes() -> None:
    for values in of_sensors(list(faults.stuck(drafts(), episodes("stuck")))).values():
        for episode in in_episodes(values):
            assert len({each.faults for each in episode}) == 1


def test_it_hits_its_share_of_them() -> None:
    assert changed(faults.STUCK, list(faults.stuck(drafts(), episodes("stuck")))) == pytest.approx(SHARE, abs=0.05)
    assert changed(faults.STUCK, list(faults.stuck(drafts(), episodes("stuck", 1.0)))) == 1
    assert changed(faults.STUCK, list(faults.stuck(drafts(), episodes("stuck", 0.0)))) == 0


def test_it_goes_on_with_the_first_value_of_an_episode_when_it_is_stuck() -> None:
    for before, after in zip(drafts(), faults.stuck(drafts(), episodes("stuck", 1.0)), strict=True):
        second = round(before.due - START)
        assert [each.time_ms for each in after.measured] == [each.time_ms for each in before.measured]
        assert after.measured[0].value == 50.0 + second // EPISODE_S * EPISODE_S


def test_it_drifts_further_and_further_from_the_truth_but_not_with_labels() -> None:
    drifted = list(faults.drift(drafts(), episodes("drift", 1.0)))
    true = of_sensors(list(drafts()))
    for (machine, sensor), values in of_sensors(drifted).items():
        for episode, expected in zip(in_episodes(values), in_episodes(true[machine, sensor]), strict=True):
            if sensor == "c":
                assert episode == expected
            if sensor == "a":
                off = [abs(float(a.value) - float(b.value)) for a, b in zip(episode, expected, strict=True)]
                assert off == sorted(off)
                assert off[-1] == pytest.approx(0.9 * faults.DRIFTS_BY * float(expected[-1].value), rel=0.01)
            if sensor == "b":
                assert all(isinstance(each.value, int) for each in episode)


def test_it_drifts_up_and_down() -> None:
    pairs = zip(faults.drift(drafts(), episodes("drift", 1.0)), drafts(), strict=True)
    signs = {float(a.measured[0].value) > float(b.measured[0].value) for a, b in pairs if (a.due - START) % EPISODE_S}

    assert signs == {True, False}


def test_it_withholds_all_of_a_machine_in_a_gap() -> None:
    found = list(faults.gap(drafts(), episodes("gap")))

    assert {(len(draft.measured), draft.withheld) for draft in found} == {(3, 0), (0, 3)}
    withheld = sum(draft.withheld for draft in found)
    assert withheld / (3 * len(found)) == pytest.approx(SHARE, abs=0.05)


def test_it_puts_clocks_ahead_and_behind_by_an_odd_number_of_milliseconds() -> None:
    found = list(faults.skew(drafts(), episodes("skew", 1.0), 3600))
    off = {
        (each.faults, each.time_ms - true.time_ms)
        for draft, before in zip(found, drafts(), strict=True)
        for each, true in zip(draft.measured, before.measured, strict=True)
    }
    assert off == {((faults.AHEAD,), 3_600_001), ((faults.BEHIND,), -3_600_001)}
    for draft in found:
        assert len({each.faults for each in draft.measured}) == 1


@pytest.mark.parametrize("form", FORMS)
def test_it_makes_messages_of_which_nothing_can_be_read(form: str) -> None:
    damaged = list(faults.malformed(iter(sent(500, form)), 1.0, random.Random(1)))

    assert {each.reason for each in damaged} == {Reason.INVALID_JSON, Reason.NOT_FINITE}
    for each in damaged:
        samples, (rejected,) = decode(Message(each.topic, each.payload or b"", 0, None))
        assert samples == []
        assert rejected.reason == each.reason
        assert (each.samples, each.faults) == (1, ((faults.MALFORMED, 1),))


def test_it_damages_its_share_and_leaves_the_others() -> None:
    before = sent(5_000)
    after = list(faults.malformed(iter(before), 0.1, random.Random(1)))

    assert sum(each.reason is not None for each in after) == pytest.approx(500, rel=0.15)
    assert all(a == b for a, b in zip(after, before, strict=True) if a.reason is None)


def test_it_sends_its_share_a_second_time_at_once() -> None:
    before = sent(5_000)
    after = list(faults.duplicates(iter(before), 0.1, random.Random(1)))

    assert [each for each in after if not each.is_repeated] == before
    assert len(after) - len(before) == pytest.approx(500, rel=0.15)
    for each, following in pairwise(after):
        if following.is_repeated:
            assert (following.topic, following.payload) == (each.topic, each.payload)


def test_it_lets_at_most_ten_others_overtake_and_loses_none() -> None:
    before = sent(5_000)
    after = list(faults.reordering(iter(before), 0.1, random.Random(1)))

    assert sorted(map(key, after)) == sorted(map(key, before))
    held = [each for each in after if each.faults]
    assert len(held) == pytest.approx(500, rel=0.15)
    place = {key(each): number for number, each in enumerate(before)}
    places = [place[key(each)] for each in after]
    assert places != sorted(places)
    assert [number for number, each in zip(places, after, strict=True) if not each.faults] == sorted(
        number for number, each in zip(places, after, strict=True) if not each.faults
    )
    assert max(there - number for there, number in enumerate(places)) <= 2 * faults.FURTHEST
    assert all(a.due <= b.due for a, b in pairwise(after[:-20]))


def key(publication: Publication) -> tuple[str, bytes]:
    return publication.topic, publication.payload or b""


def everything(seed: int) -> list[Publication]:
    all_of_them = Faults(
        drift=0.2, stuck=0.2, gap=0.2, skew=0.2, malformed=0.2, duplicates=0.2, reordering=0.2, episode_s=EPISODE_S
    )
    return list(all_of_them.on_publications(publications(all_of_them.on_drafts(drafts(), seed, START)), seed))


def test_it_does_the_same_for_the_same_seed_and_something_else_for_another() -> None:
    assert everything(1) == everything(1)
    assert everything(1) != everything(2)


def test_it_does_all_of_it_at_once() -> None:
    told = {fault for each in everything(1) for fault, _ in each.faults}

    assert told == {
        faults.DRIFT,
        faults.STUCK,
        faults.GAP,
        faults.AHEAD,
        faults.BEHIND,
        faults.MALFORMED,
        faults.DUPLICATES,
        faults.REORDERING,
    }


def test_it_does_nothing_unasked() -> None:
    before = list(publications(drafts()))

    assert list(Faults().on_publications(publications(Faults().on_drafts(drafts(), 0, START)), 0)) == before


def test_it_does_not_choose_others_when_a_fault_is_added() -> None:
    def hit(chosen: Faults) -> list[bool]:
        return [
            faults.STUCK in each.faults for draft in chosen.on_drafts(drafts(), 0, START) for each in draft.measured
        ]

    assert hit(Faults(stuck=SHARE)) == hit(Faults(stuck=SHARE, drift=SHARE, skew=SHARE))

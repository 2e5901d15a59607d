"""The checker finds what it is there for: each test makes one thing wrong in what was right."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from plants.scales import GOOD
from telemetry.readings import Reading, Reason
from telemetry.storage.buckets import DAY, HOUR, MINUTE
from telemetry.tests.faults.checker import Contents, Entry, Journal, Letter, faults
from telemetry.tests.faults.plan import Planned
from telemetry.tests.samples import us
from telemetry.tests.storage.histories import expected

START_US = us(datetime(2026, 5, 1, 12, tzinfo=UTC))
TOPIC = "inqube/v1/kandy/line/m0/t/s0"


def reading(number: int, sensor: int = 7) -> Reading:
    return sensor, START_US + number * 1_000_000, float(number), GOOD


READINGS = [reading(number, sensor) for number in range(5) for sensor in (7, 8)]
BAD = Planned(TOPIC, b"23,4", (), frozenset([Reason.INVALID_JSON]))
PLAN = [*(Planned(TOPIC, b"%d" % i, (each,)) for i, each in enumerate(READINGS)), BAD]
LETTER = Letter(TOPIC, b"23,4", Reason.INVALID_JSON)
ALL_SENT = Journal(Counter(range(len(PLAN))), frozenset(range(len(PLAN))))


def database(readings: list[Reading], letters: list[Letter]) -> Contents:
    """Right in itself: the latest, the rollups and the ledger of these readings."""
    kept = {(sensor, time_us): (value, quality) for sensor, time_us, value, quality in readings}
    latest = {sensor: (time_us, *kept[sensor, time_us]) for sensor, time_us in sorted(kept)}
    rollups = {level: expected(kept, unit) for level, unit in (("1m", MINUTE), ("1h", HOUR), ("1d", DAY))}
    ledger = [Entry("kandy/line/m0", len(readings) + len(letters), len(readings), 0, 0, len(letters))]
    return Contents(readings, latest, letters, rollups, ledger)


RIGHT = database(READINGS, [LETTER])


def kinds(found: list[str]) -> list[str]:
    return [text.partition(":")[0] for text in found]


def test_it_finds_nothing_where_nothing_is_wrong() -> None:
    assert faults(PLAN, ALL_SENT, RIGHT) == []


def test_it_finds_a_lost_reading() -> None:
    assert kinds(faults(PLAN, ALL_SENT, database(READINGS[1:], [LETTER]))) == ["lost"]


def test_it_misses_no_reading_that_was_not_acknowledged() -> None:
    journal = ALL_SENT._replace(acknowledged=ALL_SENT.acknowledged - {0})
    assert faults(PLAN, journal, database(READINGS[1:], [LETTER])) == []
    assert faults(PLAN, journal, RIGHT) == []


def test_it_finds_an_invented_reading() -> None:
    assert kinds(faults(PLAN, ALL_SENT, database([*READINGS, reading(99)], [LETTER]))) == ["invented"]


@pytest.mark.parametrize("wrong", [(3.5, GOOD), (0.0, 64)])
def test_it_finds_a_reading_with_another_value_or_quality(wrong: tuple[float, int]) -> None:
    altered = [(*READINGS[0][:2], *wrong), *READINGS[1:]]
    assert kinds(faults(PLAN, ALL_SENT, database(altered, [LETTER]))) == ["invented"]


def test_it_finds_a_reading_that_was_never_sent() -> None:
    assert kinds(faults(PLAN, Journal(ALL_SENT.sent - Counter([0]), frozenset()), RIGHT)) == ["invented"]


def test_it_finds_a_doubled_reading() -> None:
    doubled = RIGHT._replace(readings=[*READINGS, READINGS[3]], ledger=[Entry("kandy/line/m0", 12, 11, 0, 0, 1)])
    assert kinds(faults(PLAN, ALL_SENT, doubled)) == ["twice"]


def test_it_finds_a_lost_dead_letter() -> None:
    assert kinds(faults(PLAN, ALL_SENT, database(READINGS, []))) == ["lost"]
    assert faults(PLAN, ALL_SENT, database(READINGS, []), every_letter=False) == []


def test_it_finds_an_invented_dead_letter() -> None:
    for letter in (LETTER._replace(payload=b"5,4"), LETTER._replace(reason=Reason.NOT_A_NUMBER)):
        assert kinds(faults(PLAN, ALL_SENT, database(READINGS, [LETTER, letter]))) == ["invented"]


def test_it_finds_a_doubled_dead_letter() -> None:
    assert kinds(faults(PLAN, ALL_SENT, database(READINGS, [LETTER, LETTER]))) == ["twice"]


def test_it_lets_a_message_that_was_sent_twice_be_two_dead_letters() -> None:
    journal = ALL_SENT._replace(sent=ALL_SENT.sent + Counter([len(PLAN) - 1]))
    assert faults(PLAN, journal, database(READINGS, [LETTER, LETTER])) == []


def test_it_takes_a_dead_letter_for_a_reading_that_the_database_refused() -> None:
    refused = Letter(TOPIC, b'{"v": 0}', Reason.DATABASE_REJECTED, READINGS[0][:2])
    assert faults(PLAN, ALL_SENT, database(READINGS[1:], [LETTER, refused])) == []
    assert kinds(faults(PLAN, ALL_SENT, database(READINGS[1:], [LETTER, refused, refused]))) == ["twice"]
    never_sent = refused._replace(key=(7, START_US - 1))
    assert kinds(faults(PLAN, ALL_SENT, database(READINGS, [LETTER, never_sent]))) == ["invented"]


def test_it_finds_a_wrong_latest() -> None:
    moved_back = {**RIGHT.latest, 7: (START_US, 0.0, GOOD)}
    missing = {8: RIGHT.latest[8]}
    of_nothing = {**RIGHT.latest, 9: (START_US, 0.0, GOOD)}
    for latest in (moved_back, missing, of_nothing):
        assert kinds(faults(PLAN, ALL_SENT, RIGHT._replace(latest=latest))) == ["wrong latest"]


@pytest.mark.parametrize("level", ["1m", "1h", "1d"])
def test_it_finds_a_wrong_rollup(level: str) -> None:
    first, *others = RIGHT.rollups[level]
    for rows in ([(*first[:2], first[2] - 1, *first[3:]), *others], others, [first, first, *others]):
        found = faults(PLAN, ALL_SENT, RIGHT._replace(rollups={**RIGHT.rollups, level: rows}))
        assert kinds(found) == ["wrong rollup"]
        assert level in found[0]


@pytest.mark.parametrize(
    ("received", "stored", "duplicate"), [(12, 10, 0), (11, 9, 0), (11, 9, 1), (12, 11, 0)], ids=str
)
def test_it_finds_a_broken_ledger(received: int, stored: int, duplicate: int) -> None:
    ledger = [Entry("kandy/line/m0", received, stored, duplicate, 0, 1)]
    assert set(kinds(faults(PLAN, ALL_SENT, RIGHT._replace(ledger=ledger)))) == {"broken ledger"}


def test_it_reads_journals_as_far_as_they_were_written() -> None:
    journal = Journal.read("sent 1\nsent 2\nacknowledged 2\nsent 1\nacknowledged 1")
    assert journal == Journal(Counter({1: 2, 2: 1}), frozenset([2]))

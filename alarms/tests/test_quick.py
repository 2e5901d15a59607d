import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alarms.conditions import NORMAL, Good, Kind, Limits, step
from alarms.quick import Before, QuickLook, Rows, Watched
from plants.scales import BAD, GOOD, SECOND_US, UNCERTAIN

WATCHED = [
    Watched(2, Limits(Kind.HIGH, 5, 0, 0, 0), None),
    Watched(2, Limits(Kind.LOW, -5, 0, 0, 0), None),
    Watched(4, Limits(Kind.STATE, 3, 0, 0, 0), None),
    Watched(5, Limits(Kind.RATE, 60, 0, 0, 0), None),
    Watched(5, Limits(Kind.RATE, 90, 0, 0, 0), None),  # of two rules about one sensor the nearer counts
    Watched(6, Limits(Kind.STUCK, 0, 0.5, 60, 0), None),
    Watched(7, Limits(Kind.DEVIATION, 4, 0, 0, 0), 8),
]
QUICK = QuickLook(WATCHED)
Reading = tuple[int, int, float, int]  # sensor, second, value, quality

readings = st.lists(
    st.tuples(
        st.integers(1, 9),
        st.integers(0, 20),
        st.integers(-7, 7).map(float),
        st.sampled_from([GOOD, GOOD, GOOD, BAD]),
    ),
    max_size=12,
)


def columns(rows: list[Reading]) -> Rows:
    sensor, second, value, quality = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Rows(
        np.array(sensor, np.int32),
        np.array(second, np.int64) * SECOND_US,
        np.array(value, np.float64),
        np.array(quality, np.int16),
    )


def hot(rows: list[Reading], before: list[Reading]) -> list[int]:
    was = columns(sorted(before))
    return QUICK.hot(QUICK.watched(columns(rows)), Before(*was)) if len(QUICK.watched(columns(rows)).sensor) else []


def turned(rows: list[Reading], before: list[Reading]) -> set[int]:
    """The sensors at which a rule is not plainly normal at some time, by looking at each reading."""
    good = {sensor: Good(second * SECOND_US, value) for sensor, second, value, quality in before if quality > UNCERTAIN}
    seen = {sensor: second for sensor, second, _, _ in before}
    found = set()
    standings = dict.fromkeys(range(len(WATCHED)), NORMAL)
    for sensor, second, value, quality in rows:
        if second < seen.get(sensor, 0):
            continue
        seen[sensor] = second
        if quality < UNCERTAIN:
            continue
        for number, (watched, limits, reference) in enumerate(WATCHED):
            if watched == sensor:
                other = good[reference].value if reference in good else None
                standings[number], _ = step(
                    limits, standings[number], second * SECOND_US, value, good.get(sensor), other
                )
                if standings[number] != NORMAL:
                    found.add(sensor)
        good[sensor] = Good(second * SECOND_US, value)
    return found


@given(readings, st.dictionaries(st.integers(1, 9), st.integers(-7, 7).map(float)))
def test_it_names_every_sensor_that_is_not_plainly_normal(rows: list[Reading], latest: dict[int, float]) -> None:
    before = [(sensor, 0, value, GOOD) for sensor, value in latest.items()]
    assert turned(rows, before) <= set(hot(rows, before))


def test_it_names_none_that_is_plainly_normal() -> None:
    before = [(sensor, 0, 0.0, GOOD) for sensor in range(1, 10)]
    quiet = [(2, 4.0), (4, 2.0), (5, 1.0), (6, 1.0), (7, 4.0), (8, 0.5), (9, 99.0)]
    assert hot([(sensor, 1, value, GOOD) for sensor, value in quiet], before) == []


def test_it_names_those_of_which_a_good_reading_must_be_kept() -> None:
    before = [(sensor, 0, 0.0, GOOD) for sensor in range(1, 10)]
    assert hot([(sensor, 1, 1.0, BAD) for sensor in range(1, 10)], before) == [5, 6, 7, 8]

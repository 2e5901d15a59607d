import pytest

from telemetry.ingest.counters import BOUNDS_S, Counters


@pytest.mark.parametrize(
    ("took_s", "bucket"), [(0.0, 0), (BOUNDS_S[0], 0), (0.0051, 1), (BOUNDS_S[-1], -2), (31.0, -1)]
)
def test_it_counts_a_commit_in_the_bucket_that_reaches_so_far(took_s: float, bucket: int) -> None:
    counters = Counters()
    counters.committed(1, 0, took_s, took_s)
    assert counters.commits[bucket] == 1
    assert sum(counters.commits) == 1


def test_it_gives_the_worst_lag_once() -> None:
    counters = Counters()
    counters.committed(1, 0, 0.1, 4.0)
    counters.committed(1, 0, 0.1, 0.2)
    assert counters.take_lag(1.0) == 4.0
    assert counters.take_lag(1.0) == 1.0

"""How fresh a sensor's latest reading is, by its age: one rule for pages, REST and exports."""

from collections.abc import Iterable
from typing import Literal

Freshness = Literal["fresh", "late", "stale", "none"]

LATE_AFTER_INTERVALS = 3  # one or two readings lost on the way are not worth a mark


def freshness(age_s: float | None, expected_interval_s: float | None, stale_after_s: float) -> Freshness:
    """`none` without a reading; `stale` beyond `stale_after_s`; `late` beyond three expected intervals.

    A sensor without an expected interval reports on change, so it is never late.
    """
    if age_s is None:
        return "none"
    if age_s > stale_after_s:
        return "stale"
    if expected_interval_s is not None and age_s > LATE_AFTER_INTERVALS * expected_interval_s:
        return "late"
    return "fresh"


def on_change_freshness(own: Freshness, neighbours: Iterable[Freshness]) -> Freshness:
    """The freshness of a sensor that reports on change, by the machine's sensors that report at an interval.

    Silence of such a sensor means nothing as long as its neighbours speak; alone, it is judged by its own age.
    """
    speaking = [each for each in neighbours if each != "none"]
    if own == "stale" and any(each != "stale" for each in speaking):
        return "fresh"
    return own

"""What an ingest process counts and measures for /metrics. Pure: clocks are passed in."""

from bisect import bisect_left
from dataclasses import dataclass, field

# Of commits, in seconds, the last bucket having no end. The database keeps a count for each (`ingest_total.commits`):
# with other bounds old counts would mean something else.
BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


@dataclass(slots=True)
class Counters:
    """Since the process began to work for its session."""

    messages: int = 0  # committed
    rejected: int = 0  # of these, messages of which a sample is dead
    commits: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))  # by BOUNDS_S
    commit_s: float = 0.0  # all of them together
    _worst_lag_s: float = 0.0

    def committed(self, messages: int, rejected: int, took_s: float, lag_s: float) -> None:
        """Notes a batch.

        Args:
            took_s: from the first try to write it until it was committed.
            lag_s: from the receipt of its first message until then.
        """
        self.messages += messages
        self.rejected += rejected
        self.commits[bisect_left(BOUNDS_S, took_s)] += 1
        self.commit_s += took_s
        self._worst_lag_s = max(self._worst_lag_s, lag_s)

    def take_lag(self, waiting_s: float) -> float:
        """The worst since it was last taken, in seconds; `waiting_s` is that of what is not committed yet."""
        worst, self._worst_lag_s = self._worst_lag_s, 0.0
        return max(worst, waiting_s)


# Of batches, in readings: small ones where little comes in, and up to the limit and beyond where more does.
BATCH_BOUNDS = (1, 10, 50, 100, 500, 1000, 2500, 5000, 10_000, 20_000)


@dataclass(slots=True)
class Tally:
    """What the process itself has done since it was started, for its own port; the database has none of it."""

    messages: int = 0  # received, with those that came again
    connections: int = 0  # which the broker has let in
    intake_s: float = 0.0  # spent on decoding, resolving and validating
    store_s: float = 0.0  # on writing, with attempts that failed
    failed_writes: int = 0  # attempts, after each of which the batch is tried again
    batches: list[int] = field(default_factory=lambda: [0] * (len(BATCH_BOUNDS) + 1))  # by BATCH_BOUNDS
    readings: int = 0  # of all these batches

    def took_in(self, messages: int, took_s: float) -> None:
        self.messages += messages
        self.intake_s += took_s

    def stored(self, readings: int) -> None:
        """Notes a batch."""
        self.batches[bisect_left(BATCH_BOUNDS, readings)] += 1
        self.readings += readings

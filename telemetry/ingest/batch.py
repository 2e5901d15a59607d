"""Stage 5 of 8 — batch: collects readings until the batch is full or old. Pure; the clock is passed in."""

from dataclasses import dataclass, field

from telemetry.readings import Reading, Rejected, Token


@dataclass(frozen=True, slots=True)
class Limits:
    """When a batch is due: at this many readings, or this long after its first message."""

    readings: int
    age_s: float


@dataclass(slots=True)
class Batch:
    """What will be stored in one transaction, and the tokens to acknowledge after it, in order of receipt.

    Its size is bounded by the receiver: the broker sends no more than the receive maximum unacknowledged, and
    the pipeline pauses the socket while too many readings wait.
    """

    readings: list[Reading] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    tokens: list[Token] = field(default_factory=list)
    messages: int = 0
    opened_at: float | None = None  # by a monotonic clock, seconds

    def due_in(self, now: float, limits: Limits) -> float | None:
        """Seconds until the batch is to be stored: 0 when full, None while there is nothing in it."""
        if self.opened_at is None:
            return None
        if len(self.readings) >= limits.readings or self.messages >= limits.readings:
            return 0.0
        return max(0.0, self.opened_at + limits.age_s - now)

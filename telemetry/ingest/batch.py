"""Stage 5 of 8 — batch: collects readings until the batch is full, old, or nothing more comes. Pure."""

from dataclasses import dataclass, field

from telemetry.ingest.columns import ReadingTable
from telemetry.ingest.ledger import Receipt
from telemetry.ingest.letters import Letter
from telemetry.readings import Rejected, Sample, Token

# A broker with a small window (20 by default where it ignores our receive maximum, 100 in the embedded one) sends a
# window's worth and then waits for us. Silence after so many messages means that: waiting longer gains nothing.
QUIET_MESSAGES = 20
QUIET_S = 0.005


@dataclass(frozen=True, slots=True)
class Limits:
    """When a batch is due: at this many readings, or this long after its first message."""

    readings: int
    age_s: float


@dataclass(slots=True)
class Batch:
    """What will be stored in one transaction, and the tokens to acknowledge after it.

    Its size is bounded by the intake, where messages wait while it is full; tokens of those that have waited may be out
    of order here, and are put right there. Times are seconds of a monotonic clock.
    """

    readings: ReadingTable = field(default_factory=ReadingTable)
    rejected: list[Rejected] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    unknown: list[Sample] = field(default_factory=list)  # of the rejected, for the quarantine
    receipts: list[Receipt] = field(default_factory=list)
    tokens: list[Token] = field(default_factory=list)
    messages: int = 0
    rejected_messages: int = 0  # of which a sample is rejected
    opened_at: float = 0.0
    grew_at: float = 0.0

    def grow(self, messages: int, now: float) -> None:
        """Notes that the readings, tokens and rejections of so many more messages have been added."""
        if not self.messages:
            self.opened_at = now
        self.messages += messages
        self.grew_at = now

    def due_in(self, now: float, limits: Limits) -> float | None:
        """Seconds until the batch is to be stored: 0 when it is due, None while there is nothing in it."""
        if not self.messages:
            return None
        if len(self.readings) >= limits.readings or self.messages >= limits.readings:
            return 0.0
        due_at = self.opened_at + limits.age_s
        if self.messages >= QUIET_MESSAGES:
            due_at = min(due_at, self.grew_at + QUIET_S)
        return max(0.0, due_at - now)

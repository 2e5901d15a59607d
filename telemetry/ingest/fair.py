"""Between stages 1 and 2 of 8: no source is in another's way. Pure.

What comes in goes straight into the batch while there is room. Then messages wait by source, and the next batch takes
from each in turn, so that a flood delays itself. Acknowledgements go out in the order of receipt all the same (MQTT 5,
4.6): those of messages that have overtaken others are held back.
"""

from collections import deque

from telemetry.readings import Message, Token

# What a source may put into a batch in its turn. Messages of one reading are small, those of thousands take many turns.
TURN_BYTES = 4096
MESSAGE_BYTES = 100  # what a message costs beside its payload

BURST_S = 10  # of its rate a source may send at once: what a gateway has kept while it was offline
SOURCES = 10_000  # whose rate is followed; made-up topics are sources without end


class Waiting:
    """Messages by source, in order of receipt within each."""

    def __init__(self) -> None:
        self.bytes = 0
        self._turns: deque[tuple[str, deque[Message]]] = deque()  # each source that has messages, once
        self._queues: dict[str, deque[Message]] = {}
        self._credits: dict[str, int] = {}

    def __bool__(self) -> bool:
        return bool(self._turns)

    def put(self, source: str, message: Message) -> None:
        queue = self._queues.get(source)
        if queue is None:
            queue = self._queues[source] = deque()
            self._credits[source] = TURN_BYTES
            self._turns.append((source, queue))
        queue.append(message)
        self.bytes += size_of(message)

    def take(self) -> Message:
        """The next in turn (deficit round robin, Shreedhar and Varghese 1995); there must be one."""
        while True:
            source, queue = self._turns[0]
            size = size_of(queue[0])
            if size <= self._credits[source]:
                break
            self._credits[source] += TURN_BYTES
            self._turns.rotate(-1)
        message = queue.popleft()
        self.bytes -= size
        self._credits[source] -= size
        if not queue:
            self._turns.popleft()
            del self._queues[source], self._credits[source]
        return message


def size_of(message: Message) -> int:
    return len(message.payload) + MESSAGE_BYTES


class Order:
    """Holds back tokens of messages that others have overtaken, until those of all that came before are due."""

    def __init__(self) -> None:
        self._held: deque[Token] = deque()  # in order of receipt
        self._due: set[Token] = set()

    def received(self, token: Token) -> None:
        self._held.append(token)

    def due(self, tokens: list[Token]) -> list[Token]:
        """Of those held, and of these that may be acknowledged, those that may be now, in order of receipt.

        Tokens that were never held came in order: before all that are held still.
        """
        if not self._held:
            return tokens
        held = set(self._held)
        self._due.update(held.intersection(tokens))
        now: list[Token] = []
        while self._held and self._held[0] in self._due:
            token = self._held.popleft()
            self._due.remove(token)
            now.append(token)
        return now + [token for token in tokens if token not in held]


class Rates:
    """Whether a source keeps to so many messages a second; `per_second` 0 lets all do as they like."""

    def __init__(self, per_second: int) -> None:
        self.per_second = per_second
        self._left: dict[str, tuple[float, float]] = {}  # messages that it may still send, as of a time in seconds

    def allows(self, source: str, now: float) -> bool:
        burst = float(self.per_second * BURST_S)
        left, at = self._left.get(source, (burst, now))
        left = min(burst, left + (now - at) * self.per_second)
        if len(self._left) >= SOURCES and source not in self._left:
            self._left.clear()  # all begin anew: once in a long while, a few too many are let through
        self._left[source] = (left - 1 if left >= 1 else left, now)
        return left >= 1

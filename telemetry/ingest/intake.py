"""Stages 2 to 5 of 8 in one go: messages in, batches out. No I/O; the time comes with the messages.

Messages go straight into the batch while there is room in it. When there is none (the database is slower than what
comes in), they wait as they came, by source, and the next batch takes them in turn (fair.py).
"""

from typing import cast

import structlog

from telemetry.ingest.batch import Batch
from telemetry.ingest.decode import Decoded, Plain, take_apart
from telemetry.ingest.fair import Order, Rates, Waiting
from telemetry.ingest.judge import refuse
from telemetry.ingest.letters import Quota, letters, source_of
from telemetry.ingest.resolve import Directory
from telemetry.ingest.validate import Window, validate, window
from telemetry.readings import Message, Reason, Rejected, Sample, Token

# Batches grow beyond their limit while the one before is written; beyond so many limits, messages wait.
FULL_BATCHES = 4
# Of messages that wait; then the socket pauses. Large messages would fill memory long before the receive maximum, which
# counts messages, stops the broker.
WAITING_BYTES = 32 * 1024 * 1024

NO_SENSORS: dict[str, int] = {}

log = structlog.get_logger("inqube.ingest")


class Intake:
    """What has come in and is not being stored yet."""

    def __init__(self, batch_readings: int, retention_days: int, quota: Quota, rates: Rates) -> None:
        self.directory = Directory({}, {})
        self.batch = Batch()
        self._full_at = batch_readings * FULL_BATCHES
        self._retention_days = retention_days
        self._quota = quota
        self._rates = rates
        self._waiting = Waiting()
        self._order = Order()

    @property
    def waiting_bytes(self) -> int:
        """Of messages for which there is no room in the batch yet."""
        return self._waiting.bytes

    @property
    def is_full(self) -> bool:
        """Whether as much waits as memory is meant for: no more should be read."""
        return self._waiting.bytes >= WAITING_BYTES

    def take(self, messages: list[Message], now: float) -> None:
        """The messages of one read, in order of receipt; `now` in seconds of a monotonic clock."""
        is_limited = self._rates.per_second > 0
        has_to_wait = bool(self._waiting) or self._is_batch_full()
        if is_limited or has_to_wait:  # then some overtake others
            for message in messages:
                if message.token is not None:
                    self._order.received(message.token)
        if is_limited:
            messages = [message for message in messages if self._keeps_to_its_rate(message, now)]
        if has_to_wait:
            for message in messages:
                self._waiting.put(source_of(message.topic), message)
        elif messages:
            self._add(messages, now)

    def turn(self) -> Batch:
        """Hands out the batch, and begins another."""
        batch, self.batch = self.batch, Batch()
        return batch

    def refill(self, now: float) -> None:
        """Puts messages that wait into the batch, as far as there is room."""
        while self._waiting and not self._is_batch_full():
            self._add([self._waiting.take()], now)

    def due(self, batch: Batch) -> list[Token]:
        """What may be acknowledged now that this batch is committed, in order of receipt."""
        return self._order.due(batch.tokens)

    def _is_batch_full(self) -> bool:
        return len(self.batch.readings) + len(self.batch.rejected) >= self._full_at

    def _add(self, messages: list[Message], now: float) -> None:
        batch = self.batch
        accepted = window(messages[-1].received_us, self._retention_days)
        for message in messages:
            found = _take_apart(message)
            before = len(batch.readings)
            rejected: list[Rejected] = []
            if isinstance(found, Plain) and self._extend(found, accepted):
                received = len(found.values)
            else:
                samples, rejected = (found.samples(), []) if isinstance(found, Plain) else found
                received = len(samples) + len(rejected)
                rejected += self._judge(samples, accepted)
            if rejected:
                self._reject(message, rejected)
            batch.receipts.append((source_of(message.topic), received, len(batch.readings) - before, len(rejected)))
            if message.token is not None:
                batch.tokens.append(message.token)
        batch.grow(len(messages), now)

    def _extend(self, plain: Plain, accepted: Window) -> bool:
        """Takes the values of a machine in one go, if they are all good: else they are judged one by one."""
        numbers = list(map(self.directory.machines.get(plain.machine, NO_SENSORS).get, plain.values))
        if None in numbers or not accepted.earliest_us <= plain.time_us <= accepted.latest_us:
            return False
        self.batch.readings.extend(cast(list[int], numbers), plain.time_us, list(plain.values.values()))
        return True

    def _judge(self, samples: list[Sample], accepted: Window) -> list[Rejected]:
        """Takes the samples that are readings, and says why the others are none."""
        batch = self.batch
        sensors = self.directory.sensors
        rejected = []
        for sample in samples:
            sensor = sensors.get(sample[0])
            if sensor is None:
                why = refuse(sample, self.directory, accepted)
                rejected.append(why)
                if why.reason is Reason.UNKNOWN_SENSOR:
                    batch.unknown.append(sample)
                continue
            result = validate(sample, sensor, accepted)
            if isinstance(result, Rejected):
                rejected.append(result)
            else:
                batch.readings.append(result)
        return rejected

    def _reject(self, message: Message, rejected: list[Rejected]) -> None:
        self.batch.rejected_messages += 1
        self.batch.rejected.extend(rejected)
        self.batch.letters.extend(letters(message, rejected, self._quota))

    def _keeps_to_its_rate(self, message: Message, now: float) -> bool:
        """Else the message is a dead letter at once: not decoded, which is what makes a flood cheap."""
        source = source_of(message.topic)
        if self._rates.allows(source, now):
            return True
        detail = (
            f"{source} sends more than {self._rates.per_second} messages a second: this one was not looked at. Send "
            "several readings in a message, or less often, or raise INGEST_MESSAGES_PER_SOURCE_SECOND; then replay."
        )
        self._reject(message, [Rejected(message.topic, Reason.TOO_MANY_SAMPLES, detail)])
        self.batch.receipts.append((source, 1, 0, 1))
        if message.token is not None:
            self.batch.tokens.append(message.token)
        self.batch.grow(1, now)
        return False


def _take_apart(message: Message) -> Plain | Decoded:
    try:
        return take_apart(message)
    except Exception:  # a fault of ours; without this the broker would deliver the message for ever
        log.exception("message not decoded", topic=message.topic, payload=message.payload[:200])
        return [], [Rejected(message.topic, Reason.INVALID_JSON, "InQube failed: see its log.")]

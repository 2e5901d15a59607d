"""The shapes on a reading's way: Message → Sample → Reading, or Rejected. Tuples, no ORM.

Their times and qualities are told as in plants/scales.py.
"""

import re
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

ADDRESS = re.compile("/".join(["[a-z0-9][a-z0-9_-]{0,62}"] * 4))  # of a sensor: its slugs from the plant down


class Token(NamedTuple):
    """What acknowledges a message: its packet id, valid only on the connection that delivered it."""

    epoch: int
    packet_id: int


class Message(NamedTuple):
    """What arrives from the broker. `token` is None where the broker wants no acknowledgement (QoS 0)."""

    topic: str
    payload: bytes
    received_us: int
    token: Token | None
    is_repeated: bool = False  # the broker says that it delivered it before (MQTT's DUP)
    is_retained: bool = False  # it was published before we subscribed


# The two shapes that exist once a reading are bare tuples: building a named one costs five times as much, and two of
# them a reading were a third of all the CPU that ingest used. They are taken apart where they are used.

# One decoded value, not yet known to belong to a sensor: (address, time in µs, value or label, quality).
# The address is `plant/zone/machine/sensor`.
Sample = tuple[str, int, float | str, int]

# A validated sample of a known sensor, one row: (Sensor.number, time in µs, value, quality).
Reading = tuple[int, int, float, int]


class KnownSensor(NamedTuple):
    """What ingest needs to know of a sensor. `labels` maps a state's label to its number; else empty."""

    number: int
    plant_id: UUID
    is_active: bool
    labels: dict[str, float]


class Reason(StrEnum):
    """Why something could not be stored; the names are part of the interface (dead letters, metrics, HTTP)."""

    INVALID_JSON = "invalid_json"
    INVALID_TOPIC = "invalid_topic"
    TOO_LARGE = "too_large"
    TOO_MANY_SAMPLES = "too_many_samples"
    TOO_DEEP = "too_deep"
    NOT_A_NUMBER = "not_a_number"
    NOT_FINITE = "not_finite"
    INTEGER_TOO_LARGE = "integer_too_large"
    UNKNOWN_STATE = "unknown_state"
    BAD_QUALITY = "bad_quality"
    BAD_TIMESTAMP = "bad_timestamp"
    TIMESTAMP_OUT_OF_RANGE = "timestamp_out_of_range"
    UNKNOWN_PLANT = "unknown_plant"
    UNKNOWN_SENSOR = "unknown_sensor"
    SENSOR_INACTIVE = "sensor_inactive"
    DATABASE_REJECTED = "database_rejected"


class Rejected(NamedTuple):
    """A message or sample that cannot become a reading: where it came from, why, and how to mend it."""

    source: str  # the topic, or the address where the sample has one
    reason: Reason
    detail: str

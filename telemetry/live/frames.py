"""The socket's contract: what the server says, and what it understands of what a client says."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

import orjson

SUBPROTOCOL = "inqube.v1"

MIN_HZ = 0.01
MAX_HZ = 10.0
DEFAULT_HZ = 2.0
LARGEST_EVENT = 2**63 - 1  # PostgreSQL's bigint
LONGEST_SLUG = 63  # of a plant: an answer repeats it, so its length must have an end

# Close codes; those of 4000 and up are ours
SERVER_FAILED = 1011
UNAUTHENTICATED = 4401
TOO_SLOW = 4408
PROTOCOL_VIOLATED = 4409
TOO_MANY_SOCKETS = 4429

ErrorCode = Literal["not_found", "invalid", "too_many"]
Row = Annotated[list[Any], "[sensor number, milliseconds since 1970 UTC, value, quality]"]


class Invalid(ValueError):  # noqa: N818 - an answer to the client, not a fault
    """A client's message that cannot be understood; the text tells the client why."""


class Violation(Exception):  # noqa: N818 - as above
    """What no program in its right mind sends; the socket ends, and the text tells the client why."""


class Resume(NamedTuple):
    """The last frame that a client has seen, and the last event of alarms, if it knows of one."""

    epoch: str
    seq: int
    alarm: int | None = None


class Subscribe(NamedTuple):
    plant: str
    sensors: frozenset[int] | None  # None: all of the plant
    max_hz: float
    resume: Resume | None = None


class Unsubscribe(NamedTuple):
    plant: str


class Ack(NamedTuple):
    plant: str
    seq: int


class Auth(NamedTuple):
    access_token: str


class Ping(NamedTuple):
    pass


Message = Subscribe | Unsubscribe | Ack | Auth | Ping


def parse(text: str | bytes) -> Message:
    """A client's message. Raises Invalid, in words, for anything else."""
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Invalid("The message is not JSON.") from None
    match message:
        case {"plant": str(plant)} if len(plant) > LONGEST_SLUG:
            raise Invalid(f"A plant's slug has at most {LONGEST_SLUG} characters.")
        case {"type": "subscribe", "plant": str(plant)}:
            sensors, max_hz = _sensors(message.get("sensors")), _hertz(message.get("max_hz"))
            return Subscribe(plant, sensors, max_hz, _resume(message.get("resume")))
        case {"type": "unsubscribe", "plant": str(plant)}:
            return Unsubscribe(plant)
        case {"type": "ack", "plant": str(plant), "seq": int(seq)} if type(seq) is int:  # to Python, true is one too
            return Ack(plant, seq)
        case {"type": "auth", "access_token": str(access_token)}:
            return Auth(access_token)
        case {"type": "ping"}:
            return Ping()
    raise Invalid("Unknown message. Known types: subscribe, unsubscribe, ack, auth, ping, each with its fields.")


def _sensors(given: Any) -> frozenset[int] | None:
    if given is None:
        return None
    if not isinstance(given, list) or not all(type(number) is int for number in given):
        raise Invalid("sensors must be a list of sensor numbers, or null for all.")
    return frozenset(given)


def _hertz(given: Any) -> float:
    if given is None:
        return DEFAULT_HZ
    if type(given) not in (int, float) or not MIN_HZ <= given <= MAX_HZ:
        raise Invalid(f"max_hz must be {MIN_HZ:g} to {MAX_HZ:g}.")
    return float(given)


def _resume(given: Any) -> Resume | None:
    match given:
        case None:
            return None
        case {"epoch": str(epoch), "seq": int(seq)} if type(seq) is int:
            alarm = given.get("alarm")
            if alarm is None or (type(alarm) is int and 0 <= alarm <= LARGEST_EVENT):
                return Resume(epoch, seq, alarm)
            raise Invalid("resume.alarm must be the number of the last event of an alarm.")
    raise Invalid("resume must have the epoch and seq of the last frame, or be null for a snapshot.")


def ready(expires_at: datetime) -> bytes:
    return orjson.dumps({"type": "ready", "expires_at": expires_at})


def snapshot(plant: str, epoch: str, seq: int, rows: Iterable[Row], alarm: int) -> bytes:
    """`alarm`: the number of the last event of alarms that the client needs not be told."""
    head = {"type": "snapshot", "plant": plant, "epoch": epoch, "seq": seq, "alarm": alarm}
    return orjson.dumps(head | {"readings": list(rows)})


def delta(plant: str, seq: int, rows: Iterable[Row], epoch: str | None = None) -> bytes:
    """`epoch` where it is not the one of the client's last frame."""
    new = {} if epoch is None else {"epoch": epoch}
    return orjson.dumps({"type": "delta", "plant": plant, **new, "seq": seq, "readings": list(rows)})


def alarm(plant: str, event: Mapping[str, Any], alarm: Mapping[str, Any]) -> bytes:
    """What has happened to an alarm, as `/alarms/{id}/events` gives it, and the alarm, as `/alarms/{id}`."""
    return orjson.dumps({"type": "alarm", "plant": plant, "event": dict(event), "alarm": dict(alarm)})


def auth_expiring(expires_at: datetime) -> bytes:
    return orjson.dumps({"type": "auth_expiring", "expires_at": expires_at})


def error(code: ErrorCode, detail: str, plant: str | None = None) -> bytes:
    """`plant` where the error ends, or does not begin, what the client hears of this plant alone."""
    about = {} if plant is None else {"plant": plant}
    return orjson.dumps({"type": "error", "code": code, "detail": detail, **about})


def not_found(plant: str) -> bytes:
    """The same for a plant that does not exist and one that this client may not see."""
    return error("not_found", f"There is no plant “{plant}”.", plant)


PONG = orjson.dumps({"type": "pong"})


# --- Between ingest and the hubs, through the channel layer ---------------------------------------------------


class Frame(NamedTuple):
    """The newest reading of each sensor of a plant that changed within one tick of ingest, or by one request."""

    plant_id: UUID
    epoch: str  # of the publishing process: with a new one, sequence numbers begin again
    seq: int
    rows: list[Row]
    leads: bool = True  # comes from ingest, as clients count; False: of a request to HTTP


def group(plant_id: UUID) -> str:
    """The channel layer's group for a plant's frames."""
    return f"live.{plant_id.hex}"


def to_layer(frame: Frame) -> dict[str, Any]:
    return {
        "type": "live.frame",
        "plant": frame.plant_id.hex,
        "epoch": frame.epoch,
        "seq": frame.seq,
        "leads": frame.leads,
        "rows": orjson.dumps(frame.rows),
    }


def from_layer(message: dict[str, Any]) -> Frame:
    return Frame(
        UUID(message["plant"]), message["epoch"], message["seq"], orjson.loads(message["rows"]), message["leads"]
    )

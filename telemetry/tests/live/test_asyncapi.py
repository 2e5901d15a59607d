"""docs/asyncapi.yaml says of the socket what the code does."""

import inspect
import json
import re
from datetime import UTC, datetime
from typing import Any, get_args
from uuid import UUID

import pytest

from accounts.channels import BEARER_SUBPROTOCOL
from accounts.models import User
from inqube.closing import SERVER_RESTARTS
from plants.models import Plant
from telemetry.live import consumers, frames, hub
from telemetry.tests.asyncapi import document, examples, message_names, validator
from telemetry.tests.live.sockets import PATH, Open, subscribe

CHANNEL = document()["channels"]["liveFeed"]
MOMENT = datetime(2026, 11, 29, 12, 30, tzinfo=UTC)
ROWS: list[frames.Row] = [[17, 1733904005123, 23.4, 192], [18, 1733904005000, 1480, 0]]

# Every way in which the code makes a frame.
MADE = [
    frames.ready(MOMENT),
    frames.snapshot("kandy", "", 0, [], 0),
    frames.snapshot("kandy", "9f86d081884c7d65", 40, ROWS, 512),
    frames.alarm(
        "kandy",
        {"id": 513, "kind": "raised", "state": "raised", "time": "2026-11-29T12:29:41.200000Z"},
        {"id": str(UUID(int=1)), "title": "Roller 2: too hot", "severity": "high", "state": "raised"},
    ),
    frames.delta("kandy", 42, ROWS),
    frames.delta("kandy", 42, [], epoch="9f86d081884c7d65"),
    frames.auth_expiring(MOMENT),
    frames.error("invalid", "max_hz must be 0.01 to 10."),
    frames.error("too_many", "A socket follows at most 500 plants.", "kandy"),
    frames.not_found("atlantis"),
    frames.PONG,
]

CLIENTS = sorted(message_names("hearClient"))
RIGHT: list[dict[str, Any]] = [
    {"type": "subscribe", "plant": "kandy"},
    {"type": "subscribe", "plant": "k" * 63, "sensors": [], "max_hz": 0.01, "resume": None, "more": 1},
    {"type": "subscribe", "plant": "kandy", "sensors": [1, 2], "max_hz": 10, "resume": {"epoch": "", "seq": 0}},
    {"type": "subscribe", "plant": "kandy", "sensors": None, "max_hz": None},
    {"type": "subscribe", "plant": "kandy", "resume": {"epoch": "", "seq": 0, "alarm": None}},
    {"type": "subscribe", "plant": "kandy", "resume": {"epoch": "", "seq": 0, "alarm": 0}},
    {"type": "unsubscribe", "plant": ""},
    {"type": "ack", "plant": "kandy", "seq": -1},
    {"type": "auth", "access_token": ""},
    {"type": "ping", "more": None},
]
WRONG: list[Any] = [
    None,
    7,
    [],
    {},
    {"type": None},
    {"type": "dance"},
    {"type": "subscribe"},
    {"type": "subscribe", "plant": None},
    {"type": "subscribe", "plant": "k" * 64},
    {"type": "subscribe", "plant": "kandy", "sensors": "all"},
    {"type": "subscribe", "plant": "kandy", "sensors": [1.5]},
    {"type": "subscribe", "plant": "kandy", "sensors": [True]},
    {"type": "subscribe", "plant": "kandy", "max_hz": 0.009},
    {"type": "subscribe", "plant": "kandy", "max_hz": 10.1},
    {"type": "subscribe", "plant": "kandy", "max_hz": "2"},
    {"type": "subscribe", "plant": "kandy", "max_hz": True},
    {"type": "subscribe", "plant": "kandy", "resume": []},
    {"type": "subscribe", "plant": "kandy", "resume": {"seq": 41}},
    {"type": "subscribe", "plant": "kandy", "resume": {"epoch": "e", "seq": 1.5}},
    {"type": "subscribe", "plant": "kandy", "resume": {"epoch": "e", "seq": True}},
    {"type": "subscribe", "plant": "kandy", "resume": {"epoch": "e", "seq": 1, "alarm": -1}},
    {"type": "subscribe", "plant": "kandy", "resume": {"epoch": "e", "seq": 1, "alarm": True}},
    {"type": "unsubscribe"},
    {"type": "unsubscribe", "plant": 7},
    {"type": "ack", "plant": "kandy"},
    {"type": "ack", "seq": 41},
    {"type": "ack", "plant": "kandy", "seq": "41"},
    {"type": "ack", "plant": "kandy", "seq": True},
    {"type": "auth"},
    {"type": "auth", "access_token": 7},
]


@pytest.mark.parametrize("frame", MADE)
def test_it_describes_every_frame_that_the_code_makes(frame: bytes) -> None:
    made = json.loads(frame)
    assert made["type"] in message_names("tellClient")
    validator(made["type"]).validate(made)


def test_it_describes_no_frame_that_the_code_does_not_make() -> None:
    in_code = set(re.findall(r'[(=] ?\{"type": "(\w+)"', inspect.getsource(frames)))
    assert {json.loads(frame)["type"] for frame in MADE} == message_names("tellClient") == in_code


@pytest.mark.parametrize("message", [*RIGHT, *(example for name in CLIENTS for example in examples(name))])
def test_it_describes_what_is_understood(message: dict[str, Any]) -> None:
    validator(message["type"]).validate(message)
    assert type(frames.parse(json.dumps(message))).__name__ == message["type"].title()


@pytest.mark.parametrize("message", WRONG)
def test_it_refuses_what_is_invalid(message: Any) -> None:
    assert not any(validator(name).is_valid(message) for name in CLIENTS)
    with pytest.raises(frames.Invalid):
        frames.parse(json.dumps(message))


def test_it_describes_all_that_clients_may_say() -> None:
    assert {kind.__name__.lower() for kind in get_args(frames.Message)} == set(CLIENTS)


def test_it_names_the_limits_of_the_code() -> None:
    assert CHANNEL["x-limits"] == {
        "messageBytes": consumers.MAX_MESSAGE_BYTES,
        "messagesAtOnce": consumers.ANSWERS_AT_ONCE,
        "messagesPerSecond": consumers.ANSWERS_A_SECOND,
        "plants": consumers.MAX_PLANTS,
        "sockets": consumers.MAX_SOCKETS,
        "silentSeconds": consumers.SILENT_AFTER_S,
        "unacknowledgedFrames": hub.MAX_UNACKNOWLEDGED,
        "expiringSeconds": consumers.EXPIRING_BEFORE.total_seconds(),
    }
    fields = document()["components"]["messages"]["subscribe"]["payload"]["properties"]
    hertz = fields["max_hz"]
    assert (hertz["minimum"], hertz["maximum"], hertz["default"]) == (frames.MIN_HZ, frames.MAX_HZ, frames.DEFAULT_HZ)
    assert document()["components"]["schemas"]["Plant"]["maxLength"] == frames.LONGEST_SLUG


def test_it_names_the_codes_of_the_code() -> None:
    closes = {frames.SERVER_FAILED, frames.UNAUTHENTICATED, frames.TOO_SLOW, frames.PROTOCOL_VIOLATED}
    assert set(CHANNEL["x-close-codes"]) == closes | {frames.TOO_MANY_SOCKETS, SERVER_RESTARTS}
    codes = document()["components"]["messages"]["error"]["payload"]["properties"]["code"]["enum"]
    assert set(codes) == set(get_args(frames.ErrorCode))


def test_it_names_the_path_and_subprotocols_of_the_code() -> None:
    assert CHANNEL["address"] == PATH
    assert CHANNEL["x-subprotocols"] == {"echoed": frames.SUBPROTOCOL, "bearer": BEARER_SUBPROTOCOL}


@pytest.mark.django_db(transaction=True)
async def test_it_describes_what_a_real_socket_says(connect: Open, vera: User, kandy: Plant) -> None:
    socket = await connect(bearer=vera)
    validator("snapshot").validate(await subscribe(socket))
    for said, answer in ({"type": "ping"}, "pong"), ({"type": "dance"}, "error"):
        await socket.say(**said)
        validator(answer).validate(await socket.hear())

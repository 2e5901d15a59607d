"""What a client may send: the socket of one that sends more ends, before it costs the others."""

from typing import Any

import pytest

from accounts.models import User
from plants.models import Plant
from telemetry.live import frames
from telemetry.live.consumers import MAX_MESSAGE_BYTES
from telemetry.live.guard import get_guard
from telemetry.tests.live.sockets import Open, subscribe

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("kind", ["text_data", "bytes_data"])
async def test_it_ends_at_a_message_that_is_too_long(connect: Open, vera: User, kind: str) -> None:
    socket = await connect(bearer=vera)
    await socket.hear()
    text = "é" * (MAX_MESSAGE_BYTES // 2 + 1)  # fewer characters than bytes
    await socket.send_to(**{kind: text.encode() if kind == "bytes_data" else text})
    assert await socket.hear() == {
        "type": "error",
        "code": "too_many",
        "detail": "A message may have 65,536 bytes at most.",
    }
    assert await socket.hear_close() == frames.PROTOCOL_VIOLATED
    assert not get_guard()._sockets


async def test_it_takes_a_subscription_to_thousands_of_sensors(connect: Open, vera: User) -> None:
    socket = await connect(bearer=vera)
    await socket.hear()
    await socket.say(type="subscribe", plant="kandy", sensors=list(range(10_000, 18_000)))
    assert (await socket.hear())["type"] == "snapshot"


@pytest.mark.parametrize("message", [{"type": "ping"}, {"type": "nonsense"}])
async def test_it_ends_when_too_many_answers_are_asked_for(
    connect: Open, vera: User, monkeypatch: pytest.MonkeyPatch, message: dict[str, Any]
) -> None:
    monkeypatch.setattr("telemetry.live.consumers.ANSWERS_AT_ONCE", 3)
    monkeypatch.setattr("telemetry.live.consumers.ANSWERS_A_SECOND", 0.001)
    socket = await connect(bearer=vera)
    await socket.hear()
    for _ in range(4):
        await socket.say(**message)
    heard = [await socket.hear() for _ in range(4)]
    assert heard[-1]["code"] == "too_many"
    assert "too_many" not in str(heard[:-1])
    assert await socket.hear_close() == frames.PROTOCOL_VIOLATED


async def test_it_counts_no_acknowledgements(connect: Open, vera: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.live.consumers.ANSWERS_AT_ONCE", 1)
    monkeypatch.setattr("telemetry.live.consumers.ANSWERS_A_SECOND", 0.001)
    socket = await connect(bearer=vera)
    await socket.hear()
    for seq in range(5):
        await socket.say(type="ack", plant="kandy", seq=seq)
    await socket.say(type="ping")
    assert await socket.hear() == {"type": "pong"}


async def test_it_understands_nothing_after_it_has_ended_itself(
    connect: Open, vera: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telemetry.live.consumers.SILENT_AFTER_S", 0.5)
    socket = await connect(bearer=vera)
    await socket.hear()
    assert await socket.hear_close() == frames.TOO_SLOW
    await socket.say(type="subscribe", plant="kandy")
    assert await socket.receive_nothing(0.5)


async def test_it_repeats_no_slug_that_is_too_long_for_one(connect: Open, vera: User) -> None:
    socket = await connect(bearer=vera)
    await socket.hear()
    await socket.say(type="subscribe", plant="x" * 60_000)
    heard = await socket.hear()
    assert (heard["code"], "plant" in heard) == ("invalid", False)


@pytest.mark.parametrize("leaves_first", [False, True])
async def test_it_sends_no_third_snapshot_before_one_is_acknowledged(
    connect: Open, vera: User, kandy: Plant, monkeypatch: pytest.MonkeyPatch, leaves_first: bool
) -> None:
    monkeypatch.setattr("telemetry.live.hub.SNAPSHOT_EVERY_S", 0.0)
    socket = await connect(bearer=vera)
    await subscribe(socket, max_hz=10)
    for heard in (True, False):
        if leaves_first:
            await socket.say(type="unsubscribe", plant="kandy")
        await socket.say(type="subscribe", plant="kandy", max_hz=10)
        if heard:
            last = await socket.hear()
    assert await socket.receive_nothing(0.5)
    await socket.say(type="ack", plant="kandy", seq=last["seq"])
    assert (await socket.hear())["type"] == "snapshot"


async def test_it_gives_a_person_so_many_sockets_and_others_theirs(
    connect: Open, vera: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telemetry.live.consumers.MAX_SOCKETS", 2)
    first, _ = [await connect(bearer=vera) for _ in range(2)]
    refused = await connect(bearer=vera)
    assert await refused.hear() == {
        "type": "error",
        "code": "too_many",
        "detail": "A person has at most 2 sockets.",
    }
    assert await refused.hear_close() == frames.TOO_MANY_SOCKETS
    assert (await (await connect(bearer=bob)).hear())["type"] == "ready"
    await first.disconnect()
    assert (await (await connect(bearer=vera)).hear())["type"] == "ready"

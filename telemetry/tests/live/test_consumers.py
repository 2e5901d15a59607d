"""The socket: who may open it, and what comes on it."""

from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.utils.timezone import now

from accounts.models import User
from plants.models import Plant, Sensor
from telemetry.live import frames
from telemetry.live.consumers import TelemetryConsumer
from telemetry.live.hub import get_hub
from telemetry.live.publish import LivePublisher
from telemetry.live.track import SPAN
from telemetry.tests.live.sockets import Open, session_headers, subscribe, token_of
from telemetry.tests.samples import TEMP, ms, store_series, us

pytestmark = pytest.mark.django_db(transaction=True)


async def test_it_sends_a_snapshot_then_deltas(connect: Open, vera: User, kandy: Plant) -> None:
    time = now() - timedelta(seconds=10)
    sensor = await sync_to_async(store_series)(TEMP, [(time, 23.4)])
    socket = await connect(bearer=vera)
    snapshot = await subscribe(socket, max_hz=10)
    assert snapshot == {
        "type": "snapshot",
        "plant": "kandy",
        "epoch": snapshot["epoch"],
        "seq": snapshot["seq"],
        "alarm": 0,
        "readings": [[sensor.number, ms(time), 23.4, 192]],
    }

    publisher = LivePublisher()
    publisher.offer([(sensor.number, us(time) + 1_000_000, 24.0, 192)], {sensor.number: kandy.pk})
    await publisher.flush()
    assert await socket.hear() == {
        "type": "delta",
        "plant": "kandy",
        "epoch": publisher.epoch,
        "seq": SPAN,
        "readings": [[sensor.number, ms(time) + 1000, 24.0, 192]],
    }


async def test_it_sends_only_the_sensors_asked_for(connect: Open, vera: User, kandy: Plant) -> None:
    time = now()
    temp = await sync_to_async(store_series)(TEMP, [(time, 1.0)])
    rpm = await sync_to_async(store_series)("kandy/rolling/roller-2/rpm", [(time, 2.0)])
    socket = await connect(bearer=vera)
    snapshot = await subscribe(socket, sensors=[rpm.number], max_hz=10)
    assert [row[0] for row in snapshot["readings"]] == [rpm.number]
    publisher = LivePublisher()
    plants = {temp.number: kandy.pk, rpm.number: kandy.pk}
    publisher.offer([(temp.number, us(time) + 1, 3.0, 192), (rpm.number, us(time) + 1, 4.0, 192)], plants)
    await publisher.flush()
    assert [row[0] for row in (await socket.hear())["readings"]] == [rpm.number]


async def test_it_merges_while_nothing_is_acknowledged(connect: Open, vera: User, kandy: Plant) -> None:
    sensor = await Sensor.objects.aget(slug="temp")
    socket = await connect(bearer=vera)
    await subscribe(socket, max_hz=10)  # the snapshot is the first frame without acknowledgement
    publisher = LivePublisher()

    async def publish(value: float) -> None:
        publisher.offer([(sensor.number, us(now()), value, 192)], {sensor.number: kandy.pk})
        await publisher.flush()

    await publish(1.0)
    assert (await socket.hear())["readings"][0][2] == 1.0
    for value in (2.0, 3.0, 4.0):
        await publish(value)
    assert await socket.receive_nothing(0.5)
    await socket.say(type="ack", plant="kandy", seq=SPAN)
    delta = await socket.hear()
    assert (delta["seq"], delta["readings"][0][2]) == (4 * SPAN, 4.0)


async def test_it_stops_after_unsubscribe(connect: Open, vera: User, kandy: Plant) -> None:
    sensor = await Sensor.objects.aget(slug="temp")
    socket = await connect(bearer=vera)
    await subscribe(socket, max_hz=10)
    await socket.say(type="unsubscribe", plant="kandy")
    await socket.say(type="ping")
    assert await socket.hear() == {"type": "pong"}
    publisher = LivePublisher()
    publisher.offer([(sensor.number, us(now()), 1.0, 192)], {sensor.number: kandy.pk})
    await publisher.flush()
    assert await socket.receive_nothing(0.5)


@pytest.mark.parametrize("plant", ["rotterdam", "atlantis", ""])
async def test_it_knows_no_foreign_or_unknown_plant(connect: Open, vera: User, rotterdam: Plant, plant: str) -> None:
    socket = await connect(bearer=vera)
    await socket.hear()
    await socket.say(type="subscribe", plant=plant)
    assert await socket.hear() == {
        "type": "error",
        "code": "not_found",
        "detail": f"There is no plant “{plant}”.",
        "plant": plant,
    }


async def test_it_answers_nonsense_with_an_error_and_stays_open(connect: Open, vera: User) -> None:
    socket = await connect(bearer=vera)
    await socket.hear()
    await socket.send_to(text_data="nonsense")
    assert (await socket.hear())["code"] == "invalid"
    await socket.send_to(bytes_data=b"\xff")
    assert (await socket.hear())["code"] == "invalid"
    await socket.say(type="ping")
    assert await socket.hear() == {"type": "pong"}


async def test_it_takes_a_bearer_header_in_either_case(connect: Open, vera: User) -> None:
    for scheme in ("Bearer", "bearer"):
        socket = await connect(authorization=f"{scheme} {await token_of(vera)}")
        assert (await socket.hear())["type"] == "ready"


async def test_it_takes_a_session_from_its_own_pages_only(connect: Open, vera: User) -> None:
    _, headers = await session_headers(vera)
    cookie = headers["cookie"]
    own = await connect(**headers)
    assert (await own.hear())["type"] == "ready"
    foreign = await connect(cookie=cookie, origin="http://evil.example")
    assert await foreign.hear_close() == frames.UNAUTHENTICATED
    script = await connect(cookie=cookie)  # without an Origin the cookie alone is not enough
    assert await script.hear_close() == frames.UNAUTHENTICATED


async def test_it_takes_a_token_but_no_session_from_pages_that_cors_lists(
    connect: Open, vera: User, settings: Any
) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://dashboards.example.org"]
    listed = await connect(bearer=vera, origin="https://dashboards.example.org")
    assert (await listed.hear())["type"] == "ready"
    foreign = await connect(bearer=vera, origin="http://evil.example")
    assert await foreign.hear_close() == frames.UNAUTHENTICATED
    _, headers = await session_headers(vera)
    by_cookie = await connect(**{**headers, "origin": "https://dashboards.example.org"})
    assert await by_cookie.hear_close() == frames.UNAUTHENTICATED


async def test_it_closes_without_valid_authentication(connect: Open, vera: User) -> None:
    assert await (await connect()).hear_close() == frames.UNAUTHENTICATED
    assert await (await connect(bearer="broken")).hear_close() == frames.UNAUTHENTICATED
    token = await token_of(vera)
    await User.objects.filter(pk=vera.pk).aupdate(token_version=vera.token_version + 1)
    assert await (await connect(bearer=token)).hear_close() == frames.UNAUTHENTICATED


async def test_it_takes_a_new_token_of_the_same_user_only(connect: Open, vera: User, charlie: User) -> None:
    socket = await connect(bearer=vera)
    await socket.hear()
    await socket.say(type="auth", access_token=await token_of(vera))
    assert (await socket.hear())["type"] == "ready"
    await socket.say(type="auth", access_token=await token_of(charlie))
    assert await socket.hear_close() == frames.UNAUTHENTICATED


async def test_it_warns_and_then_closes_when_a_token_expires(
    connect: Open, vera: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = now()
    monkeypatch.setattr(TelemetryConsumer, "_now", staticmethod(lambda: clock))
    socket = await connect(bearer=vera)
    await socket.hear()
    clock += timedelta(minutes=settings.ACCESS_TOKEN_MINUTES, seconds=-30)
    assert (await socket.hear())["type"] == "auth_expiring"
    clock += timedelta(minutes=1)
    assert await socket.hear_close() == frames.UNAUTHENTICATED


async def test_it_closes_a_silent_client(connect: Open, vera: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.live.consumers.SILENT_AFTER_S", 0.5)
    socket = await connect(bearer=vera)
    await socket.hear()
    assert await socket.hear_close() == frames.TOO_SLOW


async def test_it_sends_a_snapshot_where_frames_were_lost_or_ingest_began_anew(
    connect: Open, vera: User, kandy: Plant
) -> None:
    sensor = await Sensor.objects.aget(slug="temp")
    socket = await connect(bearer=vera)
    await subscribe(socket, max_hz=10)

    async def publish(publisher: LivePublisher) -> str:
        publisher.offer([(sensor.number, us(now()), 1.0, 192)], {sensor.number: kandy.pk})
        await publisher.flush()
        heard = await socket.hear()
        await socket.say(type="ack", plant="kandy", seq=heard["seq"])
        return str(heard["type"])

    publisher = LivePublisher()
    assert [await publish(publisher), await publish(publisher)] == ["delta", "delta"]
    publisher._seq[kandy.pk] += 1  # as if a frame had got lost on the way
    assert await publish(publisher) == "snapshot"
    assert await publish(publisher) == "delta"
    assert await publish(LivePublisher()) == "snapshot"


async def test_it_hears_that_the_feed_lives_while_nothing_is_new(connect: Open, vera: User, kandy: Plant) -> None:
    socket = await connect(bearer=vera)
    snapshot = await subscribe(socket, max_hz=10)
    await socket.say(type="ack", plant="kandy", seq=snapshot["seq"])
    publisher = LivePublisher()
    publisher.follow([kandy.pk])
    await publisher.flush()
    heard = {"type": "delta", "plant": "kandy", "epoch": publisher.epoch, "seq": SPAN, "readings": []}
    assert await socket.hear() == heard


async def test_it_knows_no_plant_that_the_database_could_not_even_look_up(connect: Open, vera: User) -> None:
    socket = await connect(bearer=vera)
    await socket.hear()
    await socket.say(type="subscribe", plant="kandy\x00")
    assert (await socket.hear())["code"] == "not_found"


async def test_it_leaves_nothing_behind_when_it_fails(
    connect: Open, vera: User, kandy: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = await connect(bearer=vera)
    await subscribe(socket)
    assert len(get_hub()._subscriptions[kandy.pk]) == 1

    async def fail(*_: object) -> None:
        raise ConnectionError("the channel layer is away")

    monkeypatch.setattr(get_hub(), "join", fail)
    await socket.say(type="subscribe", plant="kandy")
    assert await socket.hear_close() == frames.SERVER_FAILED
    assert kandy.pk not in get_hub()._subscriptions

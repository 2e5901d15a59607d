"""Who follows a plant hears of each thing that happens to its alarms: once, in order, also after a reconnection."""

from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from alarms.models import Actor, Alarm, AlarmEvent, Source
from alarms.tests.alarms import make_alarm
from plants.models import Plant, Sensor
from telemetry.live import alarm_feed, tail
from telemetry.live.alarm_feed import APPLICATION_NAME
from telemetry.live.hub import MAX_UNACKNOWLEDGED, Subscription
from telemetry.live.tail import Tail, Told
from telemetry.maintenance import connect as connect_database
from telemetry.tests.live.sockets import Open, Socket, subscribe

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alarm(kandy: Plant) -> Alarm:
    return make_alarm(Sensor.objects.get(slug="temp"))


@sync_to_async
def comment(alarm: Alarm, by: User, *notes: str) -> None:
    for note in notes:
        alarm.comment(Actor(by, Source.API), note)


async def hear_alarms(socket: Socket, count: int) -> list[dict[str, Any]]:
    """The next alarm frames, whatever other frames come between."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        frame = await socket.hear()
        if frame["type"] == "alarm":
            found.append(frame)
        elif "seq" in frame:
            await socket.say(type="ack", plant="kandy", seq=frame["seq"])
    return found


def notes(heard: list[dict[str, Any]]) -> list[str]:
    return [frame["event"]["note"] for frame in heard]


async def test_it_tells_each_event_in_order(connect: Open, vera: User, bob: User, alarm: Alarm) -> None:
    socket = await connect(bearer=vera)
    await subscribe(socket, sensors=[])
    await comment(alarm, bob, *map(str, range(20)))
    heard = await hear_alarms(socket, 20)
    assert notes(heard) == [str(number) for number in range(20)]
    assert heard[0]["alarm"]["title"] == "Roller 2: temperature high"
    assert heard[0]["event"]["actor"] == "Bob"
    assert heard[0]["plant"] == "kandy"


async def test_it_tells_what_was_missed_after_a_reconnection(
    connect: Open, vera: User, bob: User, alarm: Alarm
) -> None:
    first = await connect(bearer=vera)
    snapshot = await subscribe(first)
    await first.disconnect()
    await comment(alarm, bob, "one", "two")
    again = await connect(bearer=vera)
    await again.hear()
    resume = {"epoch": "unknown", "seq": 0, "alarm": snapshot["alarm"]}
    await again.say(type="subscribe", plant="kandy", resume=resume)
    heard = await hear_alarms(again, 2)
    assert notes(heard) == ["one", "two"]
    frame = await again.hear()
    assert (frame["type"], frame["alarm"]) == ("snapshot", heard[-1]["event"]["id"])


async def test_it_begins_anew_where_more_was_missed_than_is_told(
    connect: Open, vera: User, bob: User, alarm: Alarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alarm_feed, "RESUMABLE", 1)
    await comment(alarm, bob, "one", "two", "three")
    socket = await connect(bearer=vera)
    frame = await subscribe(socket, resume={"epoch": "unknown", "seq": 0, "alarm": 0})
    last = await AlarmEvent.objects.alast()
    assert last is not None
    assert (frame["type"], frame["alarm"]) == ("snapshot", last.pk)


async def test_it_tells_nothing_of_plants_that_are_not_followed(
    connect: Open, charlie: User, bob: User, alarm: Alarm, rotterdam: Plant
) -> None:
    socket = await connect(bearer=charlie)
    await socket.hear()
    await socket.say(type="subscribe", plant="rotterdam")
    assert (await socket.hear())["type"] == "snapshot"
    await comment(alarm, bob, "secret")
    await socket.say(type="ping")
    assert (await socket.hear())["type"] == "pong"
    assert await socket.receive_nothing(0.5)


async def test_it_goes_on_after_the_database_ended_its_connection(
    connect: Open, vera: User, bob: User, alarm: Alarm
) -> None:
    socket = await connect(bearer=vera)
    await subscribe(socket)
    await sync_to_async(end_listeners)()
    await comment(alarm, bob, "after")
    assert notes(await hear_alarms(socket, 1)) == ["after"]


def end_listeners() -> None:
    with connect_database() as other:
        ended = other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = %s AND datname = current_database()",
            [APPLICATION_NAME],
        )
        assert ended.fetchall()


def subscription(last: int) -> Subscription:
    made = Subscription(UUID(int=1), "kandy", None, max_hz=2, wake=lambda: None)
    made.follow_alarms(Tail(last), None)
    return made


def test_it_tells_nothing_to_a_client_that_does_not_acknowledge() -> None:
    client = subscription(7)
    client.alarms.add([Told(8, "{}")], 8)
    assert client.has_alarms
    client.pace.unacknowledged = list(range(MAX_UNACKNOWLEDGED))
    assert not client.has_alarms


def test_it_keeps_so_many_events_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "RESUMABLE", 2)
    kept = Tail(0)
    kept.add([Told(number, "") for number in (1, 2, 3)], 3)
    assert kept.since(0) is None
    assert [told.number for told in kept.since(1) or []] == [2, 3]
    assert kept.since(3) == []

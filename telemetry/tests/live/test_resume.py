"""A client that comes back gets what it missed, from any web process that knows; else a snapshot."""

import asyncio
from typing import Any

import pytest
from django.utils.timezone import now

from accounts.models import User
from plants.models import Plant, Sensor
from telemetry.live.hub import get_hub
from telemetry.live.publish import LivePublisher
from telemetry.live.track import Track
from telemetry.tests.live.sockets import Open, Socket, subscribe
from telemetry.tests.samples import us

pytestmark = pytest.mark.django_db(transaction=True)


class Feed:
    """Publishes the temperature of kandy, from ingest and from requests."""

    def __init__(self, plant: Plant, sensor: int) -> None:
        self.plant, self.sensor = plant, sensor
        self.ingest, self.http = LivePublisher(), LivePublisher(leads=False)

    async def publish(self, value: float, publisher: LivePublisher | None = None) -> None:
        publisher = publisher or self.ingest
        publisher.offer([(self.sensor, us(now()), value, 192)], {self.sensor: self.plant.pk})
        await publisher.flush()


@pytest.fixture
async def feed(kandy: Plant) -> Feed:
    return Feed(kandy, (await Sensor.objects.aget(slug="temp")).number)


async def hear(socket: Socket) -> dict[str, Any]:
    frame = await socket.hear()
    await socket.say(type="ack", plant="kandy", seq=frame["seq"])
    return frame


async def heard(track: Track, frames: int) -> None:
    """Until so many have come."""
    async with asyncio.timeout(10):
        while track.heard < frames:
            await asyncio.sleep(0.05)


def values(frame: dict[str, Any]) -> list[float]:
    return [row[2] for row in frame["readings"]]


async def test_it_sends_what_a_client_missed_while_it_was_away(connect: Open, vera: User, feed: Feed) -> None:
    first = await connect(bearer=vera)
    await subscribe(first, max_hz=10)
    await feed.publish(1.0)
    last = await hear(first)
    await first.disconnect()
    await feed.publish(2.0)
    await feed.publish(3.0)
    await heard(get_hub()._tracks[feed.plant.pk], 3)

    again = await connect(bearer=vera)
    frame = await subscribe(again, max_hz=10, resume={"epoch": last["epoch"], "seq": last["seq"]})
    assert (frame["type"], values(frame)) == ("delta", [3.0])
    assert frame["seq"] > last["seq"]


async def test_it_answers_at_once_also_if_nothing_was_missed(connect: Open, vera: User, feed: Feed) -> None:
    first = await connect(bearer=vera)
    await subscribe(first, max_hz=10)
    await feed.publish(1.0)
    last = await hear(first)
    await first.disconnect()
    again = await connect(bearer=vera)
    frame = await subscribe(again, max_hz=10, resume={"epoch": last["epoch"], "seq": last["seq"]})
    assert (frame["type"], frame["seq"], values(frame)) == ("delta", last["seq"], [])


@pytest.mark.parametrize("resume", [{"epoch": "of another ingest", "seq": 1}, {"epoch": "", "seq": 0}])
async def test_it_sends_a_snapshot_where_it_does_not_know(
    connect: Open, vera: User, feed: Feed, resume: dict[str, Any]
) -> None:
    first = await connect(bearer=vera)
    await subscribe(first, max_hz=10)
    await feed.publish(1.0)
    await hear(first)
    again = await connect(bearer=vera)
    assert (await subscribe(again, max_hz=10, resume=resume))["type"] == "snapshot"


async def test_it_sends_deltas_of_a_plant_that_ingest_and_requests_feed_at_once(
    connect: Open, vera: User, feed: Feed
) -> None:
    socket = await connect(bearer=vera)
    await subscribe(socket, max_hz=10)
    said = []
    for number, publisher in enumerate([feed.ingest, feed.http, feed.ingest, feed.http]):
        await feed.publish(float(number), publisher)
        said.append(await hear(socket))
    assert [(frame["type"], values(frame)) for frame in said] == [("delta", [float(n)]) for n in range(4)]
    assert sorted(frame["seq"] for frame in said) == [frame["seq"] for frame in said]

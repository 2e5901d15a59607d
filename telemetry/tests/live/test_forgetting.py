"""Hub: how long it remembers a plant that nobody follows any more, for clients that come back."""

import asyncio
import uuid

from telemetry.live.hub import REMEMBER_S, Hub, Subscription
from telemetry.live.publish import LivePublisher


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def heard(hub: Hub, publisher: LivePublisher, plant_id: uuid.UUID) -> bool:
    """Publishes a frame of the plant, and one of another that is followed; whether the hub still tracks the plant."""
    other = Subscription(uuid.uuid4(), "other", None, max_hz=2, wake=lambda: None)
    await hub.join(other)
    publisher.offer([(1, 1, 1.0, 192), (2, 1, 1.0, 192)], {1: plant_id})
    await publisher.flush()
    publisher.offer([(2, 1, 1.0, 192)], {2: other.plant_id})
    await publisher.flush()
    async with asyncio.timeout(10):
        while not other.track.heard:  # frames of one publisher keep their order
            await asyncio.sleep(0.01)
    await hub.leave(other)
    return plant_id in hub._tracks


async def test_it_forgets_a_plant_a_minute_after_its_last_follower_left() -> None:
    clock, publisher, plant_id = Clock(), LivePublisher(), uuid.uuid4()
    hub = Hub(clock)
    first, last = (Subscription(plant_id, "kandy", None, max_hz=2, wake=lambda: None) for _ in range(2))
    await hub.join(first)
    await hub.join(last)
    await hub.leave(first)
    clock.now += 2 * REMEMBER_S
    assert await heard(hub, publisher, plant_id)
    await hub.leave(last)
    clock.now += REMEMBER_S - 1
    assert await heard(hub, publisher, plant_id)
    clock.now += 1
    assert not await heard(hub, publisher, plant_id)


async def test_it_remembers_a_plant_to_which_somebody_came_back() -> None:
    clock, publisher, plant_id = Clock(), LivePublisher(), uuid.uuid4()
    hub = Hub(clock)
    subscription = Subscription(plant_id, "kandy", None, max_hz=2, wake=lambda: None)
    await hub.join(subscription)
    await hub.leave(subscription)
    clock.now += REMEMBER_S - 1
    await hub.join(subscription)
    clock.now += 2 * REMEMBER_S
    assert await heard(hub, publisher, plant_id)

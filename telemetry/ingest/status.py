"""What devices say of themselves on `inqube/v1/{plant}/$status/{device}`: whether they are connected. Pure.

A device publishes `{"online": true}` retained when it has connected, and leaves `{"online": false}` as its last will.
"""

import re

import orjson

from plants.models.devices import Heard
from plants.scales import instant
from telemetry.readings import Message

TOPIC_FILTER = "inqube/v1/+/$status/+"
LARGEST_BYTES = 1024
DEVICES_WAITING = 10_000  # between two writes, which are a second apart; more are no devices of ours

_SLUG = "[a-z0-9][a-z0-9_-]{0,62}"
_TOPIC = re.compile(rf"inqube/v1/({_SLUG})/\$status/({_SLUG})")


class Statuses:
    """The newest word of each device since they were last taken."""

    def __init__(self) -> None:
        self.refused = 0
        self._heard: dict[tuple[str, str], Heard] = {}

    def hear(self, message: Message) -> None:
        """Takes a message; one that is no status is counted."""
        topic = _TOPIC.fullmatch(message.topic)
        if topic is None or (topic.groups() not in self._heard and len(self._heard) >= DEVICES_WAITING):
            self.refused += 1
            return
        is_online = online(message.payload)
        if is_online is None:
            self.refused += bool(message.payload)  # without a payload it takes the retained one away
            return
        plant, device = topic.groups()
        before = self._heard.get((plant, device))
        # A retained one was said at some time before: it tells how the device is, but not when it was there.
        at = instant(message.received_us) if not message.is_retained else before and before.at
        self._heard[plant, device] = Heard(plant, device, is_online, at)

    def take(self) -> list[Heard]:
        taken, self._heard = list(self._heard.values()), {}
        return taken

    def give_back(self, taken: list[Heard]) -> None:
        """What could not be written; a newer word stands."""
        self._heard = {(each.plant, each.device): each for each in taken} | self._heard


def online(payload: bytes) -> bool | None:
    """What `{"online": true}` says; None for anything else."""
    if len(payload) > LARGEST_BYTES:
        return None
    try:
        said = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None
    is_online = said.get("online") if isinstance(said, dict) else None
    return is_online if isinstance(is_online, bool) else None

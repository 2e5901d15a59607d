"""What a session is subscribed to: which filters are wanted, asked for and granted. Packets, but no connection.

A filter that a broker refuses, or about which it says nothing, is asked for again after a while, and does not hold up
the others.
"""

import math
from collections.abc import Iterable, Iterator

import mqtt5
import structlog

from telemetry.ingest.shard import TOPIC_FILTERS

FILTERS_A_PACKET = 50  # a broker may close the connection on a packet that it finds too large
ASK_AGAIN_S = 15.0
LAST_PACKET_ID = 65_535
REFUSED = 0x80  # reason codes from here on say no (2.4)

log = structlog.get_logger("inqube.ingest.mqtt")


class Subscriptions:
    """Those of one session; it outlives connections, as the session does.

    Args:
        at_most_once: whether what is lost with a connection may stay lost.
        retained: whether the broker is to send retained messages when a filter is granted. Of readings none are
            wanted: a value without a time would become a new reading at each connect.
        optional: whether the broker may refuse them; it is then not asked again on this connection.
    """

    def __init__(
        self,
        filters: Iterable[str] = TOPIC_FILTERS,
        *,
        at_most_once: bool = False,
        retained: bool = False,
        optional: bool = False,
    ) -> None:
        self._wanted = dict.fromkeys(filters)  # in order
        self._unwanted: dict[str, None] = {}  # the session may still have them
        self._granted: set[str] = set()
        self._asked: dict[int, list[str]] = {}  # by packet id
        self._asked_at: dict[str, float] = {}
        self._packet_id = 0
        self._qos = mqtt5.QoS.AT_MOST_ONCE if at_most_once else mqtt5.QoS.AT_LEAST_ONCE
        self._optional = optional
        self._retain_handling = mqtt5.RetainHandling.SEND_ALWAYS if retained else mqtt5.RetainHandling.SEND_NEVER

    @property
    def granted(self) -> set[str]:
        """Those wanted filters that the broker has granted on the present connection."""
        return self._granted

    @property
    def is_settled(self) -> bool:
        """Whether the broker has granted all, and let go of all that are not wanted any more."""
        return not self._unwanted and len(self._granted) == len(self._wanted)

    def want(self, filters: Iterable[str]) -> None:
        """Changes what is wanted; `ask` then says what that takes."""
        before, self._wanted = self._wanted, dict.fromkeys(filters)
        gone = [pattern for pattern in before if pattern not in self._wanted]
        self._granted.difference_update(gone)
        self._unwanted |= dict.fromkeys(gone)
        for pattern in self._wanted.keys() & self._unwanted.keys():
            del self._unwanted[pattern]
        for pattern in before.keys() ^ self._wanted.keys():
            self._asked_at.pop(pattern, None)

    def leave(self, filters: Iterable[str]) -> None:
        """Lets go of filters that the session may have from an earlier process, and that are not wanted."""
        self._unwanted |= dict.fromkeys(pattern for pattern in filters if pattern not in self._wanted)

    def connected(self) -> None:
        """Begins anew, also where the session still holds them: it is cheap, and right whatever the broker lost."""
        self._granted.clear()
        self._asked.clear()
        self._asked_at.clear()

    def ask(self, now: float) -> bytes:
        """The packets that are due, by a monotonic clock."""
        missing = [each for each in self._wanted if each not in self._granted]
        packets: list[mqtt5.Packet] = [
            *(mqtt5.UnsubscribePacket(self._note(some), some) for some in self._due(self._unwanted, now)),
            *(mqtt5.SubscribePacket(self._note(some), self._filters(some)) for some in self._due(missing, now)),
        ]
        return b"".join(packet.write() for packet in packets)

    def hear(self, packet: mqtt5.SubAckPacket | mqtt5.UnsubAckPacket) -> None:
        """Takes the broker's answer."""
        patterns = self._asked.pop(packet.packet_id, [])
        if isinstance(packet, mqtt5.UnsubAckPacket):
            for pattern in patterns:
                self._unwanted.pop(pattern, None)
            return
        for pattern, code in zip(patterns, packet.reason_codes, strict=False):
            if int(code) >= REFUSED and self._optional:
                log.info("the broker does not let us see", filter=pattern)
                self._asked_at[pattern] = math.inf
            elif int(code) >= REFUSED:
                log.error(
                    "the broker refused a subscription; asking again",
                    filter=pattern,
                    reason=code.name.lower().replace("_", " "),
                    retry_in_s=ASK_AGAIN_S,
                )
            elif pattern in self._wanted:
                self._granted.add(pattern)

    def _due(self, patterns: Iterable[str], now: float) -> Iterator[list[str]]:
        """Those not asked for of late, as many as go into a packet at a time."""
        due = [each for each in patterns if now - self._asked_at.get(each, -math.inf) >= ASK_AGAIN_S]
        self._asked_at |= dict.fromkeys(due, now)
        for begin in range(0, len(due), FILTERS_A_PACKET):
            yield due[begin : begin + FILTERS_A_PACKET]

    def _note(self, patterns: list[str]) -> int:
        self._packet_id = self._packet_id % LAST_PACKET_ID + 1
        self._asked[self._packet_id] = patterns
        return self._packet_id

    def _filters(self, patterns: list[str]) -> list[mqtt5.TopicFilter]:
        # Not as published: the flag then says that the broker had the message before we subscribed (3.3.1.3).
        handling = self._retain_handling
        return [
            mqtt5.TopicFilter(each, max_qos=self._qos, retain_as_published=False, retain_handling=handling)
            for each in patterns
        ]

"""Publishes a load: each message when it is due, with progress, and a summary in the end."""

import time
from typing import Any, TextIO

import structlog

from telemetry.simulator.connection import NAP_S, Devices
from telemetry.simulator.stream import Load, stream
from telemetry.simulator.tally import Tally

# Messages kept while the broker is away, about ten minutes' worth of the demo factory. A load with an end then waits;
# one without goes on, drops further ones and counts them.
KEPT_MESSAGES = 10_000
LATEST_S = 10.0  # after a longer pause (a laptop that slept) a load without an end goes on with the present
CONNECTED_WITHIN_S = 10.0
ALL_ACKNOWLEDGED_WITHIN_S = 30.0  # of a load that has come to its end
LAST_ACKNOWLEDGED_WITHIN_S = 2.0  # of one that was told to stop
REPORT_EVERY_S = 60.0
SHOW_EVERY_S = 0.5

log = structlog.get_logger("inqube.simulate")


class NoBrokerError(Exception):
    """A load with an end finds no broker; says why in a sentence."""


class Run:
    def __init__(self, devices: Devices, load: Load, terminal: TextIO | None = None) -> None:
        """`terminal` is where progress is shown; None is the log."""
        self._devices, self._load, self._terminal = devices, load, terminal
        self.tally, self.dropped, self.is_stopped = Tally(), 0, False
        self._began = self._ended = self._shown_at = time.monotonic()

    def stop(self, *_: object) -> None:
        self.is_stopped = True

    def __call__(self) -> None:
        fleet = self._load.fleet
        log.info("publishing", sensors=fleet.sensors if fleet else "the demo factory's", rate=self._load.rate)
        try:
            if self._load.is_bounded:
                self._wait_for_broker()
                self._began = time.monotonic()
                self._publish(time.time())
            else:
                while not self.is_stopped:
                    self._publish(time.time())
        finally:
            self._ended = time.monotonic()
            ended = self._load.is_bounded and not self.is_stopped
            self._devices.close(ALL_ACKNOWLEDGED_WITHIN_S if ended else LAST_ACKNOWLEDGED_WITHIN_S)
            if self._terminal:
                self._terminal.write("\r\x1b[K")

    @property
    def lost(self) -> int:
        """Messages that the broker did not take."""
        return self._devices.waiting + self._devices.refused + self.dropped

    @property
    def why(self) -> str:
        return f" Its last word: {self._devices.refusal}." if self._devices.refusal else ""

    def as_dict(self) -> dict[str, Any]:
        return self.tally.as_dict() | {
            "seconds": round(self._ended - self._began, 1),
            "acknowledged": self._devices.acknowledged,
            "refused": self._devices.refused,
            "unanswered": self._devices.waiting,
            "dropped": self.dropped,
        }

    def words(self) -> str:
        seconds = self._ended - self._began
        return (
            f"Published {self.tally.samples:,} readings in {self.tally.messages:,} messages in {seconds:,.1f} s, "
            f"{self.tally.samples / max(seconds, 0.001):,.0f} readings a second.\n"
            f"The broker acknowledged {self._devices.acknowledged:,} messages, refused {self._devices.refused:,}, left "
            f"{self._devices.waiting:,} unanswered; {self.dropped:,} were dropped.{self.why}\n" + self.tally.words()
        )

    def _wait_for_broker(self) -> None:
        until = time.monotonic() + CONNECTED_WITHIN_S
        while not self._devices.are_connected() and not self.is_stopped:
            if self._devices.refusal:
                raise NoBrokerError(f"The broker refuses the connection: {self._devices.refusal}.")
            if time.monotonic() > until:
                raise NoBrokerError(f"The broker at MQTT_URL was not reached within {CONNECTED_WITHIN_S:.0f} s.")
            time.sleep(NAP_S)

    def _publish(self, start: float) -> None:
        """Returns at the end, when told to stop, or when a load without an end is late."""
        for message in stream(self._load, start):
            while (wait := message.due - time.time()) > 0 and not self.is_stopped:
                self._show()
                time.sleep(min(wait, NAP_S))
            if self.is_stopped:
                return
            if self._load.duration_s and time.time() - start > self._load.duration_s:
                return  # the broker, or this machine, did not keep up
            if -wait > LATEST_S and not self._load.is_bounded:
                log.warning("late", seconds=round(-wait, 1), does="goes on with the present")
                return
            if message.payload is None:
                self.tally.count(message)
            elif self._has_room():
                self.tally.count(message)
                self._devices.publish(message.topic, message.payload)
            elif self.is_stopped:
                return
            else:
                self.dropped += 1
            self._show()

    def _has_room(self) -> bool:
        if not self._load.is_bounded:
            return self._devices.has_room()
        while not self.is_stopped:
            if self._devices.has_room(NAP_S):
                return True
            self._show()
        return False

    def _show(self) -> None:
        now = time.monotonic()
        if now - self._shown_at < (SHOW_EVERY_S if self._terminal else REPORT_EVERY_S):
            return
        self._shown_at = now
        if self._terminal:
            rate = self.tally.samples / (now - self._began)
            self._terminal.write(
                f"\r\x1b[K{self.tally.samples:,} readings, {rate:,.0f} a second, "
                f"{self._devices.waiting:,} messages not acknowledged yet"
            )
            self._terminal.flush()
        else:
            log.info(
                "published",
                readings=self.tally.samples,
                acknowledged=self._devices.acknowledged,
                refused=self._devices.refused,
                dropped=self.dropped,
            )

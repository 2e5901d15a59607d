"""`manage.py simulate`: the devices of the demo factory, publishing over MQTT as real ones do."""

import signal
import time
from argparse import ArgumentParser, ArgumentTypeError
from secrets import token_hex
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from paho.mqtt.client import MQTT_ERR_QUEUE_SIZE, CallbackAPIVersion, Client, MQTTv5

from plants.broker_address import Broker, tls_context
from plants.demo_factory import PLANTS
from telemetry.simulator.devices import publications

# Messages kept while the broker is away, about ten minutes' worth; further ones are dropped and counted.
KEPT_MESSAGES = 10_000
LATEST_S = 10.0  # after a longer pause (a laptop that slept) devices go on with the present
NAP_S = 0.2  # the longest sleep, so that a signal is obeyed at once
LAST_ACKNOWLEDGEMENTS_S = 2.0
REPORT_EVERY_S = 60.0

log = structlog.get_logger("inqube.simulate")


def _positive(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise ArgumentTypeError("must be above 0")
    return value


class Command(BaseCommand):
    help = (
        "Publishes what the demo factory's sensors read now to MQTT_URL, each at its expected interval, until SIGTERM "
        "or Ctrl-C. Needs no database. Its values continue the history that seed_demo writes."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        slugs = [plant.slug for plant in PLANTS]
        parser.add_argument("--plant", choices=slugs, help="Only this plant; by default all.")
        parser.add_argument("--rate", type=_positive, default=1.0, help="2 publishes twice as often. Default 1.")
        parser.add_argument("--seed", type=int, default=0, help="Another course of events; 0 is that of seed_demo.")

    def handle(self, *args: Any, plant: str | None, rate: float, seed: int, **options: Any) -> None:
        try:
            broker = Broker.from_url(settings.MQTT_URL)
        except ValueError as error:
            raise CommandError(str(error)) from None
        self.stopping = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.stop)
        client = Devices(broker)
        plants = tuple(p for p in PLANTS if plant in (None, p.slug))
        log.info("publishing", broker=f"{broker.host}:{broker.port}", plants=[p.slug for p in plants], rate=rate)
        while not self.stopping:
            self.publish(client, plants, rate, seed)
        client.close()
        self.stdout.write(
            "Published {readings:,} readings in {messages:,} messages; "
            "{acknowledged:,} messages acknowledged, {dropped:,} dropped.".format(**client.counts())
        )

    def stop(self, *_: object) -> None:
        self.stopping = True

    def publish(self, client: "Devices", plants: tuple[Any, ...], rate: float, seed: int) -> None:
        """Publishes from now on; returns when told to stop, or after a pause that made it late."""
        report_at = time.monotonic() + REPORT_EVERY_S
        for publication in publications(plants, time.time(), rate, seed):
            while (wait := publication.due - time.time()) > 0 and not self.stopping:
                time.sleep(min(wait, NAP_S))
            if self.stopping:
                return
            if -wait > LATEST_S:
                log.warning("late", seconds=round(-wait, 1), does="goes on with the present")
                return
            client.publish(publication.topic, publication.payload, publication.readings)
            if time.monotonic() > report_at:
                log.info(
                    "published", readings=client.readings, acknowledged=client.acknowledged, dropped=client.dropped
                )
                report_at += REPORT_EVERY_S


class Devices:
    """One MQTT connection for all devices; counts what becomes of their messages.

    paho's thread connects, reconnects, and sends again what the broker hasn't acknowledged.
    """

    def __init__(self, broker: Broker) -> None:
        self.published = self.readings = self.acknowledged = self.dropped = 0
        self.client = Client(CallbackAPIVersion.VERSION2, f"inqube-simulator-{token_hex(4)}", protocol=MQTTv5)
        self.client.on_connect = self._connected
        self.client.on_connect_fail = self._not_connected
        self.client.on_disconnect = self._disconnected
        self.client.on_publish = self._acknowledged
        self.client.max_queued_messages_set(KEPT_MESSAGES)
        self.client.reconnect_delay_set(min_delay=1, max_delay=5)
        if broker.username is not None:
            self.client.username_pw_set(broker.username, broker.password)
        if broker.tls:
            self.client.tls_set_context(tls_context())
        self.client.connect_async(broker.host, broker.port, keepalive=30)
        self.client.loop_start()

    def publish(self, topic: str, payload: bytes, readings: int) -> None:
        """Hands a message over; while the broker is away it is kept, or dropped when too many are."""
        if self.client.publish(topic, payload, qos=1).rc == MQTT_ERR_QUEUE_SIZE:
            self.dropped += 1
        else:
            self.published += 1
            self.readings += readings

    def counts(self) -> dict[str, int]:
        return {
            "readings": self.readings,
            "messages": self.published,
            "acknowledged": self.acknowledged,
            "dropped": self.dropped,
        }

    def close(self) -> None:
        """Waits briefly for the last acknowledgements, then disconnects."""
        until = time.monotonic() + LAST_ACKNOWLEDGEMENTS_S
        while self.client.is_connected() and self.acknowledged < self.published and time.monotonic() < until:
            time.sleep(0.02)
        self.client.disconnect()
        self.client.loop_stop()

    def _connected(self, client: Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            log.warning("refused by the broker", reason=str(reason))
        else:
            log.info("connected")

    def _not_connected(self, client: Client, userdata: Any) -> None:
        log.warning("broker not reached", does="tries again")

    def _disconnected(self, client: Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            log.warning("disconnected", reason=str(reason), does="connects again")

    def _acknowledged(self, client: Client, userdata: Any, mid: int, reason: Any, properties: Any) -> None:
        self.acknowledged += 1

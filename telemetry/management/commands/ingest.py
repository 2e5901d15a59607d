"""`manage.py ingest`: from the broker into the database, until SIGTERM."""

import asyncio
import gc
import signal
from typing import Any

import uvloop
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from plants.broker_address import Broker
from telemetry.ingest.batch import Limits
from telemetry.ingest.counters import Tally
from telemetry.ingest.fair import Rates
from telemetry.ingest.pipeline import Pipeline
from telemetry.ingest.process import Life, NotRetiredError, retire, serve
from telemetry.ingest.quarantine import Room
from telemetry.ingest.shard import Shard
from telemetry.probes.ingest import probed
from telemetry.probes.port import beside

GC_EVERY = 200_000  # new objects between two looks of the garbage collector


class Command(BaseCommand):
    help = (
        "Receives readings from the broker (MQTT_URL), stores them in the database (DATABASE_URL) and announces them "
        "to the live feed (REDIS_URL). A message is acknowledged to the broker only after its readings are committed. "
        "SIGTERM or Ctrl-C stores and acknowledges what has arrived, then exits with 0."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--shard", default="1/1", metavar="I/N", help="the I-th of N shares of the plants (1/1)")
        parser.add_argument(
            "--retire",
            action="store_true",
            help="takes what the broker still holds for a shard whose plants others have, ends its session, and exits",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            broker = Broker.from_url(settings.MQTT_URL)
            shard = Shard.from_text(options["shard"])
        except ValueError as error:
            raise CommandError(str(error)) from None
        # A batch is tens of thousands of tuples that live for one commit: at the default of every 700 new objects the
        # collector looks through them again and again, a fifth of the process's CPU, and finds nothing.
        gc.freeze()
        gc.set_threshold(GC_EVERY)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            if not options["retire"]:
                life, tally = Life(), Tally()
                work = serve(lambda: pipeline(broker, shard, tally), stop_on_signals(runner), life)
                runner.run(beside(work, probed(life, tally), port_of(shard)))
                return
            try:
                count = runner.run(retire(lambda: pipeline(broker, shard, retires=True), stop_on_signals(runner)))
            except NotRetiredError as error:
                raise CommandError(str(error)) from None
        self.stdout.write(f"Took {count:,} messages that the broker still held; shard {shard} has no session any more.")


def stop_on_signals(runner: asyncio.Runner) -> asyncio.Event:
    """An event that SIGTERM and Ctrl-C set."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        runner.get_loop().add_signal_handler(number, stop.set)
    return stop


def port_of(shard: Shard) -> int:
    """Shards of one machine share an environment, and none a port; 0 is none."""
    return settings.INGEST_HEALTH_PORT and settings.INGEST_HEALTH_PORT + shard.number - 1


def pipeline(broker: Broker, shard: Shard, tally: Tally | None = None, *, retires: bool = False) -> Pipeline:
    return Pipeline(
        broker,
        shard.client_id(settings.MQTT_CLIENT_ID),
        Limits(readings=settings.INGEST_BATCH_READINGS, age_s=settings.INGEST_BATCH_MS / 1000),
        settings.RAW_RETENTION_DAYS,
        settings.DEAD_LETTERS_PER_SOURCE_MINUTE,
        Room.of_settings(),
        Rates(settings.INGEST_MESSAGES_PER_SOURCE_SECOND),
        shard,
        tally,
        retires=retires,
    )

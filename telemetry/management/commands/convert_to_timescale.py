"""`manage.py convert_to_timescale`: from plain PostgreSQL to TimescaleDB, in place and in use."""

import signal
import time
from argparse import ArgumentParser
from datetime import UTC, timedelta
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now
from psycopg import Connection

from telemetry.storage import connection_params, convert, flavour, timescale
from telemetry.storage.days import start_of

APPLICATION_NAME = "inqube conversion"  # as pg_stat_activity shows it
STOPPED = "Stopped. The same command goes on from here; --abandon goes back."


class Command(BaseCommand):
    help = (
        "Turns a database that was made on plain PostgreSQL into one of TimescaleDB, in place, after the extension was "
        "installed on its server. Everything may go on running meanwhile, and all that is read is right throughout. "
        "Readings are copied day by day, so until its end the disk holds them twice (once compressed, where they are "
        "older than COMPRESS_AFTER_DAYS), and each new one is written twice. Stopped or killed, the same command goes "
        "on with the day where it was. Make a backup before."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--abandon", action="store_true", help="Remove what an unfinished conversion has made, and stay plain."
        )

    def handle(self, *args: Any, abandon: bool, **options: Any) -> None:
        self.stopping = False
        before = {number: signal.signal(number, self.stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            with connect() as connection:
                if abandon:
                    self.abandon(connection)
                else:
                    self.convert(connection)
        except convert.ConversionError as error:
            raise CommandError(str(error)) from None
        except psycopg.Error as error:
            raise CommandError(f"The database did not answer: {str(error).strip()}\n{STOPPED}") from None
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop(self, *_: object) -> None:
        self.stopping = True
        self.stdout.write("Stopping after this day.")

    def abandon(self, connection: Connection) -> None:
        done = convert.abandon(connection)
        self.stdout.write("Nothing is left of the conversion." if done else "There is no unfinished conversion.")

    def convert(self, connection: Connection) -> None:
        convert.ensure_extension(connection)
        if flavour(connection) is timescale and not convert.is_unfinished(connection):
            self.stdout.write("This database has TimescaleDB's tables already.")
            return
        started, readings, size = time.monotonic(), 0, 0
        compress_before = start_of(now().astimezone(UTC).date()) - timedelta(days=settings.COMPRESS_AFTER_DAYS)
        for progress in convert.convert(connection, compress_before):
            readings, size = readings + progress.readings, size + progress.bytes
            took_s = time.monotonic() - started
            left = timedelta(seconds=round(took_s * progress.bytes_left / max(size, 1)))
            self.stdout.write(
                f"{progress.day}: day {progress.done} of {progress.total}, {progress.readings:,} readings, "
                f"{readings / max(took_s, 0.001):,.0f}/s, {left} left"
            )
            if self.stopping:
                self.stdout.write(STOPPED)
                return
        self.stdout.write(self.style.SUCCESS(f"Converted: {readings:,} readings are TimescaleDB's now."))


def connect() -> Connection:
    """A connection in autocommit that prepares nothing: statements by the dozen are sent as one."""
    of_ours = {"application_name": APPLICATION_NAME, "prepare_threshold": None}
    return psycopg.connect(**connection_params() | of_ours, autocommit=True)

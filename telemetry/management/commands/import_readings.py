"""`manage.py import_readings FILE`: readings from a file, as if devices had sent them."""

import signal
import time
from argparse import ArgumentParser
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection as django_connection

from telemetry.imports.files import FileError, ReadingsFile
from telemetry.imports.run import Rejects, looking, run
from telemetry.imports.state import Counts, Place, State
from telemetry.ingest.ledger import Kind
from telemetry.ingest.resolve import load_directory
from telemetry.ingest.store import Store, connect
from telemetry.ingest.validate import window
from telemetry.storage import rollups

REPORT_EVERY_S = 5.0
SOME_REJECTED = 3  # exit codes; 1 is a failure, 2 a wrong argument


class Command(BaseCommand):
    help = (
        "Imports readings from FILE: CSV with the columns address, timestamp, value and perhaps quality, or NDJSON "
        "with these keys, gzipped or not, as /api/v1/telemetry/export makes them (long). Further columns, unit among "
        "them, are ignored. Readings are checked and stored like those from devices, each once, however often a file "
        "is imported; no alarms are raised. Stopped or killed, the same command goes on where it was, which "
        "FILE.import says until the end. Exits with 0 when each line is stored or was there, 3 when some were "
        "rejected, 1 when it failed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--dry-run", action="store_true", help="Check all lines and count, but store nothing.")
        parser.add_argument(
            "--rejects",
            type=Path,
            metavar="FILE",
            help="Write rejected lines there, with their reason and detail: mend them and import that file.",
        )
        parser.add_argument("--restart", action="store_true", help="Begin at the first line, whatever was done before.")

    def handle(
        self, *args: Any, file: Path, dry_run: bool, rejects: Path | None, restart: bool, **options: Any
    ) -> None:
        if rejects is not None and rejects.exists() and file.exists() and rejects.samefile(file):
            raise CommandError("--rejects would overwrite the file that is imported.")
        self.stopping = False
        before = {number: signal.signal(number, self.stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            with ReadingsFile(file) as opened:
                counts = self.work(opened, dry_run, rejects, restart)
        except FileError as error:
            raise CommandError(str(error)) from None
        except OSError as error:  # the state or the rejects
            raise CommandError(f"{error.filename} can't be written: {error.strerror}.") from None
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if not dry_run and (counts.stored or counts.conflict):
            self.refresh_rollups(datetime.now(UTC))
        self.report(counts, dry_run)

    def stop(self, *_: object) -> None:
        self.stopping = True

    def work(self, file: ReadingsFile, dry_run: bool, rejects: Path | None, restart: bool) -> Counts:
        state = State(file, database_name())
        place = Place() if dry_run or restart else state.load() or Place()
        if place.offset:
            self.stdout.write(f"Goes on behind line {place.line - 1:,}.")
        now_us = int(time.time() * 1e6)
        with ExitStack() as stack:
            if dry_run:
                write = looking(stack.enter_context(closing(connect())))
            else:
                write = stack.enter_context(closing(Store(kind=Kind.IMPORT))).write
                state.save(place)  # where it can't be written, it fails now rather than after the first batch
            refused = None
            if rejects is not None:
                refused = stack.enter_context(closing(Rejects(rejects, file, place.rejects_bytes)))
            accepted = window(now_us, settings.RAW_RETENTION_DAYS)
            progress = Progress(self, file)
            try:
                for _ in run(file, place, load_directory(), accepted, now_us, write, refused):
                    if not dry_run:
                        state.save(place)
                    progress.show(place)
                    if self.stopping:
                        raise CommandError(f"Stopped behind line {place.line - 1:,}. {goes_on(dry_run)}")
            except psycopg.Error as error:
                said = str(error).strip() or type(error).__name__
                raise CommandError(
                    f"The database failed behind line {place.line - 1:,}: {said}. {goes_on(dry_run)}"
                ) from None
        if not dry_run:
            state.forget()
        return place.counts

    def refresh_rollups(self, now: datetime) -> None:
        """Queries are right without it; they are faster with it."""
        self.stdout.write("All lines are done; refreshing rollups.")
        self.stdout.flush()
        try:
            with closing(connect()) as connection:
                if rollups.refresh(connection, now) is None:
                    self.stdout.write("Rollups are being refreshed by another process.")
        except psycopg.Error as error:
            self.stderr.write(f"Rollups were not refreshed ({str(error).strip()}); the worker will do so.")

    def report(self, counts: Counts, dry_run: bool) -> None:
        rows = [
            ("lines", counts.lines),
            ("to be stored" if dry_run else "stored", counts.stored),
            ("duplicate", counts.duplicate),
            ("conflict", counts.conflict),
            ("rejected", counts.rejected.total()),
        ]
        for name, count in rows:
            self.stdout.write(f"{name:24}{count:>14,}")
        for reason, count in counts.rejected.most_common():
            line, text, detail = counts.examples[reason]
            self.stdout.write(f"  {reason:22}{count:>14,}   line {line}: {detail}\n{'':41}{text}")
        if counts.rejected:
            raise CommandError(f"{counts.rejected.total():,} lines were rejected.", returncode=SOME_REJECTED)


class Progress:
    """A line now and then: how much is done, how fast."""

    def __init__(self, command: BaseCommand, file: ReadingsFile) -> None:
        self._command, self._file = command, file
        self._began = self._shown = time.monotonic()
        self._lines_before: int | None = None

    def show(self, place: Place) -> None:
        now = time.monotonic()
        if self._lines_before is None:
            self._lines_before = place.counts.lines
        if now - self._shown < REPORT_EVERY_S:
            return
        self._shown = now
        rate = (place.counts.lines - self._lines_before) / (now - self._began)
        self._command.stdout.write(
            f"{self._file.fraction:4.0%}  {place.counts.lines:,} lines, {rate:,.0f} a second, "
            f"{place.counts.rejected.total():,} rejected"
        )
        self._command.stdout.flush()


def goes_on(dry_run: bool) -> str:
    return "" if dry_run else "The same command goes on from there."


def database_name() -> str:
    parts = django_connection.settings_dict
    return f"{parts['HOST']}:{parts['PORT']}/{parts['NAME']}"

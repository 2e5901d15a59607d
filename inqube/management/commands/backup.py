"""`manage.py backup`: the database into a directory, complete and tried, or not at all."""

import shutil
import signal
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.template.defaultfilters import filesizeformat
from django.utils.timezone import now

from inqube.backup import BackupError, catalogue, programs
from inqube.backup.catalogue import Backup
from inqube.backup.take import alone, take


class Command(BaseCommand):
    help = (
        "Makes a backup of the database in BACKUP_DIR, by pg_dump, while everything goes on: a directory with the dump "
        "and a manifest that says of what moment it is and has rows and a checksum of each table, both of the same "
        "snapshot. It gets its name when it is complete. It holds the hashes of passwords and of devices' secrets: "
        "only the user who made it can read it, and so should its copies be. It holds no keys: SECRET_KEY, "
        "JWT_SIGNING_KEY and DEVICE_KEY are yours to keep. Exits with 0 only if the backup is complete."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--directory", metavar="DIR", help="where backups lie (BACKUP_DIR)")
        parser.add_argument("--keep", type=positive, metavar="N", help="then remove all but the N newest good ones")
        parser.add_argument(
            "--keep-days",
            type=positive,
            metavar="N",
            help="then remove those older than N days; with --keep those that neither keeps. The last good one always "
            "stays, and the last one that was verified",
        )
        parser.add_argument("--jobs", type=positive, default=1, metavar="N", help="tables that are dumped at once (1)")
        parser.add_argument("--compress", default="", metavar="HOW", help="pg_dump's --compress, such as zstd:3")
        parser.add_argument("--bin", default="", metavar="DIR", help="where pg_dump and pg_restore lie (POSTGRES_BIN)")
        parser.add_argument("--list", action="store_true", help="only list the backups that there are")

    def handle(self, *args: Any, directory: str | None, list: bool, **options: Any) -> None:
        into = directory_of(directory)
        if list:
            for backup in catalogue.backups(into):
                self.stdout.write(line(backup))
            return
        signal.signal(signal.SIGTERM, stop)
        try:
            with alone(into):
                self.back_up(into, **options)
        except BackupError as error:
            raise CommandError(str(error)) from None
        except psycopg.Error as error:
            raise CommandError(f"The database did not answer: {str(error).strip()}") from None
        except OSError as error:
            raise CommandError(f"{into} can't be written: {error.strerror or error}.") from None

    def back_up(
        self, into: Path, *, keep: int | None, keep_days: int | None, jobs: int, compress: str, bin: str, **_: Any
    ) -> None:
        binaries = bin or settings.POSTGRES_BIN
        backup = take(programs.address(), into, self.tell, jobs=jobs, binaries=binaries, compress=compress)
        rows = sum(table["rows"] for table in backup.manifest["tables"].values())
        for old in catalogue.expired(catalogue.backups(into), now(), keep, keep_days):
            shutil.rmtree(old.directory)
            self.stdout.write(f"Removed {old.name}.")
        self.stdout.write(
            self.style.SUCCESS(
                f"{backup.directory}: {rows:,} rows in {len(backup.manifest['tables'])} tables, "
                f"{filesizeformat(backup.bytes)}, in {backup.manifest['took_s']:g} s."
            )
        )

    def tell(self, what: str) -> None:
        self.stdout.write(what)
        self.stdout.flush()


def directory_of(named: str | None) -> Path:
    if not (directory := named or settings.BACKUP_DIR):
        raise CommandError("Where? Set BACKUP_DIR, or name a directory with --directory.")
    return Path(directory)


def line(backup: Backup) -> str:
    """`inqube-20261130T020000Z  1.2 GB  verified 2026-11-30 02:10`"""
    state = "not verified"
    if backup.has_failed:
        state = "NOT GOOD: what was restored was not what was saved"
    elif backup.verified_at:
        state = f"verified {backup.verified_at:%Y-%m-%d %H:%M}"
    return f"{backup.name}  {filesizeformat(backup.bytes)}  {state}"


def positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError
    return number


def stop(*_: object) -> None:
    """SIGTERM like Ctrl-C: what is half done is removed on the way out."""
    raise KeyboardInterrupt

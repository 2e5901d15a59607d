"""`manage.py maintain`: the worker's steps once, in order, for those who run no worker or want them done now."""

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.template.defaultfilters import filesizeformat
from django.utils.timezone import now
from psycopg import Connection

from telemetry.maintenance import STEPS, Facts, connect
from telemetry.storage import retention


class Command(BaseCommand):
    help = (
        "Keeps the historian in order: makes partitions for the days to come, brings the rollups up to date, drops raw "
        "readings that are older than RAW_RETENTION_DAYS and dead letters that are older than "
        "DEAD_LETTER_RETENTION_DAYS, checks the ledger and forgets what of it is older than LEDGER_RETENTION_DAYS, "
        "compresses readings older than COMPRESS_AFTER_DAYS (TimescaleDB), puts the latest readings right, "
        "and adopts the discovered sensors that are due. Once, in this order; exits with 1 if a step fails, without "
        "those after it. The worker does the same by its timetable, and both may run at once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--only",
            action="append",
            choices=list(STEPS),
            metavar="STEP",
            help=f"One of {', '.join(STEPS)}; repeatable.",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Only says which days retention would drop, with their readings and bytes, and changes nothing.",
        )

    def handle(self, *args: Any, only: Sequence[str] | None, dry_run: bool, **options: Any) -> None:
        try:
            with connect() as connection:
                if dry_run:
                    if only not in (None, ["retention"]):
                        raise CommandError("--dry-run is about retention: other steps have none.")
                    self.preview(connection)
                    return
                for name in STEPS:
                    if only is None or name in only:
                        self.step(name, connection)
        except psycopg.Error as error:
            raise CommandError(f"The database did not answer: {str(error).strip()}") from None

    def step(self, name: str, connection: Connection) -> None:
        try:
            facts = STEPS[name](connection, now())
        except (psycopg.Error, DatabaseError, retention.BusyError) as error:
            raise CommandError(f"{name} failed: {str(error).strip()}") from None
        self.stdout.write(f"{name}: {words(facts)}")

    def preview(self, connection: Connection) -> None:
        plan = retention.plan(connection, now(), settings.RAW_RETENTION_DAYS)
        counted = retention.readings_by_day(connection, plan.going)
        for day in plan.going:
            self.stdout.write(f"{day.day}: {counted[day.day]:,} readings, {filesizeformat(day.bytes)}")
        for held in plan.held:
            self.stdout.write(f"{held.day}: stays for now, {held.reason}")
        size = sum(day.bytes for day in plan.going)
        self.stdout.write(
            f"Retention would drop {len(plan.going)} days, {sum(counted.values()):,} readings, {size:,} bytes: "
            f"what is older than {settings.RAW_RETENTION_DAYS} days and a day more."
        )


def words(facts: Facts) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {_value(value)}" for name, value in facts.items())


def _value(value: Any) -> str:
    if isinstance(value, list | dict):
        items = [f"{key} ({reason})" for key, reason in value.items()] if isinstance(value, dict) else value
        return " ".join(items) or "nothing"
    return f"{value:,}" if isinstance(value, int) else str(value)

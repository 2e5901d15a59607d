"""What keeps the historian in order, each step a function of a connection and the time; `STEPS` is their order.

The worker runs them as jobs (jobs.py), a person all at once (`manage.py maintain`). A step may run beside itself and
beside ingest, may be ended at any statement, and is repeated by running it again. It returns what it did, for the log.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import structlog
from django.conf import settings
from psycopg import Connection

from alarms.watch import watch
from telemetry.adopt import adopt_due
from telemetry.storage import connection_params, flavour, latest, ledger, quarantine, retention, rollups
from telemetry.storage.days import start_of

DAYS_AHEAD = 7  # partitions that are there already when the worker is away for a week
FORGET_LETTERS = "DELETE FROM dead_letter WHERE received_at < %s"  # decided or not
FORGET_EVENTS = "DELETE FROM ingest_event WHERE at < %s"
APPLICATION_NAME = "inqube worker"  # as pg_stat_activity shows it

log = structlog.get_logger("inqube.maintenance")

Facts = dict[str, Any]
Step = Callable[[Connection, datetime], Facts]


def connect() -> Connection:
    """A connection to the database of the settings, in which transactions are opened by name."""
    return psycopg.connect(**connection_params() | {"application_name": APPLICATION_NAME}, autocommit=True)


def make_partitions(connection: Connection, now: datetime) -> Facts:
    today = now.astimezone(UTC).date()
    days = [today + timedelta(days=ahead) for ahead in range(DAYS_AHEAD + 1)]
    flavour(connection).ensure_days(connection, days)
    return {"room_until": days[-1].isoformat()}


def refresh_rollups(connection: Connection, now: datetime) -> Facts:
    done = rollups.refresh(connection, now)
    if done is None:
        return {"skipped": "another refresh is running"}
    return {"shown_to": done.shown_to.isoformat(), "late_hours": done.hours}


def enforce_retention(connection: Connection, now: datetime) -> Facts:
    forget_before = now - timedelta(days=settings.DEAD_LETTER_RETENTION_DAYS)
    forgotten = connection.execute(FORGET_LETTERS, [forget_before]).rowcount  # first, for the days may have to wait
    connection.execute(FORGET_EVENTS, [forget_before])
    quarantine.forget(connection, forget_before, now - timedelta(days=settings.RAW_RETENTION_DAYS))
    ledger.forget(connection, now - timedelta(days=settings.LEDGER_RETENTION_DAYS))
    rollups.refresh(connection, now)  # so that no late reading of long ago keeps a day from going
    dropped = retention.enforce(connection, now, settings.RAW_RETENTION_DAYS)
    held = {str(day): reason for day, reason in dropped.held}
    facts = {"dropped": [str(day) for day in dropped.days], "bytes": dropped.bytes, "dead_letters": forgotten}
    return facts | ({"held": held} if held else {})


def check_ledger(connection: Connection, now: datetime) -> Facts:
    checked = ledger.check(connection, now)
    for entry in checked.broken:
        log.error("the ledger does not match: samples were lost or invented", entry=str(entry))
    return {"checked_to": checked.until.isoformat(), "broken": len(checked.broken)}


def compress(connection: Connection, now: datetime) -> Facts:
    before = start_of(now.astimezone(UTC).date()) - timedelta(days=settings.COMPRESS_AFTER_DAYS)
    return {"compressed": [str(day) for day in flavour(connection).compress_before(connection, before)]}


def repair_latest(connection: Connection, now: datetime) -> Facts:
    return {"corrected": latest.repair(connection)}


def adopt_discovered(connection: Connection, now: datetime) -> Facts:
    return adopt_due(connection, now, settings.RAW_RETENTION_DAYS)


def watch_alarms(connection: Connection, now: datetime) -> Facts:
    """One look; the worker's job looks once a second."""
    return watch(connection, now.timestamp(), threading.Event())


STEPS: dict[str, Step] = {
    "partitions": make_partitions,
    "rollups": refresh_rollups,
    "ledger": check_ledger,
    "retention": enforce_retention,
    "compression": compress,
    "latest": repair_latest,
    "adoption": adopt_discovered,
    "alarms": watch_alarms,
}

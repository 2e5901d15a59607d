"""Whether what keeps readings coming and stored runs, by what lies in the database."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import Min

from alarms.models import NotificationChannel
from inqube.doctor import disks
from inqube.doctor.database import Database
from inqube.doctor.findings import Finding, failed, ok, skipped, warning
from plants.broker import BrokerState, state_of
from plants.models.devices import Device
from telemetry.formats import format_age
from telemetry.maintenance import DAYS_AHEAD
from telemetry.models import DeadLetter
from telemetry.queries.disk import disk_of
from telemetry.queries.system import COUNTED, Trouble, of_broker, of_ingest, of_jobs, of_ledger, of_worker
from telemetry.storage import flavour, plain

FEWEST_DAYS_AHEAD = 3  # then the worker has failed, or been away, for four days
ROLLUPS_LAG = timedelta(minutes=30)
ROLLUPS_FAIL = timedelta(days=1)
FORGOTTEN_SOON = timedelta(days=7)
MANY_LETTERS = 1000
FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
WORKER = "python manage.py procrastinate worker"


def partitions(database: Database) -> Finding:
    if flavour(database.psycopg) is not plain:
        return ok("TimescaleDB makes chunks as readings come")
    days = {day.day for day in plain.raw_days(database.psycopg, FOREVER)}
    today = database.now.astimezone(UTC).date()
    ahead = 0
    while today + timedelta(days=ahead + 1) in days:
        ahead += 1
    detail = f"made for {ahead} of the coming {DAYS_AHEAD} days"
    if ahead < FEWEST_DAYS_AHEAD:
        return warning(detail, f"python manage.py maintain --only partitions, and see that the worker runs: {WORKER}")
    return ok(detail)


def rollups(database: Database) -> Finding:
    lag = database.now - database.system.shown_to
    detail = f"stored up to {_age(lag)} ago; what is newer is computed when it is asked for"
    if lag > ROLLUPS_FAIL:
        return failed(f"{detail}, which takes long by now, and retention waits", f"Start the worker: {WORKER}")
    return warning(detail, f"Start the worker: {WORKER}") if lag > ROLLUPS_LAG else ok(detail)


def ingest(database: Database) -> Finding:
    system = database.system
    rate = f"{system.rate:.0f} readings a second" if system.rate >= 10 else f"{system.rate:.1f} readings a second"
    return _troubles(of_ingest(system), f"{_many(len(system.shards), 'process', 'es')} for {rate}")


def session(database: Database) -> Finding:
    """The broker's session for ingest, by the events of the last day."""
    system = database.system
    waiting = sum(shard.unacknowledged for shard in system.shards)
    calm = f"kept for a day at least; {waiting:,} messages wait for their commit, {system.dropped:,} were ever dropped"
    return _troubles(of_broker(system), calm)


def ledger(database: Database) -> Finding:
    return _troubles(of_ledger(database.system), "what was received is stored, a duplicate, a conflict or dead")


def worker(database: Database) -> Finding:
    for trouble in of_worker(database.system):  # nobody is told of alarms meanwhile, though readings are stored
        return failed(trouble.title.rstrip("."), f"{trouble.detail} {trouble.command}")
    return ok("runs")


def jobs(database: Database) -> Finding:
    return _troubles(of_jobs(database.system), "none failed, none is late")


def dead_letters(database: Database) -> Finding:
    waiting = database.system.letters
    if not waiting:
        return ok("none waits to be decided")
    oldest = DeadLetter.objects.new().order_by().aggregate(Min("received_at"))["received_at__min"]
    left = oldest + timedelta(days=settings.DEAD_LETTER_RETENTION_DAYS) - database.now
    count = f"{waiting:,}{' or more' if waiting == COUNTED else ''} to be decided"
    if waiting >= MANY_LETTERS or left < FORGOTTEN_SOON:
        detail = f"{count}, the oldest deleted in {_age(left)}"
        return warning(detail, "Replay or discard them: /dead-letters/")
    return ok(f"{count}, the oldest of {_age(database.now - oldest)} ago")


def notifications(database: Database) -> Finding:
    channels = NotificationChannel.objects.filter(is_enabled=True)
    if failing := list(NotificationChannel.objects.failing().select_related("plant")):
        names = ", ".join(f"{channel.name} of {channel.plant.slug} ({channel.last_failure})" for channel in failing)
        return warning(f"nobody is told by {names}", "Mend the channel in the admin, and send a test message there.")
    if not settings.EMAIL_URL and channels.filter(kind=NotificationChannel.Kind.EMAIL).exists():
        return warning("there are channels by email, but no mail server", "Set EMAIL_URL.")
    count = channels.count()
    return ok(f"{_many(count, 'channel')}, none fails") if count else skipped("nobody is told of alarms")


def disk(database: Database) -> Finding:
    found = disk_of(database.psycopg)
    if found is None:
        remedy = "Watch it there; or set DATABASE_DISK_BYTES to what the database may take."
        return skipped("the database is on another machine, or does not say where it lies", remedy)
    place = "of DATABASE_DISK_BYTES" if found.is_given else f"at {found.place}"
    return disks.judge(place, found.size - found.free, found.size)


def devices(_: Database) -> Finding:
    """Accounts on the broker, as the last run of the job `devices` left them."""
    if not settings.MQTT_ADMIN_URL:
        return skipped("MQTT_ADMIN_URL is not set: the broker's accounts are yours to keep")
    states = Counter(state_of(device) for device in Device.objects.select_related("plant"))
    if names := states[BrokerState.TAKEN]:
        return warning(f"{names} have the name of an account that InQube did not make", "Remove it from the broker.")
    if lost := states[BrokerState.NEEDS_ROTATION]:
        return warning(f"{lost} have a secret that a new broker would not get: DEVICE_KEY is another", "Rotate them.")
    if waiting := states[BrokerState.WAITING]:
        return warning(f"{waiting} of {states.total()} wait to be made on the broker", "python manage.py sync_devices")
    return ok(f"all {states.total()} are on the broker")


def _troubles(troubles: Iterable[Trouble], calm: str) -> Finding:
    """One finding for all; what to do is said of the worst, and the system page says the rest."""
    found = sorted(troubles, key=lambda trouble: not trouble.is_loud)
    if not found:
        return ok(calm)
    judge = failed if found[0].is_loud else warning
    command = f" python {found[0].command}" if found[0].command else ""
    return judge(" ".join(trouble.title for trouble in found).rstrip("."), found[0].detail + command)


def _age(span: timedelta) -> str:
    return format_age(span / timedelta(seconds=1))


def _many(count: int, thing: str, plural: str = "s") -> str:
    return f"{count:,} {thing}{plural if count != 1 else ''}"


CHECKS: dict[str, Callable[[Database], Finding]] = {
    "partitions": partitions,
    "rollups": rollups,
    "ingest": ingest,
    "session": session,
    "ledger": ledger,
    "worker": worker,
    "jobs": jobs,
    "dead-letters": dead_letters,
    "notifications": notifications,
    "devices": devices,
    "database-disk": disk,
}

"""`manage.py sync_devices`: the broker's accounts, made those of the database, once and at once."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from plants.broker import describe
from plants.broker_sync import sync
from plants.dynamic_security import BrokerError


class Command(BaseCommand):
    help = (
        "Gives the broker (MQTT_ADMIN_URL) the accounts of devices and of ingest as they should be, takes away those "
        "that should not be, and says what it did. The worker does the same each minute and at each change."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done, and do nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.MQTT_ADMIN_URL:
            raise CommandError("MQTT_ADMIN_URL is not set: InQube does not manage the broker's accounts.")
        try:
            report = sync(dry_run=options["dry_run"])
        except (BrokerError, ValueError) as error:
            raise CommandError(str(error)) from None
        for command in report.done:
            self.stdout.write(describe(command))
        for username in report.needs_rotation:
            self.stderr.write(f"{username}: DEVICE_KEY makes another secret. Rotate it, or a new broker won't know it.")
        for username in report.taken:
            self.stderr.write(f"{username}: the broker has an account of this name that InQube did not make.")
        if report.refused:
            raise CommandError("The broker refused " + "; ".join(report.refused))
        if not report.done:
            self.stdout.write("The broker has all accounts as they should be.")

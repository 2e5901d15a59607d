"""`manage.py seed_demo`: the demo factory with its people and its past.

It stands here and not beside the plants, because history is readings, and imports point down.
"""

import json
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils.timezone import now

from accounts.models import Role, User
from alarms.demo_rules import RULES, build_rules
from plants import demo_factory
from plants.models import Membership, Plant
from telemetry.simulator.backfill import backfill

NAMES = {Role.ADMIN: "Ada Mertens", Role.OPERATOR: "Nadeesha Perera", Role.VIEWER: "Vera Jansen"}
LONGEST_HISTORY_H = 24 * 31


class Command(BaseCommand):
    help = (
        "Creates the demo factory (2 plants, 12 machines, 120 sensors, alarm rules) and fills its past with "
        "believable readings. Run it again at any time: it creates what is missing and fills the time since the "
        "newest readings."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--credentials",
            type=Path,
            metavar="FILE",
            help='JSON such as {"admin": {"email": "…", "password": "…"}, "operator": {…}, "viewer": {…}}: '
            "users to create, or whose passwords to set.",
        )
        parser.add_argument("--history-hours", type=float, default=24, help="Hours of history; 0 for none. Default 24.")

    def handle(self, *args: Any, credentials: Path | None, history_hours: float, **options: Any) -> None:
        if not 0 <= history_hours <= LONGEST_HISTORY_H:
            raise CommandError(f"--history-hours must be between 0 and {LONGEST_HISTORY_H}.")
        people = read_credentials(credentials) if credentials else {}
        sensors = demo_factory.build()
        self.stdout.write(f"The demo factory has {len(sensors)} sensors in {len(demo_factory.PLANTS)} plants.")
        self.stdout.write(f"{build_rules()} of its {len(RULES)} alarm rules were missing.")
        for role, login in people.items():
            user = settle_user(role, login["email"], login["password"])
            if not user.is_active:
                self.stdout.write(f"{user.email} is inactive and stays so: activate them in the admin.")
            elif user.role != role:
                self.stdout.write(f"{user.email} is {user.get_role_display().lower()} by now and stays so.")
        if history_hours:
            self.fill_history({address: sensor.number for address, sensor in sensors.items()}, history_hours)

    def fill_history(self, numbers: dict[str, int], hours: float) -> None:
        started, total = time.monotonic(), 0
        connection.ensure_connection()
        for machine, readings in backfill(connection.connection, numbers, now(), hours):
            total += readings
            self.stdout.write(f"  {machine}: {readings:,} readings")
        self.stdout.write(f"Wrote {total:,} readings of history in {time.monotonic() - started:.1f} s.")


def read_credentials(file: Path) -> dict[Role, dict[str, str]]:
    """Email and password by role; CommandError in one sentence for anything else."""
    try:
        people = json.loads(file.read_text(encoding="utf-8"))
        return {Role(role): {key: str(login[key]) for key in ("email", "password")} for role, login in people.items()}
    except OSError as error:
        raise CommandError(f"The credentials file {file} can't be read: {error.strerror}.") from None
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise CommandError(
            f"The credentials file {file} doesn't hold email and password by role (admin, operator, viewer): {error!r}."
        ) from None


def settle_user(role: Role, email: str, password: str) -> User:
    """A user with this password, which signs out those who had another.

    Only new users get the role, and all but admins memberships: what somebody has taken away since, stays away.
    """
    user = User.objects.filter(email=email).first()
    if user is not None:
        if not user.check_password(password):  # hashing is slow by design: only when it must be
            user.change_password(password)
        return user
    user = User.objects.create_user(email, password, name=NAMES[role], role=role)
    if role != Role.ADMIN:
        plants = Plant.objects.filter(slug__in=[plant.slug for plant in demo_factory.PLANTS])
        Membership.objects.bulk_create([Membership(user=user, plant=plant) for plant in plants], ignore_conflicts=True)
    return user

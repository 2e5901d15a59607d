"""`manage.py doctor`: what is wrong with this installation, and what to do about it."""

import sys
from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand

from inqube.doctor import backups, broker, certificates, configuration, database, disks, upkeep, valkey, web
from inqube.doctor.findings import Area, Status
from inqube.doctor.report import as_json, as_text, code_of, summary
from inqube.doctor.run import run

LIMIT_S = 5.0

HELP = """\
Asks everything that InQube is made of how it is, and says what to do about what is wrong, one line each:

  status  ok, warning, failed, or skipped (nothing to ask, or something else has to work first)
  name    of the check; it stays the same from release to release
  detail  how it is; and after an arrow what to do about it

Checks run side by side, each for a few seconds at most, so the doctor ends soon whatever hangs. It changes nothing,
but that messages are published below inqube/v1/$doctor/, where no reading can be, and, where InQube keeps the broker's
accounts, by a device that exists there for that time.

Exit codes are those of monitoring plugins: 0 all is well, 1 something warns, 2 something failed.

--json gives {"status", "at", "version", "checks": [{"name", "status", "detail", "remedy"}]}; the outer status is the
worst: ok, warning or failed. Names, keys and statuses are stable, the words are not, and checks may be added.
"""


def seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 60:
        raise ArgumentTypeError(f"{text!r} is no number of seconds up to 60.")
    return value


def areas() -> list[Area]:
    return [
        configuration.AREA,
        database.area(upkeep.CHECKS),
        broker.AREA,
        valkey.AREA,
        web.AREA,
        *certificates.AREAS,
        disks.AREA,
        backups.AREA,
    ]


class Command(BaseCommand):
    help = HELP
    requires_system_checks = []  # they are among the lines

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="One JSON object, for programs.")
        parser.add_argument(
            "--timeout",
            type=seconds,
            default=LIMIT_S,
            metavar="SECONDS",
            help="How long one check may take before it has failed; by default 5.",
        )

    def handle(self, *args: Any, json: bool, timeout: float, **options: Any) -> None:
        lines = run(areas(), timeout)
        if json:
            self.stdout.write(as_json(lines, datetime.now(UTC)))
        else:
            colours: dict[Status, Callable[[str], str]] = {
                Status.FAILED: self.style.ERROR,
                Status.WARNING: self.style.WARNING,
            }
            self.stdout.write(summary(lines))
            for status, text in as_text(lines):
                self.stdout.write(colours.get(status, str)(text))
        if code := code_of(lines):
            sys.exit(code)

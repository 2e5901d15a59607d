"""`manage.py demo`: a live factory on this machine."""

from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

DESCRIPTION = """\
Shows a live factory: starts PostgreSQL, Valkey and an MQTT broker from pip packages, makes a demo factory
(2 plants, 12 machines, 120 sensors) with 24 hours of history, runs ingest, a simulator and the web server,
and waits until a reading has travelled from MQTT through the database to a WebSocket. Then it prints what to
open, who may sign in, and what to paste. Everything listens on 127.0.0.1 only.

Ctrl-C stops everything. A part that dies is started again. Data, keys and credentials are kept, so a second
start takes seconds. A server that DATABASE_URL, REDIS_URL or MQTT_URL names is used in place of one of ours.
"""


def port_number(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise ArgumentTypeError(f"“{text}” is not a port. Ports are 1 to 65535.")
    return int(text)


class Command(BaseCommand):
    help = DESCRIPTION
    requires_system_checks: list[str] = []  # it brings the very settings that they ask for

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reset", action="store_true", help="remove what an earlier demo kept, and start over")
        parser.add_argument(
            "--port", type=port_number, help="web port; without it 8000, or a free one if that is taken"
        )
        parser.add_argument("--no-simulator", action="store_true", help="publish nothing: for devices of your own")
        parser.add_argument(
            "--directory",
            type=Path,
            default=settings.BASE_DIR / ".inqube",
            help="where it keeps data, logs and credentials (default: .inqube)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            from rich.console import Console

            from inqube.demo.run import Options, run
        except ModuleNotFoundError as error:
            raise CommandError(
                f"The demo needs {error.name}: install requirements/dev.txt, or use `make demo`."
            ) from None
        from inqube.demo import DemoError
        from inqube.embedded import EmbeddedError

        wanted = Options(
            directory=options["directory"],
            port=options["port"],
            reset=options["reset"],
            simulator=not options["no_simulator"],
        )
        try:
            run(wanted, Console())
        except (DemoError, EmbeddedError) as error:
            raise CommandError(str(error)) from None

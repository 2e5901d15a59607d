"""`manage.py ledger`: what came from each source and what became of it."""

import json
import re
from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now

from telemetry.ingest.ledger import Kind
from telemetry.maintenance import connect
from telemetry.queries.ledger import GROUPS, Line, lines

UNITS = {"m": "minutes", "h": "hours", "d": "days"}
BROKEN = 3  # exit codes; 1 is a failure, 2 a wrong argument
HEADINGS = ("received", "stored", "duplicate", "conflict", "dead", "late")


def span(text: str) -> timedelta:
    """`90m`, `24h` or `7d`."""
    found = re.fullmatch(r"([1-9]\d{0,5})([mhd])", text)
    if found is None:
        raise ArgumentTypeError(f"{text!r} is no time such as 90m, 24h or 7d.")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


class Command(BaseCommand):
    help = (
        "Accounts for every sample: what was received from each source (the plant/zone/machine of a topic, a device "
        "over HTTP, an import, the replay of dead letters) and what became of it: received = stored + duplicate + "
        "conflict + dead. Late samples are among the stored. Exits with 0 when the counts match, 3 when they don't "
        "somewhere, which is a fault of InQube's, 1 when it failed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--last", type=span, default="1h", metavar="TIME", help="How far back: 90m, 24h, 7d; by default 1h."
        )
        parser.add_argument("--by", choices=list(GROUPS), default="source", help="What a line is about.")
        parser.add_argument("--source", metavar="PREFIX", default="", help="Only sources that begin so: kandy/rolling.")
        parser.add_argument("--kind", choices=[str(kind) for kind in Kind], help="Only what came this way.")
        parser.add_argument("--json", action="store_true", help="A JSON object a line, for programs.")

    def handle(
        self, *args: Any, last: timedelta, by: str, source: str, kind: str | None, json: bool, **options: Any
    ) -> None:
        try:
            with connect() as connection:
                found = lines(connection, now() - last, by, source, kind)
        except psycopg.Error as error:
            raise CommandError(f"The database did not answer: {str(error).strip()}") from None
        if json:
            self.write_json(found)
        else:
            self.write_table(found, by)
        broken = sum(line.broken for line in found)
        if broken:
            raise CommandError(f"The counts of {broken:,} minutes don't match.", returncode=BROKEN)

    def write_json(self, found: list[Line]) -> None:
        for line in found:
            self.stdout.write(json.dumps(line.group | {name: getattr(line, name) for name in (*HEADINGS, "broken")}))

    def write_table(self, found: list[Line], by: str) -> None:
        if not found:
            self.stdout.write("Nothing was received.")
            return
        names = [" ".join(line.group.values()) for line in found]
        width = max(map(len, [by, *names]))
        self.stdout.write(f"{by:{width}}" + "".join(f"{heading:>13}" for heading in HEADINGS))
        total = [0] * len(HEADINGS)
        for name, line in zip(names, found, strict=True):
            counts = [getattr(line, heading) for heading in HEADINGS]
            total = [sum(pair) for pair in zip(total, counts, strict=True)]
            mark = f"   {line.broken:,} minutes don't match" if line.broken else ""
            self.stdout.write(f"{name:{width}}" + "".join(f"{count:>13,}" for count in counts) + mark)
        if len(found) > 1:
            self.stdout.write(f"{'':{width}}" + "".join(f"{count:>13,}" for count in total))

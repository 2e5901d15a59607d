"""`manage.py backtest_rule`: what a rule, saved or not, would have raised on stored readings."""

import csv
import json
import time
from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import Error
from django.utils.timezone import now

from alarms.models import Rule
from plants.models import Sensor
from telemetry.backtest.report import Figures, Report, backtest
from telemetry.backtest.told import COLUMNS, as_json, rows
from telemetry.formats import format_time

DEFAULT_RANGE = timedelta(days=7)
REPORT_EVERY_S = 5.0
LISTED = 20  # alarms in a table, the longest
OVERRIDES = {"setpoint": "setpoint", "deadband": "deadband", "on_delay": "on_delay_s", "off_delay": "off_delay_s"}


def moment(text: str) -> datetime:
    """ISO 8601; without an offset it is in the plant's time zone, which is put in later."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no time such as 2026-11-30T14:00 or 2026-11-30T08:30:00Z.") from None


class Command(BaseCommand):
    help = (
        "Tries a rule on stored readings and says what it would have raised: alarms, how many a day, how many of them "
        "chatter (three or more within a minute), the time in alarm; and which deadband and delays would end the "
        "chattering, tried as well. RULE is the id of a saved rule, which the options change for this once; or say "
        "--sensor, --kind and --setpoint for one that does not exist yet. Nothing is written. Raw readings are looked "
        "at, in the order of their time, bad ones left out. Exits with 0 when it is done, 1 when it failed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("rule", nargs="?", type=UUID, metavar="RULE", help="The id of a saved rule.")
        parser.add_argument(
            "--sensor", metavar="ADDRESS", help="A new rule on this sensor: kandy/rolling/roller-2/temp."
        )
        parser.add_argument("--kind", choices=Rule.Kind.values, help="What the new rule watches for.")
        parser.add_argument("--reference", metavar="ADDRESS", help="For a deviation: the sensor from which it is.")
        parser.add_argument("--setpoint", type=float, help="Another limit than the rule's.")
        parser.add_argument("--deadband", type=float, help="Another deadband.")
        parser.add_argument("--on-delay", type=float, metavar="SECONDS", help="Another on-delay.")
        parser.add_argument("--off-delay", type=float, metavar="SECONDS", help="Another off-delay.")
        parser.add_argument(
            "--start", type=moment, help="2026-11-30T14:00, in the plant's time; by default 7 days before the end."
        )
        parser.add_argument("--end", type=moment, help="By default now.")
        parser.add_argument(
            "--format",
            choices=("table", "json", "csv"),
            default="table",
            help="table: for people, with the longest alarms; json: all of it; csv: an alarm a line.",
        )

    def handle(self, *args: Any, format: str, start: datetime | None, end: datetime | None, **options: Any) -> None:
        try:
            rule = self.rule(options)
            tz = ZoneInfo(rule.plant.timezone)
            until = _placed(end, tz) or now()
            since = _placed(start, tz) or until - DEFAULT_RANGE
            if since >= until:
                raise CommandError("--start must be before --end.")
            report = backtest(rule, since, min(until, now()), Progress(self).more)
        except Error as error:
            raise CommandError(f"The database did not answer: {str(error).strip()}") from None
        except KeyboardInterrupt:
            raise CommandError("Stopped; nothing was written.") from None
        if format == "json":
            self.stdout.write(json.dumps(as_json(report), indent=2))
        elif format == "csv":
            writer = csv.writer(self.stdout, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(rows(report))
        else:
            Table(self, report, tz).write()

    def rule(self, options: dict[str, Any]) -> Rule:
        """Saved or not, as the options make it. Raises CommandError."""
        rule = self.saved(options) if options["rule"] else self.new(options)
        for option, field in OVERRIDES.items():
            if options[option] is not None:
                setattr(rule, field, options[option])
        try:
            rule.full_clean()
        except ValidationError as error:
            raise CommandError(f"That is no rule: {' '.join(error.messages)}") from None
        return rule

    def saved(self, options: dict[str, Any]) -> Rule:
        if options["sensor"] or options["kind"] or options["reference"]:
            raise CommandError("Name a saved rule, or --sensor and --kind for a new one, not both.")
        rule = Rule.objects.select_related("plant", "reference").filter(pk=options["rule"]).first()
        if rule is None:
            raise CommandError(f"There is no rule {options['rule']}.")
        return rule

    def new(self, options: dict[str, Any]) -> Rule:
        if not options["sensor"] or not options["kind"]:
            raise CommandError("Name a saved rule by its id, or --sensor and --kind for a new one.")
        sensor = _sensor(options["sensor"])
        reference = _sensor(options["reference"]) if options["reference"] else None
        return Rule(plant=sensor.machine.zone.plant, sensor=sensor, kind=options["kind"], reference=reference)


class Progress:
    """A line now and then, beside the output."""

    def __init__(self, command: BaseCommand) -> None:
        self._command = command
        self._began = self._shown = time.monotonic()
        self._readings = 0

    def more(self, readings: int) -> None:
        self._readings += readings
        moment = time.monotonic()
        if moment - self._shown >= REPORT_EVERY_S:
            self._shown = moment
            rate = self._readings / (moment - self._began)
            self._command.stderr.write(f"{self._readings:,} readings looked at, {rate:,.0f} a second")


class Table:
    """For people."""

    def __init__(self, command: BaseCommand, report: Report, tz: ZoneInfo) -> None:
        self._line = command.stdout.write
        self._report = report
        self._tz = tz

    def write(self) -> None:
        report = self._report
        self._line(f"{report.rule}: {_terms(report.rule)}")
        self._line(
            f"{format_time(report.start, self._tz)} to {format_time(report.end, self._tz)}, "
            f"{report.readings:,} readings of {len(report.results):,} sensor{'s'[: len(report.results) != 1]}"
        )
        self._sensors()
        self._longest()
        self._advice()

    def _sensors(self) -> None:
        report = self._report
        width = max([len("together"), *(len(result.sensor.address) for result in report.results)])
        self._line("")
        self._line(f"{'':{width}}{'alarms':>10}{'a day':>10}{'chattering':>12}{'in alarm':>16}{'of the time':>13}")
        for result in report.results:
            self._line(f"{result.sensor.address:{width}}{self._figures(result.figures)}{self._note(result.raw_from)}")
        if len(report.results) > 1:
            self._line(f"{'together':{width}}{self._figures(report.figures)}")

    def _figures(self, of: Figures) -> str:
        a_day = self._report.a_day(of)
        return f"{of.alarms:>10,}{a_day:>10,.1f}{of.chattering:>12,}{_length(of.active):>16}{of.percent:>11.2f} %"

    def _note(self, raw_from: datetime | None) -> str:
        if raw_from is None:
            return "   no readings are kept"
        return f"   readings from {format_time(raw_from, self._tz)} on" if raw_from > self._report.start else ""

    def _longest(self) -> None:
        found = sorted(rows(self._report), key=lambda row: -row[3])[:LISTED]
        if not found:
            return
        self._line(f"\nThe longest {len(found)}:" if self._report.figures.alarms > len(found) else "\nAlarms:")
        for address, start, end, lasts_s, trigger, peak in sorted(found, key=lambda row: (row[1], row[0])):
            begun = format_time(datetime.fromisoformat(start), self._tz)
            values = "" if trigger is None else f"   from {trigger:g}, at the most {peak:g}"
            lasting = "" if end is not None else ", and lasts"
            length = _length(timedelta(seconds=lasts_s))
            self._line(f"{begun:>27}{length:>16}{lasting}{values}   {address}")

    def _advice(self) -> None:
        report, advice = self._report, self._report.advice
        self._line("")
        for reason in advice.reasons:
            self._line(reason)
        if advice.after is not None:
            options = (
                f"--deadband {advice.deadband:g} --on-delay {advice.on_delay_s:g} --off-delay {advice.off_delay_s:g}"
            )
            self._line(
                f"Tried with {options}: {advice.after.alarms:,} alarms instead of {report.figures.alarms:,}, "
                f"{advice.after.chattering:,} of them chattering instead of {report.figures.chattering:,}."
            )


def _placed(time: datetime | None, tz: ZoneInfo) -> datetime | None:
    return time if time is None or time.tzinfo is not None else time.replace(tzinfo=tz)


def _sensor(address: str) -> Sensor:
    sensor = Sensor.objects.select_related("machine__zone__plant").named([address]).first()
    if sensor is None:
        raise CommandError(f"There is no sensor {address}; an address is plant/zone/machine/sensor.")
    return sensor


def _terms(rule: Rule) -> str:
    setpoint = "" if rule.setpoint is None else f" {rule.setpoint:g}"
    delays = f"on-delay {rule.on_delay_s:g} s, off-delay {rule.off_delay_s:g} s"
    return f"{rule.kind}{setpoint}, deadband {rule.deadband:g}, {delays}"


def _length(time: timedelta) -> str:
    """`2 d 03:04:05`, to the second."""
    seconds = round(time.total_seconds())
    days, clock = divmod(seconds, 86_400)
    text = f"{clock // 3600:02}:{clock // 60 % 60:02}:{clock % 60:02}"
    return f"{days} d {text}" if days else text

"""`manage.py simulate`: devices that publish over MQTT as real ones do, as many as wanted, with faults if wanted."""

import re
import signal
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from json import dumps
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from plants.broker_address import Broker
from plants.demo_factory import PLANTS
from plants.models.slugs import SLUG_PATTERN
from telemetry.simulator.connection import Devices
from telemetry.simulator.faults import Faults
from telemetry.simulator.fleet import SHORTEST_INTERVAL_S, Fleet
from telemetry.simulator.forms import FORMS
from telemetry.simulator.inventory import create
from telemetry.simulator.run import KEPT_MESSAGES, NoBrokerError, Run
from telemetry.simulator.stream import Load

KNOWN_WITHIN_S = 3.0  # ingest knows new sensors within two seconds
LEAST_SKEW_S, MOST_SKEW_S = 600.0, 86_400.0  # ahead surely refused, behind surely stored
USUAL_PER_MESSAGE = 20  # in the forms that hold several
MOST_PER_MESSAGE = 5_000  # well within the size of a message that InQube takes


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ArgumentTypeError("must be above 0")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ArgumentTypeError("must be 1 or more")
    return value


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise ArgumentTypeError("must be a share between 0 and 1")
    return value


class Command(BaseCommand):
    help = (
        "Publishes to MQTT_URL as devices do, with QoS 1. Without --sensors it is what the demo factory's sensors read "
        "now, continuing the history that seed_demo writes; with --sensors a load of that many sensors. Goes on "
        "until SIGTERM or Ctrl-C, or to the end of --duration or --count, and then tells what was published, what was "
        "broken on purpose, and what the ledger should have gained. Needs no database, but for --create. The same "
        "--seed gives the same messages, but for their times; of the demo factory, at the same time."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_argument_group("what is sent")
        what.add_argument("--sensors", type=_count, metavar="N", help="A load of so many sensors, 20 on each machine.")
        what.add_argument(
            "--plant",
            metavar="SLUG",
            help="One of the demo factory's plants, by default all; with --sensors the load's plant, by default load.",
        )
        what.add_argument(
            "--create",
            action="store_true",
            help="With --sensors: first makes plant, zones, machines and sensors that are missing in the database.",
        )
        what.add_argument(
            "--rate",
            type=_positive,
            metavar="READINGS",
            help="Readings a second, of all sensors together. By default each sensor at its expected interval, "
            "which of a load is one second.",
        )
        what.add_argument(
            "--form",
            choices=FORMS,
            help="Payloads: number (23.4, which has no time), object (with v and ts), list (of objects), machine "
            "(ts and values of several sensors). By default as the demo's devices do, and object for a load.",
        )
        what.add_argument(
            "--per-message",
            type=_count,
            default=None,
            metavar="READINGS",
            help="With --sensors and the forms list and machine: readings in a message. Default 20.",
        )
        what.add_argument("--seed", type=int, default=0, help="Another course of events; 0 is that of seed_demo.")
        what.add_argument("--duration", type=_positive, metavar="SECONDS", help="Ends after this time.")
        what.add_argument("--count", type=_count, metavar="MESSAGES", help="Ends after so many messages.")
        what.add_argument(
            "--connections", type=_count, default=1, help="Connections among which machines are shared out. Default 1."
        )
        what.add_argument("--json", action="store_true", help="The summary as a JSON object, for programs.")
        wrong = parser.add_argument_group(
            "what goes wrong", "Shares between 0 and 1, by default 0; --drift 0.1 is a tenth."
        )
        wrong.add_argument("--drift", type=_share, default=0, help="Of sensors and episodes: values leave the truth.")
        wrong.add_argument("--stuck", type=_share, default=0, help="Of sensors and episodes: the value stays the same.")
        wrong.add_argument("--gap", type=_share, default=0, help="Of machines and episodes: nothing is sent.")
        wrong.add_argument(
            "--skew",
            type=_share,
            default=0,
            help="Of machines and episodes: the clock is wrong, half of them ahead, which is refused, half behind.",
        )
        wrong.add_argument("--duplicates", type=_share, default=0, help="Of messages: sent twice.")
        wrong.add_argument("--reordering", type=_share, default=0, help="Of messages: overtaken by up to ten others.")
        wrong.add_argument("--malformed", type=_share, default=0, help="Of messages: damaged, no JSON any more.")
        wrong.add_argument(
            "--episode", type=_positive, default=60.0, metavar="SECONDS", help="How long an episode is. Default 60."
        )
        wrong.add_argument(
            "--skew-by", type=_positive, default=3600.0, metavar="SECONDS", help="How wrong clocks are. Default 3600."
        )

    def handle(self, *args: Any, create: bool, connections: int, json: bool, **options: Any) -> None:
        load = load_of(options)
        try:
            broker = Broker.from_url(settings.MQTT_URL)
        except ValueError as error:
            raise CommandError(str(error)) from None
        if create:
            self.create(load)
        try:
            devices = Devices(broker, connections, KEPT_MESSAGES)
        except OSError as error:
            raise CommandError(f"A certificate of MQTT_CA_FILE or MQTT_CERT_FILE can't be used: {error}") from None
        run = Run(devices, load, sys.stderr if sys.stderr.isatty() else None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, run.stop)
        try:
            run()
        except NoBrokerError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(dumps(run.as_dict()) if json else run.words())
        if load.is_bounded and not run.is_stopped and run.lost:
            raise CommandError(f"The broker did not take {run.lost:,} messages.{run.why}")

    def create(self, load: Load) -> None:
        if load.fleet is None:
            raise CommandError("--create makes the plant of --sensors; the demo factory's are made by seed_demo.")
        made = create(load.fleet, load.interval_s)
        self.stderr.write(f"Of the {load.fleet.sensors:,} sensors of {load.fleet.plant}, {made:,} were missing.")
        if made:
            time.sleep(KNOWN_WITHIN_S)


def load_of(options: dict[str, Any]) -> Load:
    """What the arguments ask for; CommandError where they contradict each other."""
    form, rate, sensors, plant = (options[name] for name in ("form", "rate", "sensors", "plant"))
    if not LEAST_SKEW_S <= options["skew_by"] <= MOST_SKEW_S:
        raise CommandError(f"--skew-by must be between {LEAST_SKEW_S:.0f} and {MOST_SKEW_S:.0f} seconds.")
    if form == "number" and options["skew"]:
        raise CommandError("Bare numbers carry no time: --skew needs another --form.")
    if sensors is None:
        demo = [each.slug for each in PLANTS]
        if plant not in (None, *demo):
            raise CommandError(f"The demo factory's plants are {' and '.join(demo)}; others need --sensors.")
        if options["per_message"] is not None:
            raise CommandError("--per-message needs --sensors: the demo factory's devices send as they do.")
    elif not re.match(SLUG_PATTERN, plant or "load"):
        raise CommandError("--plant must be a slug: lower-case letters, digits, - and _.")
    if options["per_message"] not in (None, 1) and form not in ("list", "machine"):
        raise CommandError("--per-message needs --form list or machine: the others hold one reading.")
    if (options["per_message"] or 1) > MOST_PER_MESSAGE:
        raise CommandError(f"--per-message may be {MOST_PER_MESSAGE:,} at most: messages have a limit of size.")
    if sensors is not None and rate is not None and sensors / rate < SHORTEST_INTERVAL_S:
        raise CommandError(f"At most {1 / SHORTEST_INTERVAL_S:.0f} readings a second of a sensor: give more --sensors.")
    names = ("drift", "stuck", "gap", "skew", "malformed", "duplicates", "reordering")
    return Load(
        fleet=Fleet(plant or "load", sensors) if sensors is not None else None,
        plant=plant,
        rate=rate,
        per_message=options["per_message"] or (USUAL_PER_MESSAGE if form in ("list", "machine") else 1),
        form=form,
        seed=options["seed"],
        duration_s=options["duration"],
        count=options["count"],
        faults=Faults(
            **{name: options[name] for name in names}, episode_s=options["episode"], skew_s=options["skew_by"]
        ),
    )

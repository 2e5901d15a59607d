"""A plant in which everything that pages can show is to be seen, and the people who look at it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django import app

from accounts.models import User
from alarms.models import Actor, Decision, Delivery, NotificationChannel, NotificationPolicy, NotificationStep, Source
from alarms.tests.alarms import make_alarm
from plants.models import Machine, Membership, Plant, Sensor, Zone
from plants.models.devices import Device
from plants.scales import BAD, GOOD, UNCERTAIN
from telemetry.models import DeadLetter, DiscoveredSensor, IngestEvent, IngestShard, LedgerEntry
from telemetry.readings import Reading
from telemetry.tests.letters import make_letter
from telemetry.tests.samples import us, write

STATES = {"0": "stopped", "1": "running", "2": "idle", "3": "fault", "4": "maintenance"}
LONG = "Fermenting drum with an unusually long name, second from the left"
COUNTS = {"received": 1240, "stored": 1200, "duplicate": 30, "conflict": 6, "late": 12, "dead": 4}

# Of roller-2: how its newest reading is. Name, seconds since, quality; None for never.
MANNERS = (
    ("Fresh", 2, GOOD),
    ("Late", 52, GOOD),
    ("Stale", 840, GOOD),
    ("Bad", 2, BAD),
    ("Uncertain", 3, UNCERTAIN),
    ("No data", None, GOOD),
)


@dataclass(frozen=True)
class Scene:
    """What the paths of pages are filled with, and the session of each person by name."""

    ids: dict[str, str]
    sessions: dict[str, str]


def course(sensor: Sensor, newest: datetime, quality: int = GOOD) -> Iterator[Reading]:
    """An hour up to the newest reading, one in half a minute."""
    for step in range(120, -1, -1):
        time = newest - timedelta(seconds=30 * step)
        yield sensor.number, us(time), 60 + 8 * math.sin(step / 9), GOOD if step else quality


def states(sensor: Sensor, now: datetime, *changes: tuple[float, int]) -> Iterator[Reading]:
    """`(hours ago, state)`: each said once a minute until the next."""
    for (since, state), (until, _) in zip(changes, [*changes[1:], (0, 0)], strict=True):
        for minute in range(round(60 * since), round(60 * until), -1):
            yield sensor.number, us(now - timedelta(minutes=minute)), float(state), GOOD
    yield sensor.number, us(now - timedelta(seconds=1)), float(changes[-1][1]), GOOD


def machine(zone: Zone, name: str, position: int, sensors: int = 2) -> Machine:
    made = Machine.objects.create(zone=zone, slug=f"m{position}", name=name, type="roller", position=position)
    for number in range(sensors):
        Sensor.objects.create(machine=made, slug=f"s{number}", name=f"Current {number}", unit="A", position=number)
    return made


def roller(zone: Zone, now: datetime) -> Machine:
    """A machine whose sensors are each in another state."""
    made = Machine.objects.create(zone=zone, slug="roller-2", name="Roller 2", type="roller")
    readings: list[Reading] = []
    for position, (name, age_s, quality) in enumerate(MANNERS):
        sensor = Sensor.objects.create(
            machine=made,
            slug=name.lower().replace(" ", "-"),
            name=f"{name} temperature",
            unit="°C",
            low=0,
            high=120,
            expected_interval_s=10,
            position=position,
        )
        sensor.refresh_from_db()
        if age_s is not None:
            readings += course(sensor, now - timedelta(seconds=age_s), quality)
    state = Sensor.objects.create(machine=made, slug="state", name="State", kind="state", states=STATES, position=7)
    bags = Sensor.objects.create(machine=made, slug="bags", name="Bags", kind="counter", position=8)
    state.refresh_from_db()
    bags.refresh_from_db()
    readings += states(state, now, (7, 1), (5, 2), (4.5, 4), (4, 0), (3, 3), (2.9, 1))
    readings += [(bags.number, us(now - timedelta(minutes=each)), 9000.0 - each, GOOD) for each in range(60)]
    write(readings)
    return made


def others(zone: Zone, now: datetime) -> None:
    """One in fault, one silent, one that never said anything, one with a name that is too long."""
    fault, silent = machine(zone, "Roller 3", 1), machine(zone, "Packer", 2)
    machine(zone, "Dryer", 3)
    machine(zone, LONG, 4)
    state = Sensor.objects.create(machine=fault, slug="state", name="State", kind="state", states=STATES, position=7)
    state.refresh_from_db()
    readings = [*states(state, now, (3, 1), (0.1, 3))]
    for sensor in Sensor.objects.filter(machine=silent):
        readings += course(sensor, now - timedelta(hours=2))
    write(readings)


def inbox(plant: Plant, now: datetime) -> tuple[DeadLetter, DiscoveredSensor]:
    make_letter(plant, b'{"values": {"temp": 23.4,', reason="invalid_json", detail="It ends in the middle.")
    make_letter(plant, bytes(range(64)), reason="invalid_json", detail="unbroken-" * 30)
    make_letter(plant, b"7", state="discarded", decided_at=now)
    found = [
        DiscoveredSensor.objects.create(
            plant=plant,
            address=f"{plant.slug}/rolling/roller-2/{slug}",
            first_seen=now - timedelta(days=3),
            last_seen=now,
            last_time=now,
            last_value=71.5,
            count=1240,
        )
        for slug in ("oil-temp", "a-very-long-name-of-a-sensor-that-somebody-has-made-up-1")
    ]
    return make_letter(plant, b"61.75"), found[0]


def notifications(plant: Plant, now: datetime) -> tuple[NotificationChannel, NotificationPolicy, Delivery]:
    """A webhook that failed, and what is told there."""
    channel = NotificationChannel.objects.create(
        plant=plant,
        name="Maintenance on duty",
        kind="webhook",
        url="https://hooks.example.org/alarms",
        last_failure_at=now,
        last_failure="503 Service Unavailable: try again later",
    )
    policy = NotificationPolicy.objects.create(plant=plant, name="Severe", quiet_from="22:00", quiet_to="06:00")
    NotificationStep.objects.create(policy=policy, channel=channel)
    NotificationStep.objects.create(policy=policy, channel=channel, after_min=15)
    delivery = Delivery.objects.create(
        plant=plant,
        channel=channel,
        channel_name=channel.name,
        kind="test",
        state="failed",
        due_at=now,
        attempts=1,
        reason=channel.last_failure,
    )
    delivery.tries.create(at=now, is_success=False, outcome=channel.last_failure, duration_ms=431)
    return channel, policy, delivery


def installation(now: datetime) -> str:
    """What the system page shows; gives the id of a job."""
    minute = now.replace(second=0, microsecond=0)
    LedgerEntry.objects.create(minute=minute, kind="mqtt", source="kandy/rolling/roller-2", **COUNTS)
    alive = {"seen_at": now, "contact_at": now, "connected_at": now, "is_subscribed": True, "plants": ["kandy"]}
    IngestShard.objects.create(
        client_id="ingest", shard=1, of=1, host="edge-1", pid=412, started_at=now - timedelta(days=2), **alive
    )
    IngestEvent.objects.create(at=now, client_id="ingest", kind="took_over", detail="after 4 s")
    return str(app.configure_task("latest").defer(timestamp=0))


def build() -> Scene:
    """Committed, so that a web server sees it."""
    now = timezone.now()
    people = [("alice", "admin"), ("bob", "operator"), ("vera", "viewer"), ("newcomer", "viewer")]
    users = {name: User.objects.create(email=f"{name}@example.org", name=name, role=role) for name, role in people}
    plant = Plant.objects.create(slug="kandy", name="Kandy Tea", location="Kandy, Sri Lanka", timezone="Asia/Colombo")
    for name in ("bob", "vera"):
        Membership.objects.create(user=users[name], plant=plant)
    zone = Zone.objects.create(plant=plant, slug="rolling", name="Rolling", kind="line")
    found = roller(zone, now)
    others(zone, now)
    Zone.objects.create(plant=plant, slug="sorting", name="Sorting", position=1)
    Plant.objects.create(slug="rotterdam", name="Rotterdam", timezone="Europe/Amsterdam")
    letter, discovered = inbox(plant, now)
    device = Device(plant=plant, name="gateway")
    device.issue_secret()
    device.save()
    channel, policy, delivery = notifications(plant, now)
    job = installation(now)
    alarm = make_alarm(Sensor.objects.get(slug="fresh"))
    by = Actor(users["bob"], Source.PAGE)
    alarm.comment(by, "Smells of oil.")
    decision = Decision.objects.record(
        by, alarm=alarm, action="manual_action", reason="Oil changed.", sensors=[alarm.sensor_id]
    )
    things = {
        "plant": plant,
        "zone": zone,
        "machine": found,
        "sensor": Sensor.objects.get(slug="fresh"),
        "user": users["vera"],
        "deadletter": letter,
        "discoveredsensor": discovered,
        "device": device,
        "rule": alarm.rule,
        "alarm": alarm,
        "decision": decision,
        "notificationchannel": channel,
        "notificationpolicy": policy,
        "delivery": delivery,
        "ingestshard": IngestShard.objects.get(),
        "ingestevent": IngestEvent.objects.get(),
    }
    ids = {name: str(thing.pk) for name, thing in things.items() if thing} | {"procrastinatejob": job}
    ids["sensors_type"] = str(ContentType.objects.get_for_model(Sensor).pk)
    sessions = {}
    for name, user in users.items():
        browser = Client()
        browser.force_login(user)
        sessions[name] = browser.cookies[settings.SESSION_COOKIE_NAME].value
    return Scene(ids, sessions)

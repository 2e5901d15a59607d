"""Two plants of different people, so that each has something of their own to see and something foreign to miss."""

from dataclasses import dataclass
from typing import Any

from django.test import Client

from accounts.models import User
from accounts.tokens import issue_access_token
from alarms.models import (
    Actor,
    Alarm,
    Decision,
    Delivery,
    NotificationChannel,
    NotificationPolicy,
    NotificationStep,
    Rule,
    RuleVersion,
    Source,
)
from plants.models import Machine, Membership, Plant, Sensor, Zone
from plants.models.devices import Device, hashed
from telemetry.models import DiscoveredSensor, IngestEvent, IngestShard
from telemetry.tests.letters import make_letter

# Names that occur nowhere else, no document's example either: they give away whatever carries them.
HERE = "amberly"
THERE = "zephyrton"

PERSONAS = ("anonymous", "viewer", "operator", "owner", "admin", "other", "deactivated")
# `other` is an operator too, but of the other plant; a user who was deactivated is nobody any more.
HOME = {"viewer": HERE, "operator": HERE, "owner": HERE, "other": THERE, "deactivated": HERE}


@dataclass(frozen=True)
class Place:
    """A plant and one of each thing that belongs to it, by the names that routes give them."""

    name: str
    things: dict[str, Any]

    def __getattr__(self, kind: str) -> Any:
        return self.things[kind]


@dataclass(frozen=True)
class World:
    """The plants, and the personas' ways to be somebody; each dictionary of the latter is by persona."""

    places: dict[str, Place]
    tokens: dict[str, str]
    programs: dict[str, Client]
    browsers: dict[str, Client]

    def hidden_from(self, persona: str) -> list[str]:
        """The names that must not occur in any answer to this persona."""
        if persona == "admin":
            return []
        return [name for name in self.places if name != HOME.get(persona) or persona == "deactivated"]


def user(name: str, role: str, plant: Plant | None) -> User:
    home = plant.slug if plant else "headquarters"
    created = User.objects.create(email=f"{name}@{home}.example", name=f"{name} of {home}", role=role, password="!")
    if plant is not None:
        Membership.objects.create(user=created, plant=plant)
    return created


def place(name: str) -> Place:
    """Everything in it carries its name, also what filters list: types, units, locations."""
    owner = user("owner", "operator", None)
    User.objects.filter(pk=owner.pk).update(email=f"owner@{name}.example", name=f"Owner of {name}")
    owner.refresh_from_db()
    plant = Plant.objects.create(slug=name, name=f"Plant {name}", location=name, owner=owner)
    zone = Zone.objects.create(plant=plant, slug=f"zone-{name}", name=f"Zone {name}")
    machine = Machine.objects.create(zone=zone, slug=f"machine-{name}", name=f"Machine {name}", type=name)
    sensor = Sensor.objects.create(
        machine=machine, slug=f"sensor-{name}", name=f"Sensor {name}", type=name, unit=name, is_active=True
    )
    member = user("member", "viewer", plant)
    things = {"plant": plant, "zone": zone, "machine": machine, "sensor": sensor, "user": member, "owner": owner}
    things["device"] = Device.objects.create(plant=plant, name=f"device-{name}", secret_hash=hashed("secret"))
    # Not JSON, so that a replay stores nothing: the store has a connection of its own, which takes nothing back.
    things["deadletter"] = make_letter(
        plant,
        b"?",
        source=f"{name}/{zone.slug}/{machine.slug}",
        topic=f"inqube/v1/{name}/{zone.slug}/{machine.slug}/t",
        address="",
        reason="invalid_json",
        detail=f"{name} sent no JSON.",
    )
    things["ingestshard"] = IngestShard.objects.create(
        client_id=f"ingest-{name}",
        shard=1,
        of=1,
        host=name,
        pid=1,
        started_at=plant.created_at,
        seen_at=plant.created_at,
    )
    things["ingestevent"] = IngestEvent.objects.create(
        at=plant.created_at, client_id=f"ingest-{name}", kind="took_over", detail=name
    )
    things["discoveredsensor"] = DiscoveredSensor.objects.create(
        plant=plant,
        address=f"{name}/{zone.slug}/{machine.slug}/new",
        first_seen=plant.created_at,
        last_seen=plant.created_at,
        last_label=name,
    )
    rule = things["rule"] = Rule.objects.create(
        plant=plant, sensor=sensor, kind="high", setpoint=1, message=f"Hot in {name}", advice=f"Cool {name}."
    )
    things["alarm"] = Alarm.objects.create(
        plant=plant,
        machine=machine,
        sensor=sensor,
        rule=rule,
        version=RuleVersion.objects.get(rule=rule),
        severity="high",
        title=f"Machine {name}: hot in {name}",
        state="raised",
        raised_at=plant.created_at,
    )
    things["decision"] = Decision.objects.record(
        Actor(member, Source.API),
        machine=machine,
        action="accept",
        reason=f"{name} goes on.",
        sensors=[sensor.pk],
    )
    return Place(name, things | notifications(plant) | {"membership": Membership.objects.get(user=member)})


def notifications(plant: Plant) -> dict[str, Any]:
    channel = NotificationChannel.objects.create(
        plant=plant, name=f"Channel {plant.slug}", kind="email", addresses=f"duty@{plant.slug}.example"
    )
    policy = NotificationPolicy.objects.create(plant=plant, name=f"Policy {plant.slug}")
    NotificationStep.objects.create(policy=policy, channel=channel)
    delivery = Delivery.objects.create(
        plant=plant, channel=channel, channel_name=channel.name, kind="test", due_at=plant.created_at
    )
    return {"notificationchannel": channel, "notificationpolicy": policy, "delivery": delivery}


def build() -> World:
    """Everybody signs in, then one is deactivated."""
    places = {name: place(name) for name in (HERE, THERE)}
    here, there = places[HERE].plant, places[THERE].plant
    users = {
        "viewer": user("viewer", "viewer", here),
        "operator": user("operator", "operator", here),
        "owner": places[HERE].owner,
        "admin": user("admin", "admin", None),
        "other": user("other", "operator", there),
        "deactivated": user("deactivated", "operator", here),
    }
    programs, browsers = ({persona: Client(raise_request_exception=False) for persona in PERSONAS} for _ in range(2))
    tokens = {persona: issue_access_token(user) for persona, user in users.items()}
    for persona, user_ in users.items():
        programs[persona].defaults["HTTP_AUTHORIZATION"] = f"Bearer {tokens[persona]}"
        browsers[persona].force_login(user_)
    deactivated = users["deactivated"]
    deactivated.is_active = False
    deactivated.save(update_fields=["is_active"])
    return World(places, tokens, programs, browsers)

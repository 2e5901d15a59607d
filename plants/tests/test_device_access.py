"""What a device may do on a real Mosquitto, and what it tries in vain. MQTT tells nobody who published."""

from collections.abc import Callable, Iterator

import pytest

from plants.broker_sync import sync
from plants.models import Plant
from plants.models.devices import Device
from plants.tests.mosquitto import ManagedBroker, Visitor

pytestmark = pytest.mark.mosquitto

INSIDE = ["rolling/roller-2/t", "rolling/roller-2/t/temp", "rolling/roller-3/t/rpm", "$status/gateway"]
OUTSIDE = ["drying/dryer-1/t", "rolling/roller-2", "rolling/roller-2/t/temp/more", "rolling/t", "$status/other"]
ELSEWHERE = [
    "inqube/v1/rotterdam/rolling/roller-2/t",
    "inqube/v2/kandy/rolling/roller-2/t",
    "somewhere",
    "$SYS/broker/uptime",
    "$CONTROL/dynamic-security/v1",
]
INGEST = ("inqube", "ingests")

Visit = Callable[..., Visitor]


@pytest.fixture
def visit(broker: ManagedBroker) -> Iterator[Visit]:
    """Connects: to the port for devices, if to no other."""
    visitors: list[Visitor] = []

    def visit(
        username: str | None, password: str | None, client_id: str = "", port: int = 1883, **more: object
    ) -> Visitor:
        visitors.append(Visitor(broker.ports[port], username, password, client_id, **more))
        return visitors[-1]

    yield visit
    for visitor in visitors:
        visitor.leave()


@pytest.fixture
def secret(broker: ManagedBroker, kandy: Plant) -> str:
    """Of kandy/gateway, which sends for the zone rolling."""
    device = Device(plant=kandy, name="gateway", prefix="rolling")
    secret = device.issue_secret()
    device.save()
    sync()
    return secret


def test_it_publishes_under_its_prefix(visit: Visit, secret: str) -> None:
    ingest = visit(*INGEST, "inqube-ingest", 1884)
    assert ingest.subscribe("inqube/v1/#")
    gateway = visit("kandy/gateway", secret)
    topics = [f"inqube/v1/kandy/{rest}" for rest in INSIDE]
    assert [topic for topic in topics if gateway.publish(topic)] == topics
    assert [topic for topic, _ in ingest.received(len(topics))] == topics


def test_it_publishes_nowhere_else(visit: Visit, secret: str) -> None:
    gateway = visit("kandy/gateway", secret)
    assert gateway.is_let_in
    assert [rest for rest in OUTSIDE if gateway.publish(f"inqube/v1/kandy/{rest}", retain=True)] == []
    assert [topic for topic in ELSEWHERE if gateway.publish(topic)] == []


@pytest.mark.parametrize(
    ("prefix", "may", "may_not"),
    [
        ("", "drying/dryer-1/t/temp", "../rotterdam/a/b/t"),
        ("rolling/roller-2", "rolling/roller-2/t/temp", "rolling/roller-3/t/temp"),
    ],
)
def test_it_publishes_for_a_plant_or_a_machine(
    broker: ManagedBroker, visit: Visit, kandy: Plant, prefix: str, may: str, may_not: str
) -> None:
    device = Device(plant=kandy, name="plc", prefix=prefix)
    secret = device.issue_secret()
    device.save()
    sync()
    plc = visit("kandy/plc", secret)
    assert plc.publish(f"inqube/v1/kandy/{may}")
    assert not plc.publish(f"inqube/v1/kandy/{may_not}")


@pytest.mark.parametrize("pattern", ["inqube/v1/kandy/rolling/roller-2/t", "inqube/v1/#", "#", "$SYS/#", "$share/a/#"])
def test_it_reads_nothing(visit: Visit, secret: str, pattern: str) -> None:
    assert not visit("kandy/gateway", secret).subscribe(pattern)


def test_it_leaves_its_own_last_will_only(visit: Visit, secret: str) -> None:
    ingest = visit(*INGEST, "inqube-ingest", 1884)
    assert ingest.subscribe("inqube/v1/#")
    for topic in (
        "inqube/v1/kandy/drying/dryer-1/t",
        "inqube/v1/kandy/$status/other",
        "inqube/v1/kandy/$status/gateway",
    ):
        visit("kandy/gateway", secret, will=topic).vanish()
    assert ingest.received(1) == [("inqube/v1/kandy/$status/gateway", b"will")]
    ingest.leave()
    late = visit(*INGEST, "late", 1884)
    assert late.subscribe("inqube/v1/#")
    assert [topic for topic, _ in late.received(1)] == ["inqube/v1/kandy/$status/gateway"]


@pytest.mark.parametrize(
    ("username", "password"),
    [("kandy/gateway", "wrong"), ("kandy/gateway", ""), ("kandy/other", None), ("inqube", "wrong"), (None, None)],
)
def test_it_needs_its_secret(visit: Visit, secret: str, username: str | None, password: str | None) -> None:
    assert not visit(username, password).is_let_in


@pytest.mark.parametrize("port", [1883, 1884])
def test_it_takes_no_session_but_its_own(visit: Visit, secret: str, port: int) -> None:
    """With the client id of ingest, or of another device, it would get what the broker holds for that."""
    ingest = visit(*INGEST, "inqube-ingest", 1884)
    assert ingest.subscribe("inqube/v1/#")
    thief = visit("kandy/gateway", secret, "inqube-ingest", port)
    assert thief.is_let_in is (port == 1883)  # under its own name
    honest = visit("kandy/gateway", secret, "kandy/gateway", port)
    assert honest.publish("inqube/v1/kandy/rolling/roller-2/t")
    assert len(ingest.received(1)) == 1
    assert not ingest.gone.is_set()
    assert thief.messages == []


def test_ingest_reads_and_says_nothing(visit: Visit, secret: str) -> None:
    ingest = visit(*INGEST, "inqube-ingest", 1884)
    patterns = [
        "inqube/v1/+/+/+/t",
        "inqube/v1/kandy/+/+/t/+",
        "$SYS/broker/publish/messages/dropped",
        "#",
        "$CONTROL/#",
    ]
    assert [ingest.subscribe(pattern) for pattern in patterns] == [True, True, True, False, False]
    assert not ingest.publish("inqube/v1/kandy/rolling/roller-2/t")
    assert not ingest.publish("$CONTROL/dynamic-security/v1")

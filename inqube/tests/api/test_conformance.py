"""Schemathesis asks every operation of OpenAPI odd questions; each answer must be one that OpenAPI promises."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher, make_password
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.models import User
from accounts.tokens import issue_access_token
from alarms.models import Actor, Decision, Rule, Source
from alarms.tests.alarms import make_alarm
from plants.models import Machine, Membership, Plant, Sensor, Zone
from plants.models.devices import Device, hashed
from telemetry.models import DiscoveredSensor
from telemetry.tests.letters import make_letter

EXAMPLES = 6  # an operation and person; all of them take about 30 s
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
METHODS = ("get", "post", "put", "patch", "delete")

description = SchemaGenerator().get_schema(request=None, public=True)
# The cases of the coverage phase are many and each the same in every run; the generated ones find as much.
config = SchemathesisConfig.from_dict({"phases": {"coverage": {"enabled": False}}})
schema = schemathesis.openapi.from_dict(description, config=config)
schema.app = WSGIHandler()


@pytest.fixture
def tokens(alice: User, bob: User) -> dict[str, str]:
    return {user.role: issue_access_token(user) for user in (alice, bob)}


@pytest.fixture
def rows(kandy: Plant, vera: User) -> dict[str, str]:
    """Something that is there, by the name under which paths and bodies speak of it."""
    machine = Machine.objects.get(zone__plant=kandy)
    temp = Sensor.objects.get(machine=machine, slug="temp")
    alarm = make_alarm(temp)
    found = {
        "plants": kandy,
        "zones": Zone.objects.get(plant=kandy),
        "machines": machine,
        "sensors": temp,
        "memberships": Membership.objects.get(plant=kandy, user=vera),
        "users": vera,
        "dead-letters": make_letter(kandy, b"?", reason="invalid_json"),
        "discovered-sensors": DiscoveredSensor.objects.create(
            plant=kandy,
            address="kandy/rolling/roller-2/humidity",
            first_seen=kandy.created_at,
            last_seen=kandy.created_at,
        ),
        "alarms": alarm,
        "decisions": Decision.objects.record(Actor(vera, Source.API), alarm=alarm, action="defer", reason="Later."),
        "rules": Rule.objects.get(),
        "devices": Device.objects.create(plant=kandy, name="gateway", secret_hash=hashed("secret")),
    }
    return {name: str(row.pk) for name, row in found.items()}


@pytest.fixture(autouse=True)
def quick_hasher(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked here is not what a password costs."""
    monkeypatch.setattr(BCryptSHA256PasswordHasher, "rounds", 4)


@pytest.fixture
def password_hash(quick_hasher: None) -> str:
    return make_password("correct horse battery")


@pytest.fixture
def kept_connection() -> Iterator[None]:
    """Django's own test client does the same: the end of a request must not close the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


# Schemathesis asks by WSGI, where Django collects the files that ASGI streams.
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous iterators")
@pytest.mark.usefixtures("kept_connection")
@pytest.mark.parametrize("role", ["admin", "operator"])
@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_it_answers_as_described(case: Any, tokens: dict[str, str], rows: dict[str, str], role: str) -> None:
    speak_of_what_is_there(case, rows)
    with transaction.atomic():
        case.call_and_validate(headers={"Authorization": f"Bearer {tokens[role]}"}, checks=CHECKS)
        transaction.set_rollback(True)


def speak_of_what_is_there(case: Any, rows: dict[str, str]) -> None:
    """Random ids are all unknown, and an operation on nothing shows little: every second example gets real ones."""
    if len(case.id) and int(case.id.encode().hex(), 16) % 2:
        return
    collection = case.path.removeprefix("/api/v1/").split("/")[0]
    if "id" in (case.path_parameters or {}) and collection in rows:
        case.path_parameters["id"] = rows[collection]
    if isinstance(case.body, dict):
        for field in ("plant", "zone", "machine", "sensor", "user"):
            if field in case.body:
                case.body[field] = rows[f"{field}s"]
    if isinstance(case.query, dict) and "sensor_id" in case.query:
        case.query["sensor_id"] = [rows["sensors"]]


@pytest.mark.parametrize("path", sorted(description["paths"]))
def test_it_refuses_methods_that_are_not_described(client: Client, alice: User, path: str) -> None:
    client.force_login(alice)
    described = set(description["paths"][path])
    url = path.replace("{id}", "00000000-0000-0000-0000-000000000000")
    for method in METHODS:
        response = getattr(client, method)(url, content_type="application/json")
        assert (response.status_code == 405) == (method not in described), method

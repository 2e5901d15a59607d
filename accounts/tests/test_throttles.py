import time
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from rest_framework.views import APIView

from accounts import throttles
from accounts.models import User
from inqube import embedded

LOGIN = "/api/v1/login/access-token"


@pytest.fixture(autouse=True)
def limits(settings: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Low limits, an own corner of Valkey, and a clock that stands at the beginning of a minute."""
    settings.THROTTLES = {"login": 2, "refresh": 2, "reads": 3, "writes": 2, "exports": 1}
    settings.CACHES = {"default": settings.CACHES["default"] | {"KEY_PREFIX": f"throttle-test-{uuid4()}"}}
    monkeypatch.setattr(throttles, "ledger", throttles.Ledger())
    monkeypatch.setattr("accounts.throttles.time.time", lambda: 1_800_000_000.5)
    return settings.THROTTLES


def read(client: Client) -> Any:
    return client.get("/api/v1/users/me")


def test_it_counts_each_person_s_reads(client: Client, bob: User, vera: User) -> None:
    client.force_login(bob)
    assert [read(client).status_code for _ in range(4)] == [200, 200, 200, 429]
    client.force_login(vera)
    assert read(client).status_code == 200


def test_it_counts_writes_apart(client: Client, bob: User) -> None:
    client.force_login(bob)
    for _ in range(4):
        read(client)
    statuses = [client.patch("/api/v1/users/me", {}, content_type="application/json").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]


def test_it_counts_exports_apart(client: Client, alice: User) -> None:
    client.force_login(alice)
    statuses = [client.get("/api/v1/audit/", {"format": "csv"}).status_code for _ in range(2)]
    assert statuses == [200, 429]
    assert client.get("/api/v1/audit/").status_code == 200


def test_it_begins_anew_each_minute(client: Client, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client.force_login(bob)
    for _ in range(4):
        refused = read(client)
    assert refused["Retry-After"] == "60"
    monkeypatch.setattr("accounts.throttles.time.time", lambda: 1_800_000_060.0)
    assert read(client).status_code == 200


def test_it_answers_with_a_problem(client: Client, bob: User) -> None:
    client.force_login(bob)
    for _ in range(4):
        response = read(client)
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["title"] == "Too Many Requests"
    assert response.json()["request_id"] == response["X-Request-ID"]


def test_it_counts_sign_ins_of_an_address_over_api_and_page(client: Client, db: None) -> None:
    form = {"username": "a@example.org", "password": "x"}
    assert client.post(LOGIN, form).status_code == 400
    assert client.post("/login/", form | {"username": "b@example.org"}).status_code == 200
    page = client.post("/login/", form)
    assert page.status_code == 429
    assert "Try again in 1\u202fmin." in page.content.decode()
    assert client.post(LOGIN, form).status_code == 429
    assert client.post(LOGIN, form, REMOTE_ADDR="192.0.2.7").status_code == 400


def test_it_counts_no_header_that_anyone_may_send(client: Client, db: None) -> None:
    form = {"username": "a@example.org", "password": "x"}
    statuses = [client.post(LOGIN, form, headers={"X-Forwarded-For": f"192.0.2.{n}"}).status_code for n in range(3)]
    assert statuses == [400, 400, 429]


def test_it_lets_everything_through_without_valkey(
    client: Client, bob: User, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    nobody = f"redis://127.0.0.1:{embedded.free_port()}"
    default = settings.CACHES["default"]
    settings.CACHES = {"default": default | {"LOCATION": [nobody]}}
    client.force_login(bob)
    started = time.perf_counter()
    assert [read(client).status_code for _ in range(6)] == [200] * 6
    assert time.perf_counter() - started < 2.0
    assert [record for record in caplog.records if "throttles.blind" in record.getMessage()]


def test_it_is_part_of_every_view() -> None:
    assert APIView.throttle_classes == [throttles.ScopeThrottle]

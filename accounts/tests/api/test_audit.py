import csv
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import Client
from django.utils.timezone import now
from rest_framework.test import APIClient

from accounts import audit
from accounts.models import User
from accounts.security_events import Kind, record
from accounts.tokens import issue_access_token
from conftest import PASSWORD
from plants.models import Membership, Plant, Sensor

AUDIT = "/api/v1/audit/"


def client_of(user: User) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {issue_access_token(user)}")
    return client


@pytest.fixture
def api(alice: User) -> APIClient:
    return client_of(alice)


def listed(api: APIClient, **query: Any) -> list[dict[str, Any]]:
    response = api.get(AUDIT, query)
    assert response.status_code == 200, response.json()
    return response.json()["results"]


def read(response: Any) -> str:
    async def collect(chunks: AsyncIterator[bytes]) -> bytes:
        return b"".join([chunk async for chunk in chunks])

    return async_to_sync(collect)(response.streaming_content).decode()


def test_it_tells_who_changed_what_from_what_to_what(api: APIClient, alice: User, bob: User, kandy: Plant) -> None:
    temp = Sensor.objects.get(slug="temp")
    changed = client_of(bob).patch(
        f"/api/v1/sensors/{temp.pk}/", {"unit": "K", "high": 400}, headers={"X-Request-ID": "request-0001"}
    )
    assert changed.status_code == 200
    newest = listed(api)[0]
    assert newest.pop("at").endswith("Z")
    assert newest.pop("id").startswith("sensor-")
    assert newest == {
        "actor": {"id": str(bob.pk), "email": "bob@example.org"},
        "action": "updated",
        "object": {"type": "sensor", "id": str(temp.pk), "label": "Temperature"},
        "changes": [
            {"field": "unit", "from": "°C", "to": "K"},
            {"field": "high", "from": None, "to": 400.0},
        ],
        "address": "127.0.0.1",
        "request_id": "request-0001",
        "command": "",
        "detail": "",
    }


def test_it_tells_all_that_a_new_and_a_deleted_row_held(api: APIClient, bob: User, kandy: Plant) -> None:
    zone = kandy.zones.get()
    key = str(zone.pk)
    zone.delete()
    deleted, created = listed(api, object_id=key)
    assert (deleted["action"], created["action"]) == ("deleted", "created")
    assert {"field": "slug", "from": "rolling", "to": None} in deleted["changes"]
    assert {"field": "slug", "from": None, "to": "rolling"} in created["changes"]
    assert {"field": "plant", "from": None, "to": str(kandy.pk)} in created["changes"]


def test_it_names_what_is_gone(api: APIClient, bob: User, kandy: Plant) -> None:
    key = str(Membership.objects.get(user=bob).pk)
    client_of(bob).patch(f"/api/v1/plants/{kandy.pk}/", {"name": "Kandy Tea"})
    kandy.delete()
    bob.delete()
    assert listed(api, object_id=key)[0]["object"]["label"] == "bob@example.org, Kandy Tea"
    assert listed(api, object_type="plant", action="updated")[0]["actor"]["email"] == "bob@example.org"


def test_it_tells_of_a_changed_password_without_it(api: APIClient, bob: User) -> None:
    bob.set_password("another good horse")
    bob.role = "viewer"
    bob.save()
    entries = {entry["action"]: entry["changes"] for entry in listed(api, object_id=str(bob.pk))}
    assert entries["password_changed"] == []
    assert entries["updated"] == [{"field": "role", "from": "operator", "to": "viewer"}]


@pytest.mark.parametrize("persona", ["bob", "vera", "anonymous"])
def test_it_is_for_admins(request: pytest.FixtureRequest, db: None, persona: str) -> None:
    api = APIClient() if persona == "anonymous" else client_of(request.getfixturevalue(persona))
    assert api.get(AUDIT).status_code == (401 if persona == "anonymous" else 403)


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_it_takes_no_changes(api: APIClient, method: str) -> None:
    assert getattr(api, method)(AUDIT).status_code == 405


def by_actor(bob: User, temp: Sensor) -> dict[str, Any]:
    return {"actor": bob.pk}


def by_object(bob: User, temp: Sensor) -> dict[str, Any]:
    return {"object_type": "sensor", "object_id": temp.pk, "action": "updated"}


def by_request(bob: User, temp: Sensor) -> dict[str, Any]:
    return {"request_id": "request-0002"}


@pytest.mark.parametrize("query", [by_actor, by_object, by_request])
def test_it_filters(api: APIClient, bob: User, query: Callable[[User, Sensor], dict[str, Any]]) -> None:
    temp = Sensor.objects.get(slug="temp")
    Sensor.objects.filter(slug="rpm").update(unit="1/s")
    client_of(bob).patch(f"/api/v1/sensors/{temp.pk}/", {"unit": "K"}, headers={"X-Request-ID": "request-0002"})
    [entry] = listed(api, **query(bob, temp))
    assert entry["changes"] == [{"field": "unit", "from": "°C", "to": "K"}]


def test_it_finds_who_signed_in_by_the_actor_that_it_names(api: APIClient, bob: User) -> None:
    APIClient().post("/api/v1/login/access-token", {"username": bob.email, "password": PASSWORD}, format="multipart")
    [entry] = listed(api, actor=bob.pk)
    assert (entry["action"], entry["actor"]["email"]) == ("login", "bob@example.org")


@pytest.mark.parametrize(
    ("search", "labels"),
    [("PERAT", {"Temperature"}), ("mixer-", {"Mixer 1"}), ("temp_rature", set()), ("%", set()), ("created", set())],
)
def test_it_searches_what_rows_held(
    api: APIClient, kandy: Plant, rotterdam: Plant, search: str, labels: set[str]
) -> None:
    assert {entry["object"]["label"] for entry in listed(api, search=search)} == labels


def test_it_searches_the_emails_of_failed_sign_ins(api: APIClient) -> None:
    record(Kind.LOGIN_FAILED, email="mallory@example.net")
    record(Kind.LOGIN_FAILED, email="bob@example.net")
    assert [entry["object"]["label"] for entry in listed(api, search="mallory")] == ["mallory@example.net"]


def test_it_filters_by_time(api: APIClient, kandy: Plant) -> None:
    moment = now().isoformat()
    Sensor.objects.update(unit="x")
    assert {entry["action"] for entry in listed(api, start=moment)} == {"updated"}
    assert {entry["action"] for entry in listed(api, end=moment)} == {"created"}


@pytest.mark.parametrize("ordering", ["-at", "at"])
def test_it_gives_every_entry_once_over_its_pages(api: APIClient, bob: User, rotterdam: Plant, ordering: str) -> None:
    everything = [entry["id"] for entry in listed(api, ordering=ordering)]
    assert len(everything) > 10
    seen: list[str] = []
    url = f"{AUDIT}?page_size=4&ordering={ordering}"
    while url:
        page = api.get(url).json()
        seen += [entry["id"] for entry in page["results"]]
        url = page["next"]
    assert seen == everything


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "nonsense"},
        {"cursor": "WzEsMiwzXQ=="},
        {"cursor": "é"},
        {"actor": "bob"},
        {"object_type": "reading"},
        {"page_size": 0},
        {"page_size": 1001},
        {"start": "yesterday"},
        {"action": "a\0b"},
    ],
)
def test_it_explains_a_bad_query(api: APIClient, query: dict[str, Any]) -> None:
    response = api.get(AUDIT, query)
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


def test_it_takes_as_many_queries_for_many_entries_as_for_few(
    api: APIClient, bob: User, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(10) as few:
        listed(api)
    for n in range(10):
        plant = Plant.objects.create(slug=f"p{n}", name=f"P{n}", owner=bob)
        plant.zones.create(slug="z", name="Z")
    Sensor.objects.update(unit="x")
    with django_assert_max_num_queries(len(few)):
        listed(api)


def test_it_reads_each_table_by_its_index_on_time(db: None) -> None:
    """However long the trail is, a page costs a page: an event's older self is looked up for that page alone."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # the tables are small here
        cursor.execute("EXPLAIN " + audit._query([], 10, oldest_first=False))
        plan = "\n".join(line for (line,) in cursor.fetchall())
    tables = [*(model._meta.db_table for model in audit.sources().values()), "accounts_securityevent"]
    for table in tables:
        assert re.search(rf"Index Scan Backward using \w+_(pgh_cre|at)_\w+ on {table}\b", plan), plan


def test_it_exports_csv(api: APIClient, bob: User) -> None:
    temp = Sensor.objects.get(slug="temp")
    client_of(bob).patch(f"/api/v1/sensors/{temp.pk}/", {"unit": "K", "states": {"1": "on"}})
    response = api.get(AUDIT, {"format": "csv"})
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="audit.csv"'
    rows = list(csv.DictReader(read(response).splitlines()))
    assert {row["field"]: (row["from"], row["to"]) for row in rows[:2]} == {
        "unit": ("°C", "K"),
        "states": ("{}", '{"1": "on"}'),
    }
    assert (rows[0]["actor_email"], rows[0]["object_label"]) == ("bob@example.org", "Temperature")


def test_it_exports_more_than_a_batch(api: APIClient, kandy: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.api.audit.EXPORT_BATCH", 3)
    ids = {row["id"] for row in csv.DictReader(read(api.get(AUDIT, {"format": "csv"})).splitlines())}
    assert ids == {entry["id"] for entry in listed(api)}


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_it_exports_no_formulas(api: APIClient, start: str) -> None:
    record(Kind.LOGIN_FAILED, email=f"{start}cmd|' /C calc'!A0")
    [row] = csv.DictReader(read(api.get(AUDIT, {"format": "csv", "action": "login_failed"})).splitlines())
    assert row["object_label"].startswith(f"'{start}")


def test_it_exports_numbers_as_they_are(api: APIClient, kandy: Plant) -> None:
    Sensor.objects.filter(slug="temp").update(low=-40)
    [row] = csv.DictReader(read(api.get(AUDIT, {"format": "csv", "action": "updated"})).splitlines())
    assert float(row["to"]) == -40


def test_it_explains_also_where_csv_was_asked_for(api: APIClient) -> None:
    response = api.get(AUDIT, {"format": "csv", "actor": "bob"})
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")


def test_it_holds_no_secret(api: APIClient, alice: User, client: Client) -> None:
    client.force_login(alice)
    password = "quite another horse"
    form = {"email": "dora@example.org", "name": "Dora", "role": "viewer", "usable_password": "true"}
    client.post("/admin/accounts/user/add/", {**form, "password1": PASSWORD, "password2": PASSWORD})
    dora = User.objects.get(email="dora@example.org")
    secrets = [PASSWORD, password, dora.password]
    changed = {"password1": password, "password2": password, "usable_password": "true"}
    assert client.post(f"/admin/accounts/user/{dora.pk}/password/", changed).status_code == 302
    sign_in = {"username": "dora@example.org", "password": password}
    signed_in = APIClient().post("/api/v1/login/access-token", sign_in, format="multipart")
    APIClient().post("/api/v1/login/access-token", {**sign_in, "password": PASSWORD}, format="multipart")
    dora.refresh_from_db()
    tokens = [signed_in.json()[name] for name in ("access_token", "refresh_token") if name in signed_in.json()]
    secrets += [dora.password, *tokens]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('%I', relname) FROM pg_class "
            "WHERE relkind = 'r' AND (relname LIKE '%%event' OR relname LIKE 'pghistory%%')"
        )
        tables = [name for (name,) in cursor.fetchall()]
        assert {"accounts_userevent", "accounts_securityevent", "plants_plantevent"} <= set(tables)
        kept = ""
        for table in tables:
            cursor.execute(f"SELECT coalesce(string_agg(to_jsonb(t)::text, ''), '') FROM {table} t")
            kept += cursor.fetchone()[0]
    assert "dora@example.org" in kept
    assert [secret for secret in secrets if secret in kept] == []

"""Discovered sensors over REST: listed, guessed, adopted and ignored by who operates their plant."""

import time
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from accounts.tokens import issue_access_token
from plants.models import Plant, Sensor
from plants.scales import instant
from telemetry.ingest.quarantine import Room, put
from telemetry.ingest.store import connect
from telemetry.models import DiscoveredSensor, Reading

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/api/v1/discovered-sensors/"
NOW_US = time.time_ns() // 1000
NEW = "kandy/drying/dryer-1/inlet-temp"


def discover(address: str = NEW, *values: float | str) -> str:
    """Its id."""
    samples = [(address, NOW_US - 5_000_000 * ago, value, 192) for ago, value in enumerate(reversed(values or (80.5,)))]
    with connect() as database, database.transaction(), database.cursor() as cursor:
        put(cursor, samples, Room(1000, 1000, 100))
    return str(DiscoveredSensor.objects.get(address=address).pk)


@pytest.fixture
def api(client: Client, bob: User) -> Client:
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {issue_access_token(bob)}"
    return client


def post(api: Client, path: str, body: Any = None, status: int = 200) -> Any:
    response = api.post(f"{LIST}{path}", body or {}, content_type="application/json")
    assert response.status_code == status, response.content
    return response.json()


def addresses(api: Client, **query: str | list[str]) -> list[str]:
    response = api.get(LIST, query)
    assert response.status_code == 200, response.content
    return [entry["address"] for entry in response.json()["results"]]


def test_it_lists_an_entry_with_count_and_newest_sample(api: Client) -> None:
    discover(NEW, 1.5, 2.5)
    (entry,) = api.get(LIST).json()["results"]
    assert (entry["address"], entry["state"], entry["sensor"]) == (NEW, "new", None)
    assert (entry["count"], entry["kept"], entry["not_kept"]) == (2, 2, 0)
    assert (entry["last_value"], entry["last_label"], entry["last_quality"]) == (2.5, "", 192)
    assert entry["last_time"] == instant(NOW_US).isoformat().replace("+00:00", "Z")


def test_it_lists_what_is_new_unless_asked_for_other_states(api: Client, rotterdam: Plant) -> None:
    new, ignored = discover("kandy/a/b/new"), discover("kandy/a/b/ignored")
    discover("rotterdam/a/b/c")
    post(api, f"{ignored}/ignore/")
    assert addresses(api) == addresses(api, state="new") == ["kandy/a/b/new"]
    assert addresses(api, state="ignored") == ["kandy/a/b/ignored"]
    assert addresses(api, state=["new", "ignored"]) == ["kandy/a/b/ignored", "kandy/a/b/new"]
    assert api.get(f"{LIST}{ignored}/").status_code == api.get(f"{LIST}{new}/").status_code == 200


def test_it_finds_entries_by_plant_and_words(api: Client) -> None:
    discover("kandy/a/b/temp", 1.0)
    discover("kandy/a/b/rpm", 1.0, 2.0)
    assert addresses(api, search="rpm") == ["kandy/a/b/rpm"]
    assert addresses(api, plant="kandy", ordering="-count") == ["kandy/a/b/rpm", "kandy/a/b/temp"]
    assert addresses(api, plant="rotterdam") == []


def test_it_shows_the_guess_and_the_newest_samples(api: Client) -> None:
    entry = api.get(f"{LIST}{discover(NEW, 80.5, 81.5, 82.25)}/").json()
    assert entry["guess"] == {
        "name": "Inlet temp",
        "type": "temperature",
        "unit": "°C",
        "kind": "gauge",
        "states": {},
        "decimals": 2,
        "expected_interval_s": 5,
        "stale_after_s": 300,
    }
    assert [(sample["value"], sample["label"]) for sample in entry["samples"]] == [
        (82.25, None),
        (81.5, None),
        (80.5, None),
    ]


def test_it_adopts_with_history(api: Client, bob: User) -> None:
    done = post(api, f"{discover(NEW, 80.5, 81.5)}/adopt/")
    sensor = Sensor.objects.get(slug="inlet-temp")
    assert done == {
        "sensor": str(sensor.pk),
        "number": sensor.number,
        "address": NEW,
        "is_new": True,
        "stored": 2,
        "duplicate": 0,
        "conflict": 0,
        "rejected": {},
        "dead_letters": 0,
    }
    assert Reading.objects.filter(sensor=sensor).count() == 2
    assert addresses(api) == []
    (entry,) = api.get(LIST, {"state": "adopted"}).json()["results"]
    assert (entry["sensor"], entry["decided_by"], entry["kept"]) == (str(sensor.pk), str(bob.pk), 0)


def test_it_takes_what_the_body_says_instead_of_the_guess(api: Client) -> None:
    body = {"name": "Hot air", "unit": "K", "low": 200, "high": 500, "stale_after_s": 60}
    post(api, f"{discover()}/adopt/", body)
    sensor = Sensor.objects.get(slug="inlet-temp")
    assert {name: getattr(sensor, name) for name in body} == body
    assert sensor.type == "temperature"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "state"}, "states"),
        ({"low": 5, "high": 1}, "high"),
        ({"rollover_at": 10}, "rollover_at"),
        ({"kind": "dial"}, "kind"),
        ({"states": {"a": "b"}}, "states"),
        ({"low": "1e999"}, "low"),
        ({"name": ""}, "name"),
        ({"name": "x" * 121}, "name"),
    ],
)
def test_it_refuses_a_sensor_that_cannot_be(api: Client, body: dict[str, Any], field: str) -> None:
    problem = post(api, f"{discover()}/adopt/", body, status=400)
    assert [error["field"] for error in problem["errors"]] == [field]
    assert not Sensor.objects.filter(slug="inlet-temp").exists()


def test_it_says_what_stays_and_tries_it_again(api: Client) -> None:
    path = f"{discover('kandy/a/b/mode', 'auto', 'manual', 'auto')}/adopt/"
    done = post(api, path, {"states": {"1": "auto"}})
    assert (done["stored"], done["rejected"]) == (2, {"unknown_state": 1})
    Sensor.objects.filter(slug="mode").update(states={"1": "auto", "2": "manual"})
    done = post(api, path)
    assert (done["is_new"], done["stored"], done["rejected"]) == (False, 1, {})


def test_it_adopts_many(api: Client, rotterdam: Plant) -> None:
    ids = [discover(f"kandy/a/b/s{n}", 1.5, 2.5) for n in range(3)]
    foreign = discover("rotterdam/a/b/c")
    done = post(api, "adopt/", {"ids": [*ids[:2], foreign]})
    assert done == {
        "adopted": 2,
        "stored": 4,
        "duplicate": 0,
        "conflict": 0,
        "rejected": {},
        "refused": [],
        "has_more": False,
    }
    assert post(api, "adopt/", {"plant": "kandy"})["adopted"] == 1
    assert post(api, "adopt/", {"plant": "rotterdam"})["adopted"] == 0
    assert DiscoveredSensor.objects.get(pk=foreign).state == "new"


def test_it_says_when_there_are_more_than_it_adopts_at_a_time(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.api.discovered_sensors.MAX_ADOPTED", 2)
    for n in range(3):
        discover(f"kandy/a/b/s{n}")
    assert [post(api, "adopt/", {"plant": "kandy"})["has_more"] for _ in range(2)] == [True, False]
    assert addresses(api) == []


def test_it_asks_which_ones(api: Client) -> None:
    for path in ("adopt/", "ignore/"):
        post(api, path, {}, status=400)


def test_it_ignores_and_takes_that_back(api: Client, bob: User) -> None:
    pk = discover()
    assert post(api, f"{pk}/ignore/")["state"] == "ignored"
    assert DiscoveredSensor.objects.get().decided_by == bob
    assert post(api, f"{pk}/unignore/")["state"] == "new"


def test_it_ignores_many(api: Client) -> None:
    ids = [discover(f"kandy/a/b/s{n}") for n in range(3)]
    assert post(api, "ignore/", {"ids": ids[:2]}) == {"ignored": 2}
    assert addresses(api) == ["kandy/a/b/s2"]


def test_it_does_not_ignore_what_is_adopted(api: Client) -> None:
    pk = discover()
    post(api, f"{pk}/adopt/")
    assert post(api, f"{pk}/ignore/")["state"] == "adopted"


def test_it_does_not_exist_for_people_of_other_plants(api: Client, rotterdam: Plant) -> None:
    pk = discover("rotterdam/a/b/c")
    assert addresses(api) == []
    for path in ("adopt", "ignore", "unignore"):
        post(api, f"{pk}/{path}/", status=404)
    assert Sensor.objects.filter(slug="c").count() == 0


def test_it_writes_down_who_adopted(api: Client, bob: User) -> None:
    post(api, f"{discover()}/adopt/")
    event = Sensor.pgh_event_model.objects.get(slug="inlet-temp")  # type: ignore[attr-defined]
    assert event.pgh_context["user"] == str(bob.pk)

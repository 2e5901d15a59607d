"""The topic tester's page, and the same in the admin; what it answers is tested with the API call."""

import json

import pytest
from django.test import Client

from accounts.models import User
from plants.models import Plant
from telemetry.models import Reading
from telemetry.tests.letters import make_letter
from telemetry.views.tester import MAX_SHOWN

TOPIC = "inqube/v1/kandy/rolling/roller-2/t"
PAGES = ["/topic-tester/", "/admin/topic-tester/"]


@pytest.fixture
def operator(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def ask(client: Client, path: str, topic: str, payload: str) -> str:
    return client.post(path, {"topic": topic, "payload": payload}).content.decode()


@pytest.mark.parametrize("path", PAGES)
def test_it_shows_what_would_be_stored(operator: Client, path: str) -> None:
    page = ask(operator, path, f"{TOPIC}/temp", '{"v": 23.45, "q": 64}')
    assert "1 reading would be stored" in page
    assert '23.45&#8239;<span class="unit">°C</span>' in page
    assert "uncertain<p>64</p>" in page
    assert "<p>+05:30</p>" in page
    assert not Reading.objects.exists()


@pytest.mark.parametrize("path", PAGES)
def test_it_shows_why_not(operator: Client, path: str) -> None:
    page = ask(operator, path, TOPIC, '{"values": {"state": "running", "oil": 1, "temp": "4,5"}}')
    assert "1 would be stored, 2 refused" in page
    assert "running<p>1</p>" in page
    assert "There is no sensor kandy/rolling/roller-2/oil. Add it, or correct the topic." in page


@pytest.mark.parametrize("path", PAGES)
def test_it_begins_with_a_dead_letter(operator: Client, kandy: Plant, path: str) -> None:
    letter = make_letter(kandy, b'{"v": 1.25}')
    page = operator.get(f"{path}?letter={letter.pk}").content.decode()
    assert f'value="{TOPIC}/temp"' in page
    assert "{&quot;v&quot;: 1.25}</textarea>" in page
    assert "1 reading would be stored" in page


@pytest.mark.parametrize("path", PAGES)
def test_it_knows_no_foreign_letters(operator: Client, rotterdam: Plant, path: str) -> None:
    letter = make_letter(rotterdam)
    assert operator.get(f"{path}?letter={letter.pk}").status_code == 404
    assert operator.get(f"{path}?letter=nonsense").status_code == 404


def test_it_does_not_exist_for_viewers(client: Client, vera: User) -> None:
    client.force_login(vera)
    assert client.get("/topic-tester/").status_code == client.post("/topic-tester/").status_code == 404


def test_it_asks_for_a_topic(operator: Client) -> None:
    page = ask(operator, "/topic-tester/", "", "1")
    assert "This field is required." in page
    assert 'aria-invalid="true"' in page


def test_it_shows_the_refused_first_and_not_thousands(operator: Client) -> None:
    values = {"temp": 1} | {f"s{number}": 1 for number in range(1000)}
    page = ask(operator, "/topic-tester/", TOPIC, json.dumps({"values": values}))
    assert "1 would be stored, 1\u202f000 refused" in page
    assert page.count('data-outcome="rejected"') == MAX_SHOWN
    assert f"{1001 - MAX_SHOWN} more samples are not shown" in page


def test_it_is_reached_from_the_admin(operator: Client, kandy: Plant) -> None:
    letter = make_letter(kandy)
    change = operator.get(f"/admin/telemetry/deadletter/{letter.pk}/change/").content.decode()
    assert f'href="/admin/topic-tester/?letter={letter.pk}"' in change
    assert 'href="/admin/topic-tester/"' in operator.get("/admin/").content.decode()

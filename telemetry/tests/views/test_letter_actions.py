"""What operators do with dead letters on their page, and what it then tells them."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from plants.models import Plant, Sensor
from telemetry.models import DeadLetter, Reading
from telemetry.tests.letters import make_letter
from telemetry.views import letter_actions

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/dead-letters/"


@pytest.fixture
def operator(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def act(client: Client, action: str, query: str = "", **data: Any) -> str:
    """The message that the page then shows, without markup."""
    page = client.post(f"{LIST}{query}", {"action": action, **data}, follow=True).content.decode()
    (said,) = re.findall(r'<div class="messages" role="status">(.*?)<nav class="tabs"', page, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", said).split())


def states() -> list[str]:
    return list(DeadLetter.objects.order_by("received_at").values_list("state", flat=True))


def test_it_replays_the_selected(operator: Client, kandy: Plant) -> None:
    letters = [make_letter(kandy) for _ in range(3)]
    said = act(operator, "replay", letter=[letter.pk for letter in letters[:2]])
    assert said == "2 replayed. 2 readings stored."
    assert states() == ["replayed", "replayed", "new"]
    assert Reading.objects.count() == 2


def test_it_replays_all_that_match(operator: Client, kandy: Plant) -> None:
    make_letter(kandy)
    make_letter(kandy, reason="unknown_sensor")
    act(operator, "replay", "?reason=unknown_sensor", everything="1")
    assert states() == ["new", "replayed"]


def test_it_says_what_stays_and_why(operator: Client, kandy: Plant) -> None:
    Sensor.objects.filter(slug="temp").update(is_active=False)
    letters = [make_letter(kandy), make_letter(kandy), make_letter(kandy, b"<b>", reason="invalid_json")]
    page = operator.post(LIST, {"action": "replay", "everything": "1"}, follow=True).content.decode()
    assert "3 stay:" in page
    assert "2 × Sensor inactive: The sensor is switched off in InQube. Activate it to store." in page
    assert "1 × Not readable: The message is not JSON" in page
    assert f'<a href="{reverse("dead_letter", args=[letters[0].pk])}">The first of them</a>' in page


def test_it_tells_what_was_there_already(operator: Client, kandy: Plant) -> None:
    at = make_letter(kandy).received_at
    make_letter(kandy, received_at=at)
    assert act(operator, "replay", everything="1") == "2 replayed. 1 reading stored, 1 was there already."


def test_it_does_nothing_where_nothing_is_selected(operator: Client, kandy: Plant) -> None:
    make_letter(kandy)
    assert act(operator, "replay").startswith("Nothing was done")
    assert act(operator, "replay", letter="nonsense").startswith("Nothing was done")
    assert states() == ["new"]


def test_it_goes_on_with_the_rest(operator: Client, kandy: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request replays so many, and what stays of them does not stand in the way of the rest."""
    monkeypatch.setattr(letter_actions, "MAX_REPLAYED", 2)
    for payload in (b"?", b"?", b"1", b"2", b"3"):
        make_letter(kandy, payload)
    url, told = LIST, []
    data: dict[str, Any] = {"action": "replay", "everything": "1"}
    for _ in range(3):
        page = operator.post(url, data, follow=True).content.decode()
        told.append(states().count("replayed"))
        if rest := re.search(r'name="rest" value="([^"]+)"', page):
            data["rest"] = rest[1]
    assert told == [0, 2, 3]
    assert rest is None


def test_it_asks_before_it_discards(operator: Client, kandy: Plant) -> None:
    letter = make_letter(kandy)
    page = operator.post(LIST, {"action": "discard", "letter": letter.pk}).content.decode()
    assert "Discard 1 dead letter<" in page
    assert f'name="letter" value="{letter.pk}"' in page
    assert states() == ["new"]


def test_it_discards_once_confirmed(operator: Client, kandy: Plant, bob: User) -> None:
    letter = make_letter(kandy)
    make_letter(kandy)
    assert act(operator, "discard", letter=letter.pk, confirmed="1") == "1 discarded."
    assert states() == ["discarded", "new"]
    assert DeadLetter.objects.get(pk=letter.pk).decided_by == bob


def test_it_discards_so_many_at_a_time(operator: Client, kandy: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letter_actions, "MAX_DISCARDED", 2)
    for _ in range(3):
        make_letter(kandy)
    assert act(operator, "discard", everything="1", confirmed="1") == "2 discarded. More match: discard again."
    assert states() == ["discarded", "discarded", "new"]


def test_it_leaves_foreign_letters_alone(operator: Client, kandy: Plant, rotterdam: Plant) -> None:
    foreign = make_letter(rotterdam, b"1")
    act(operator, "replay", letter=foreign.pk)
    act(operator, "discard", everything="1", confirmed="1")
    assert operator.post(reverse("dead_letter", args=[foreign.pk]), {"action": "replay"}).status_code == 404
    assert states() == ["new"]


def test_it_decides_a_letter_on_its_own_page(operator: Client, kandy: Plant) -> None:
    letter = make_letter(kandy)
    make_letter(kandy)
    url = reverse("dead_letter", args=[letter.pk])
    page = operator.post(url, {"action": "replay", "everything": "1"}, follow=True)
    assert page.redirect_chain == [(url, 302)]
    assert "1 replayed." in page.content.decode()
    assert states() == ["replayed", "new"]


def test_it_takes_no_form_of_another_site(bob: User, kandy: Plant) -> None:
    make_letter(kandy)
    client = Client(enforce_csrf_checks=True)
    client.force_login(bob)
    assert client.post(LIST, {"action": "discard", "everything": "1", "confirmed": "1"}).status_code == 403
    assert states() == ["new"]

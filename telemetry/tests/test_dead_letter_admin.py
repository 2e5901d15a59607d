"""Dead letters in the admin: looked at, replayed and discarded, never edited."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from plants.models import Plant
from telemetry.models import DeadLetter, Reading
from telemetry.tests.letters import make_letter

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/telemetry/deadletter/"


@pytest.fixture
def letter(client: Client, bob: User, kandy: Plant) -> DeadLetter:
    client.force_login(bob)
    return make_letter(kandy, b"<1,5>", reason="invalid_json", detail="The device sends a decimal comma.")


def act(client: Client, action: str, letter: DeadLetter) -> str:
    data: dict[str, Any] = {"action": action, "_selected_action": [str(letter.pk)]}
    return client.post(LIST, data, follow=True).content.decode()


def test_it_shows_what_was_sent_and_what_to_mend(client: Client, letter: DeadLetter) -> None:
    assert "decimal comma" in client.get(LIST).content.decode()
    assert "&lt;1,5&gt;" in client.get(f"{LIST}{letter.pk}/change/").content.decode()


def test_it_replays_the_selected(client: Client, letter: DeadLetter) -> None:
    DeadLetter.objects.update(payload=b"1.5")
    assert "1 replayed, 1 readings stored." in act(client, "replay", letter)
    assert Reading.objects.count() == 1


def test_it_says_why_a_letter_stays(client: Client, letter: DeadLetter) -> None:
    assert "1 stay; the first because: The message is not JSON" in act(client, "replay", letter)


def test_it_discards_the_selected(client: Client, letter: DeadLetter) -> None:
    assert "1 discarded." in act(client, "discard", letter)
    assert DeadLetter.objects.get().state == "discarded"


def test_it_offers_no_other_plants_to_filter_by(client: Client, letter: DeadLetter, rotterdam: Plant) -> None:
    assert "Rotterdam" not in client.get(LIST).content.decode()

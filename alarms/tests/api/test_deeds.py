"""What people do with alarms over REST: one, and many at once."""

from datetime import timedelta
from threading import Barrier, Thread
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils.timezone import now

from accounts.models import User
from alarms.models import Actor, Alarm, AlarmEvent, Source
from alarms.tests.alarms import make_alarm
from plants.models import Plant, Sensor
from plants.tests.conftest import ApiOf

LIST = "/api/v1/alarms/"


def post(api_of: ApiOf, persona: str, url: str, body: Any = None) -> Any:
    return api_of(persona).post(f"{LIST}{url}", body or {}, format="json")


def test_it_acknowledges(api_of: ApiOf, alarm: Alarm, bob: User) -> None:
    response = post(api_of, "bob", f"{alarm.pk}/ack/", {"note": "On my way."})
    assert response.status_code == 200
    assert response.json()["acknowledged_by"] == {"id": str(bob.pk), "name": "Bob"}
    event = AlarmEvent.objects.get()
    assert (event.kind, event.source, event.user, event.note) == ("acknowledged", "api", bob, "On my way.")


def test_it_says_who_was_quicker(api_of: ApiOf, alarm: Alarm, alice: User, bob: User) -> None:
    alarm.acknowledge(Actor(alice, Source.PAGE))
    response = post(api_of, "bob", f"{alarm.pk}/ack/")
    assert response.status_code == 200
    assert response.json()["acknowledged_by"]["name"] == "Alice"
    assert AlarmEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_it_is_acknowledged_by_one_of_two_at_once(api_of: ApiOf, alarm: Alarm, alice: User, bob: User) -> None:
    clients, start = [api_of(alice), api_of(bob)], Barrier(2)
    answers: list[Any] = []

    def acknowledge(client: Any) -> None:
        start.wait()
        answers.append(client.post(f"{LIST}{alarm.pk}/ack/", {}, format="json"))
        connection.close()

    threads = [Thread(target=acknowledge, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    event = AlarmEvent.objects.get()
    assert [answer.status_code for answer in answers] == [200, 200]
    assert {answer.json()["acknowledged_by"]["name"] for answer in answers} == {event.actor}


def test_it_shelves_for_minutes_and_takes_it_back(api_of: ApiOf, alarm: Alarm) -> None:
    body = {"minutes": 30, "reason": "The belt is being changed."}
    answer = post(api_of, "bob", f"{alarm.pk}/shelve/", body).json()
    assert (answer["shelved_by"]["name"], answer["shelve_reason"]) == ("Bob", "The belt is being changed.")
    alarm.refresh_from_db()
    assert alarm.is_shelved(now() + timedelta(minutes=29))
    assert not alarm.is_shelved(now() + timedelta(minutes=31))
    assert post(api_of, "bob", f"{alarm.pk}/unshelve/").json()["shelved_until"] is None


def test_it_shelves_until_a_time(api_of: ApiOf, alarm: Alarm) -> None:
    until = (now() + timedelta(days=2)).isoformat().replace("+00:00", "Z")
    body = {"until": until, "reason": "Waits for a spare part."}
    assert post(api_of, "bob", f"{alarm.pk}/shelve/", body).json()["shelved_until"] == until


@pytest.mark.parametrize(
    ("action", "body", "field"),
    [
        ("shelve", {"minutes": 30}, "reason"),
        ("shelve", {"minutes": 30, "reason": " "}, "reason"),
        ("shelve", {"reason": "why"}, "until"),
        ("shelve", {"reason": "why", "minutes": 5, "until": "2030-01-01T00:00:00Z"}, "until"),
        ("shelve", {"reason": "why", "minutes": 10**9}, "minutes"),
        ("comment", {}, "note"),
        ("assign", {}, "user"),
        ("assign", {"user": "bob"}, "user"),
        ("ack", {"note": "x" * 2001}, "note"),
    ],
)
def test_it_names_what_is_wrong(api_of: ApiOf, alarm: Alarm, action: str, body: Any, field: str) -> None:
    response = post(api_of, "bob", f"{alarm.pk}/{action}/", body)
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == field


@pytest.mark.parametrize(
    ("action", "body", "words"),
    [
        ("shelve", {"until": "2020-01-01T00:00:00Z", "reason": "why"}, "a time to come"),
        ("shelve", {"until": "2099-01-01T00:00:00Z", "reason": "why"}, "30 days at most"),
        ("assign", {"user": None}, "nobody has to look after it"),
        ("ack", {}, "nothing to acknowledge"),
    ],
)
def test_it_refuses_in_words(api_of: ApiOf, alarm: Alarm, action: str, body: Any, words: str) -> None:
    Alarm.objects.update(state="closed")
    response = post(api_of, "bob", f"{alarm.pk}/{action}/", body)
    assert response.status_code == 409
    assert response["Content-Type"] == "application/problem+json"
    assert words in response.json()["detail"]


def test_it_takes_a_comment_on_what_is_closed(api_of: ApiOf, alarm: Alarm) -> None:
    Alarm.objects.update(state="closed")
    assert post(api_of, "bob", f"{alarm.pk}/comment/", {"note": "It was the seal."}).status_code == 200
    assert AlarmEvent.objects.get().note == "It was the seal."


def test_it_is_assigned_to_a_colleague_and_to_nobody(api_of: ApiOf, alarm: Alarm, bob: User, alice: User) -> None:
    for user in (bob, alice):
        answer = post(api_of, "bob", f"{alarm.pk}/assign/", {"user": str(user.pk)}).json()
        assert answer["assigned_to"] == {"id": str(user.pk), "name": str(user)}
    assert post(api_of, "bob", f"{alarm.pk}/assign/", {"user": None}).json()["assigned_to"] is None


def test_it_knows_no_user_of_other_plants(api_of: ApiOf, alarm: Alarm, charlie: User, vera: User) -> None:
    assert post(api_of, "bob", f"{alarm.pk}/assign/", {"user": str(charlie.pk)}).status_code == 400
    response = post(api_of, "bob", f"{alarm.pk}/assign/", {"user": str(vera.pk)})
    assert (response.status_code, response.json()["detail"]) == (409, "Vera does not operate this plant.")


@pytest.mark.parametrize(("persona", "status"), [("vera", 403), ("charlie", 404), ("anonymous", 401)])
@pytest.mark.parametrize("action", ["ack", "shelve", "unshelve", "comment", "assign"])
def test_it_is_for_operators_of_the_plant(api_of: ApiOf, alarm: Alarm, action: str, persona: str, status: int) -> None:
    body = {"minutes": 5, "reason": "why", "note": "why", "user": None}
    assert post(api_of, persona, f"{alarm.pk}/{action}/", body).status_code == status
    assert not AlarmEvent.objects.exists()


def test_it_does_to_many_what_it_can(api_of: ApiOf, temp: Sensor, alice: User, rotterdam: Plant) -> None:
    fresh, seen, over = make_alarm(temp), make_alarm(temp), make_alarm(temp, state="closed")
    foreign, unknown = make_alarm(Sensor.objects.get(slug="power")), uuid4()
    seen.acknowledge(Actor(alice, Source.PAGE))
    ids = [str(id) for id in (fresh.pk, seen.pk, over.pk, foreign.pk, unknown, fresh.pk)]
    response = post(api_of, "bob", "bulk/", {"action": "ack", "ids": ids, "note": "Seen."})
    assert response.status_code == 200
    assert [(each["id"], each["result"]) for each in response.json()] == list(
        zip(ids[:5], ["done", "already", "refused", "not_found", "not_found"], strict=True)
    )
    assert response.json()[2]["detail"] == "The alarm is closed: there is nothing to acknowledge."
    assert AlarmEvent.objects.filter(source="api", note="Seen.").count() == 1


@pytest.mark.parametrize(
    "body",
    [
        {"action": "shelve", "minutes": 30, "reason": "why"},
        {"action": "unshelve"},
        {"action": "comment", "note": "why"},
        {"action": "assign", "user": None},
    ],
)
def test_it_knows_every_action_for_many(api_of: ApiOf, alarm: Alarm, body: Any) -> None:
    (result,) = post(api_of, "bob", "bulk/", body | {"ids": [str(alarm.pk)]}).json()
    assert result["result"] == ("already" if body["action"] in ("unshelve", "assign") else "done")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "shelve", "ids": [str(uuid4())]}, "reason"),
        ({"action": "close", "ids": [str(uuid4())]}, "action"),
        ({"action": "ack", "ids": []}, "ids"),
        ({"action": "ack", "ids": [str(uuid4()) for _ in range(501)]}, "ids"),
    ],
)
def test_it_names_what_is_wrong_of_many(api_of: ApiOf, bob: User, body: Any, field: str) -> None:
    response = post(api_of, "bob", "bulk/", body)
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == field

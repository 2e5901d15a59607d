"""Dead letters over REST: found by operators, replayed after the fix, or discarded."""

from base64 import b64encode
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from plants.models import Plant, Sensor
from telemetry.models import DeadLetter, Reading
from telemetry.tests.letters import make_letter
from telemetry.tests.samples import TEMP, ms

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/api/v1/dead-letters/"
MACHINE = "inqube/v1/kandy/rolling/roller-2/t"
AT = now() - timedelta(minutes=5)


letter = partial(make_letter, received_at=AT)


def value(at_minutes: int = 0) -> bytes:
    return b'{"v": 1.5, "ts": %d}' % ms(AT - timedelta(minutes=at_minutes))


def post(client: Client, url: str, body: Any = None) -> Any:
    response = client.post(url, body or {}, content_type="application/json")
    assert response.status_code == 200, response.content
    return response.json()


@pytest.fixture
def operator(client: Client, bob: User, kandy: Plant) -> Client:
    client.force_login(bob)
    return client


@pytest.fixture
def galle(alice: User) -> Plant:
    """A plant that is none of Bob's."""
    return Plant.objects.create(slug="galle", name="Galle", owner=alice)


@pytest.fixture
def administrator(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def test_it_lists_letters_of_the_operators_plants_only(operator: Client, kandy: Plant, galle: Plant) -> None:
    mine = letter(kandy, b"?")
    letter(galle, b"?")
    letter(None, b"?")
    assert [each["id"] for each in operator.get(LIST).json()["results"]] == [str(mine.pk)]


def test_it_shows_admins_those_without_a_plant(administrator: Client) -> None:
    letter(None, b"?")
    assert len(administrator.get(LIST).json()["results"]) == 1


@pytest.mark.parametrize(
    "query",
    ["reason=not_a_number", "source=kandy/rolling/roller-1", "state=discarded", "plant=kandy&reason=bad_quality"],
)
def test_it_filters(operator: Client, kandy: Plant, query: str) -> None:
    wanted: dict[str, Any] = {"reason": "not_a_number"}
    wanted |= {"source": "kandy/rolling/roller-1"} if "source" in query else {}
    wanted |= {"state": "discarded"} if "state" in query else {}
    wanted |= {"reason": "bad_quality"} if "plant" in query else {}
    letter(kandy, b"?")
    found = letter(kandy, b"?", **wanted)
    assert [each["id"] for each in operator.get(f"{LIST}?{query}").json()["results"]] == [str(found.pk)]


def test_it_shows_the_payload_as_text_and_as_it_came(operator: Client, kandy: Plant) -> None:
    odd = letter(kandy, b"1,5\xff")
    found = operator.get(f"{LIST}{odd.pk}/").json()
    assert (found["payload"], found["payload_base64"]) == ("1,5\ufffd", b64encode(b"1,5\xff").decode())


def test_it_stores_what_was_rejected_when_replayed_after_the_fix(operator: Client, kandy: Plant, bob: User) -> None:
    replayed = letter(kandy, value())
    answer = post(operator, f"{LIST}{replayed.pk}/replay/")
    assert (answer["state"], answer["stored"], answer["rejected"]) == ("replayed", 1, [])
    assert Reading.objects.get().value == 1.5
    replayed.refresh_from_db()
    assert (replayed.state, replayed.decided_by) == ("replayed", bob)


def test_it_stores_a_value_without_a_time_at_its_time_of_receipt(operator: Client, kandy: Plant) -> None:
    post(operator, f"{LIST}{letter(kandy, b'2.5').pk}/replay/")
    assert Reading.objects.get().time == AT


def test_it_keeps_what_is_still_refused_and_says_why(operator: Client, kandy: Plant) -> None:
    Sensor.objects.named([TEMP]).update(is_active=False)
    kept = letter(kandy, value())
    answer = post(operator, f"{LIST}{kept.pk}/replay/")
    assert answer["state"] == "new"
    assert [(each["address"], each["reason"]) for each in answer["rejected"]] == [(TEMP, "sensor_inactive")]
    assert not Reading.objects.exists()


def test_it_is_done_with_a_letter_when_the_rest_has_letters_of_its_own(operator: Client, kandy: Plant) -> None:
    body = b'{"values": {"temp": 1.5, "ghost": 2.5}}'
    one = letter(kandy, body, topic=MACHINE, digest=b"same")
    other = letter(kandy, body, topic=MACHINE, digest=b"same", reason="unknown_sensor")
    assert post(operator, f"{LIST}{one.pk}/replay/")["state"] == "replayed"
    assert post(operator, f"{LIST}{other.pk}/replay/")["state"] == "new"


def test_it_does_nothing_when_replayed_again(operator: Client, kandy: Plant) -> None:
    url = f"{LIST}{letter(kandy, value()).pk}/replay/"
    post(operator, url)
    again = post(operator, url)
    assert (again["state"], again["stored"], again["duplicate"]) == ("replayed", 0, 0)
    assert again["detail"]


def test_it_recognises_readings_that_are_there(operator: Client, kandy: Plant) -> None:
    post(operator, f"{LIST}{letter(kandy, value()).pk}/replay/")
    answer = post(operator, f"{LIST}{letter(kandy, value()).pk}/replay/")
    assert (answer["state"], answer["stored"], answer["duplicate"]) == ("replayed", 0, 1)


def test_it_never_replays_what_was_cut_off(operator: Client, kandy: Plant) -> None:
    answer = post(operator, f"{LIST}{letter(kandy, b'1', is_truncated=True).pk}/replay/")
    assert (answer["state"], answer["stored"]) == ("new", 0)
    assert "beginning" in answer["detail"]


def test_it_never_replays_into_a_plant_that_the_operator_does_not_see(
    operator: Client, kandy: Plant, galle: Plant
) -> None:
    """A slug may have gone to another plant."""
    Plant.objects.filter(pk=kandy.pk).update(slug="elsewhere")
    Plant.objects.filter(pk=galle.pk).update(slug="kandy")
    answer = post(operator, f"{LIST}{letter(kandy, value()).pk}/replay/")
    assert [each["reason"] for each in answer["rejected"]] == ["unknown_plant"]


def test_it_replays_all_of_a_reason(operator: Client, kandy: Plant) -> None:
    for minutes in range(3):
        letter(kandy, value(minutes))
    letter(kandy, b"?", reason="invalid_json")
    answer = post(operator, f"{LIST}replay/", {"reason": "sensor_inactive"})
    assert (answer["replayed"], answer["stored"], answer["kept"], answer["next"]) == (3, 3, 0, None)
    assert DeadLetter.objects.new().get().reason == "invalid_json"


def test_it_goes_on_behind_the_last_of_many(operator: Client, kandy: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.api.dead_letters.MAX_REPLAYED", 2)
    for _ in range(3):
        letter(kandy, b"?")
    first = post(operator, f"{LIST}replay/", {"plant": "kandy"})
    second = post(operator, f"{LIST}replay/", {"plant": "kandy", "after": first["next"]})
    assert [(each["kept"], each["next"] is None) for each in (first, second)] == [(2, False), (1, True)]
    assert first["rejected"] == {"invalid_json": 2}


def test_it_replays_those_with_these_ids(operator: Client, kandy: Plant, galle: Plant) -> None:
    mine, foreign = letter(kandy, value()), letter(galle, value())
    assert post(operator, f"{LIST}replay/", {"ids": [str(mine.pk), str(foreign.pk)]})["replayed"] == 1


def test_it_discards_one(operator: Client, kandy: Plant, bob: User) -> None:
    assert post(operator, f"{LIST}{letter(kandy, b'?').pk}/discard/")["state"] == "discarded"
    assert DeadLetter.objects.get().decided_by == bob


def test_it_discards_many_but_none_that_was_decided(operator: Client, kandy: Plant) -> None:
    letter(kandy, b"?")
    letter(kandy, b"?", state="replayed")
    assert post(operator, f"{LIST}discard/", {"source": "kandy/rolling/roller-2"}) == {"discarded": 1}
    assert sorted(DeadLetter.objects.values_list("state", flat=True)) == ["discarded", "replayed"]


@pytest.mark.parametrize("what", ["replay", "discard"])
def test_it_never_takes_no_choice_for_all(operator: Client, kandy: Plant, what: str) -> None:
    letter(kandy, b"?")
    assert operator.post(f"{LIST}{what}/", {}, content_type="application/json").status_code == 400
    assert DeadLetter.objects.new().count() == 1


def test_it_reads_no_payload_for_a_list(operator: Client, kandy: Plant) -> None:
    letter(kandy, b"?")
    with connection.execute_wrapper(_refuse_payload):
        assert operator.get(LIST).status_code == 200


def _refuse_payload(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    assert '"payload"' not in sql
    return execute(sql, params, many, context)

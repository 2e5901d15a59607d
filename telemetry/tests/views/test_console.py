import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from plants.models import Machine, Plant, Sensor, Zone
from telemetry.formats import format_clock
from telemetry.tests.conftest import Store

PAGES = ["/", "/rates", "/plants/kandy/", "/plants/kandy/rate"]


@pytest.mark.parametrize("path", PAGES)
def test_it_sends_strangers_to_sign_in(client: Client, kandy: Plant, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 302
    assert response["Location"] == f"/login/?next={path}"


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("person", ["alice", "bob", "vera"])
def test_it_shows_the_plant_to_admins_and_members(
    client: Client, kandy: Plant, request: pytest.FixtureRequest, person: str, path: str
) -> None:
    client.force_login(request.getfixturevalue(person))

    assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/plants/kandy/", "/plants/kandy/rate", "/plants/nowhere/"])
def test_it_hides_foreign_plants_as_if_they_did_not_exist(
    client: Client, kandy: Plant, charlie: User, path: str
) -> None:
    client.force_login(charlie)

    assert client.get(path).status_code == 404


def test_it_lists_only_the_plants_of_the_user(client: Client, kandy: Plant, charlie: User) -> None:
    client.force_login(charlie)
    page = client.get("/").content.decode()

    assert "Rotterdam" in page
    assert "Kandy" not in page


def test_it_shows_values_without_a_script(client: Client, kandy: Plant, vera: User, store: Store) -> None:
    temp, state = Sensor.objects.get(slug="temp"), Sensor.objects.get(slug="state")
    now = timezone.now()
    store(temp, [(now, 1234.56)])
    store(state, [(now - timedelta(hours=1), 0), (now - timedelta(minutes=20), 1), (now, 1)])
    client.force_login(vera)
    page = client.get("/plants/kandy/").content.decode()

    assert "1\u202f234.6" in page
    assert ">Running<" in page
    assert f"since {format_clock(now - timedelta(minutes=20), kandy.tz, now)}" in page
    assert "Not live" in page


def test_it_marks_what_is_stale_and_what_is_bad(client: Client, kandy: Plant, vera: User, store: Store) -> None:
    store(Sensor.objects.get(slug="temp"), [(timezone.now() - timedelta(hours=1), 20.0)])
    store(Sensor.objects.get(slug="rpm"), [(timezone.now(), 20.0)], quality=8)
    client.force_login(vera)
    page = client.get("/plants/kandy/").content.decode()

    assert 'data-freshness="stale" data-quality="good"' in page
    assert 'data-freshness="fresh" data-quality="bad"' in page
    assert "1 stale" in page


def test_it_draws_no_line_between_the_numbers_of_states(client: Client, kandy: Plant, vera: User, store: Store) -> None:
    Sensor.objects.filter(slug="rpm").update(kind="state", states={"0": "closed"}, position=9)
    client.force_login(vera)
    page = client.get("/plants/kandy/").content.decode()

    assert '<svg class="spark"' in page
    assert '<span class="spark"></span>' in page


def test_it_filters_by_the_url(client: Client, kandy: Plant, vera: User) -> None:
    client.force_login(vera)

    assert "data-folds hidden" not in client.get("/plants/kandy/?q=roller").content.decode()
    filtered = client.get("/plants/kandy/?q=dryer").content.decode()
    assert filtered.count('data-state="waiting" hidden') == 1
    assert "data-no-match hidden" not in filtered


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?zone=nosuch", "The plant has no zone “nosuch”: these are the machines of all zones."),
        ("?show=nosuch", "There is no filter “nosuch”: these are all. Filters are all, abnormal, stale."),
    ],
)
def test_it_says_what_of_the_url_it_does_not_know(
    client: Client, kandy: Plant, vera: User, query: str, said: str
) -> None:
    client.force_login(vera)

    assert f"<span>{said}</span>" in client.get(f"/plants/kandy/{query}").content.decode()
    assert "data-wrong" not in client.get("/plants/kandy/?zone=rolling&show=all").content.decode()


def test_it_escapes_what_people_name_things(client: Client, kandy: Plant, vera: User) -> None:
    Machine.objects.update(name="</script><script>alert(1)</script>")
    client.force_login(vera)
    page = client.get("/plants/kandy/").content.decode()

    assert "<script>alert(1)" not in page


def test_it_keeps_script_and_style_out_of_the_html(client: Client, kandy: Plant, vera: User) -> None:
    client.force_login(vera)
    for path in ("/", "/plants/kandy/"):
        page = client.get(path).content.decode()
        assert " style=" not in page
        scripts = re.findall(r"<script[^>]*>", page)
        assert all(" src=" in each or 'type="application/json"' in each for each in scripts)


@pytest.mark.parametrize("path", ["/", "/plants/kandy/"])
def test_it_asks_the_database_as_often_for_many_machines_as_for_one(
    client: Client, kandy: Plant, vera: User, path: str
) -> None:
    client.force_login(vera)
    with CaptureQueriesContext(connection) as few:
        client.get(path)
    zone = Zone.objects.create(plant=kandy, slug="drying", name="Drying")
    for number in range(8):
        machine = Machine.objects.create(zone=zone, slug=f"dryer-{number}", name=f"Dryer {number}")
        Sensor.objects.create(machine=machine, slug="temp", name="Temperature")
        Sensor.objects.create(machine=machine, slug="state", name="State", kind="state", states={"0": "stopped"})
    with CaptureQueriesContext(connection) as many:
        client.get(path)

    assert len(many) == len(few)


@pytest.mark.parametrize(("person", "sees"), [("alice", True), ("bob", True), ("vera", False)])
def test_it_links_the_admin_for_those_who_may(
    client: Client, kandy: Plant, request: pytest.FixtureRequest, person: str, sees: bool
) -> None:
    client.force_login(request.getfixturevalue(person))

    assert (f'href="{reverse("admin:index")}"' in client.get("/").content.decode()) is sees


def test_it_says_what_to_do_where_there_is_no_plant(client: Client, alice: User) -> None:
    client.force_login(alice)
    page = client.get("/").content.decode()

    assert "No plant yet" in page
    assert "mosquitto_pub" in page


def test_it_says_the_worst_of_a_plant_in_one_sentence(client: Client, kandy: Plant, vera: User, store: Store) -> None:
    now = timezone.now()
    store(Sensor.objects.get(slug="temp"), [(now, 20.0)])
    store(Sensor.objects.get(slug="state"), [(now - timedelta(minutes=20), 1), (now, 3)])
    client.force_login(vera)
    page = client.get("/").content.decode()

    assert "<b>Roller 2 in fault</b>" in page
    assert 'data-worst="fault"' in page


def test_it_lists_what_does_not_report_with_its_machine(client: Client, kandy: Plant, vera: User, store: Store) -> None:
    then = timezone.now() - timedelta(hours=1)
    store(Sensor.objects.get(slug="temp"), [(then, 20.0)])
    client.force_login(vera)
    page = client.get("/").content.decode()

    listed = page[page.index("data-concerns>") : page.index("</ul>", page.index("data-concerns>"))]
    assert "/plants/kandy/rolling/roller-2/" in listed
    assert "silent" in listed


def test_it_claims_nothing_of_alarms_that_have_no_rules(client: Client, kandy: Plant, vera: User) -> None:
    client.force_login(vera)
    page = client.get("/").content.decode()

    assert "no rules yet" in page


@pytest.mark.parametrize(("person", "sees"), [("bob", True), ("vera", False)])
def test_it_shows_dead_letters_to_those_who_may_decide_them(
    client: Client, kandy: Plant, request: pytest.FixtureRequest, person: str, sees: bool
) -> None:
    client.force_login(request.getfixturevalue(person))

    assert ("<dt>Dead letters</dt>" in client.get("/").content.decode()) is sees


def test_it_counts_rates_anew_for_plants_of_the_user_alone(
    client: Client, kandy: Plant, rotterdam: Plant, vera: User, store: Store
) -> None:
    now = timezone.now()
    store(Sensor.objects.get(slug="temp"), [(now - timedelta(seconds=second), 1.0) for second in range(1, 31)])
    client.force_login(vera)

    assert client.get("/rates").json() == {"readings_a_second": {"kandy": 0.5}, "dead_letters": ""}

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from plants.models import Plant, Sensor
from telemetry.tests.conftest import Store
from telemetry.tests.samples import mark_rollups

PAGE = "/plants/kandy/rolling/roller-2/"


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}timeline", "/plants/kandy/rolling/roller-9/"])
def test_it_hides_foreign_machines_as_if_they_did_not_exist(
    client: Client, kandy: Plant, charlie: User, path: str
) -> None:
    client.force_login(charlie)

    assert client.get(path).status_code == 404


def test_it_shows_each_sensor_with_its_place_in_the_range(
    client: Client, kandy: Plant, vera: User, store: Store
) -> None:
    Sensor.objects.filter(slug="temp").update(low=0, high=120)
    store(Sensor.objects.get(slug="temp"), [(timezone.now(), 90.0)])
    client.force_login(vera)
    page = client.get(PAGE).content.decode()

    assert '<b class="number">90.0</b>' in page
    assert 'x="75.00%"' in page
    assert "0 to 120" in page
    assert 'href="/trend/?sensor=kandy/rolling/roller-2/temp"' in page


def test_it_draws_a_line_of_gauges_only(client: Client, kandy: Plant, vera: User, store: Store) -> None:
    Sensor.objects.filter(slug="rpm").update(kind="counter", unit="kWh")
    now = timezone.now()
    for slug in ("temp", "rpm", "state"):
        store(Sensor.objects.get(slug=slug), [(now - timedelta(minutes=30), 1.0), (now, 2.0)])
    client.force_login(vera)
    page = client.get(PAGE).content.decode()

    assert page.count('class="spark"') == 1
    assert ">+1.0\u202fkWh since " in page


def test_it_says_what_the_machine_did(client: Client, kandy: Plant, vera: User, store: Store) -> None:
    now = timezone.now()
    store(Sensor.objects.get(slug="state"), [(now - timedelta(minutes=each), each // 4) for each in range(7, -1, -1)])
    mark_rollups()
    client.force_login(vera)
    page = client.get(PAGE).content.decode()
    stretches = client.get(f"{PAGE}timeline").json()["timeline"]

    assert "Stopped 3\u202fmin" in page
    assert 'role="img" aria-label="Last 8 hours: ' in page
    assert [each[2:] for each in stretches] == [
        ["silent", "No readings"],
        ["running", "Running"],
        ["stopped", "Stopped"],
    ]


def test_it_escapes_what_people_name_things(client: Client, kandy: Plant, vera: User) -> None:
    Sensor.objects.update(name="</script><script>alert(1)</script>", states={"0": "<b>off</b>"})
    client.force_login(vera)
    for path in (PAGE, "/trend/?sensor=kandy/rolling/roller-2/temp"):
        page = client.get(path).content.decode()
        assert "<script>alert(1)" not in page
        assert " style=" not in page


def test_it_asks_the_database_as_often_for_many_sensors_as_for_one(client: Client, kandy: Plant, vera: User) -> None:
    client.force_login(vera)
    with CaptureQueriesContext(connection) as few:
        client.get(PAGE)
    machine = Sensor.objects.get(slug="temp").machine
    for number in range(8):
        Sensor.objects.create(machine=machine, slug=f"more-{number}", name=f"More {number}")
    with CaptureQueriesContext(connection) as many:
        client.get(PAGE)

    assert len(many) == len(few)

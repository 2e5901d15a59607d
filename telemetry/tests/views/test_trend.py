import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from alarms.tests.alarms import make_alarm
from plants.models import Plant, Sensor
from telemetry.tests.conftest import Store
from telemetry.tests.samples import mark_rollups
from telemetry.trend_query import TrendQuery

TEMP = "kandy/rolling/roller-2/temp"


@pytest.mark.parametrize("query", [f"sensor={TEMP}", f"sensor={TEMP}&sensor=kandy/rolling/roller-2/none"])
def test_it_hides_foreign_and_missing_sensors(
    client: Client, kandy: Plant, charlie: User, alice: User, query: str
) -> None:
    client.force_login(charlie)

    assert client.get(f"/trend/?{query}").status_code == 404
    client.force_login(alice)
    assert client.get(f"/trend/?{query}").status_code == (404 if "none" in query else 200)


def test_it_shows_the_numbers_without_a_script(client: Client, kandy: Plant, vera: User, store: Store) -> None:
    now = timezone.now()
    store(Sensor.objects.get(slug="temp"), [(now - timedelta(minutes=2), 1234.5), (now, 68.2)])
    client.force_login(vera)
    page = client.get(f"/trend/?sensor={TEMP}&range=1h").content.decode()

    assert "<td>1\u202f234.5</td><td>good</td>" in page
    assert "<td>68.2</td><td>good</td>" in page


def test_it_shows_for_how_long_a_state_was_which(client: Client, kandy: Plant, vera: User, store: Store) -> None:
    now = timezone.now()
    store(Sensor.objects.get(slug="state"), [(now - timedelta(days=5), 1), (now - timedelta(days=4), 0)])
    mark_rollups()
    client.force_login(vera)
    page = client.get("/trend/?sensor=kandy/rolling/roller-2/state&range=30d").content.decode()

    assert '<th scope="col">running</th>' in page
    assert "<td>1\u202fd</td>" in page


def test_it_lets_a_sensor_be_chosen_where_none_is_named(client: Client, kandy: Plant, vera: User) -> None:
    client.force_login(vera)

    assert f'<option value="{TEMP}">' in client.get("/trend/").content.decode()


def test_it_asks_the_database_as_often_for_eight_sensors_as_for_two(client: Client, kandy: Plant, vera: User) -> None:
    client.force_login(vera)
    machine = Sensor.objects.get(slug="temp").machine
    made = [Sensor.objects.create(machine=machine, slug=f"more-{each}", name=f"More {each}") for each in range(8)]
    names = [each.address for each in made]
    with CaptureQueriesContext(connection) as few:
        client.get("/trend/", {"sensor": names[:2]})
    with CaptureQueriesContext(connection) as many:
        client.get("/trend/", {"sensor": names})

    assert len(many) == len(few)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sensor=a&from=2026-11-24T06:30Z", "Not a range"),
        ("sensor=a&from=2026-11-24T06:30Z&to=2026-11-24T06:30Z", "Not a range"),
        ("sensor=a&from=yesterday&to=2026-13-45T99:00Z", "Not a range"),
        ("&".join(f"sensor={each}" for each in range(9)), "8 sensors at most"),
        ("sensor=a&range=forever", "There is no range “forever”"),
        ("sensor=a&from=2026-11-24T06:30&to=2026-11-24T07:30&zone=Europe", "not a time zone"),
        ("sensor=a&range=8h", ""),
    ],
)
def test_it_says_what_of_a_link_it_does_not_understand(text: str, says: str) -> None:
    query = TrendQuery.from_query(QueryDict(text))

    assert says in query.wrong
    assert bool(says) == bool(query.wrong)
    assert query.range == "8h"
    assert len(query.sensors) <= 8


def test_it_keeps_everything_in_its_links() -> None:
    text = "sensor=kandy/r/m/a&sensor=b&from=2026-11-24T12:00:00%2B05:30&to=2026-11-24T12:30:00.5%2B05:30"
    query = TrendQuery.from_query(QueryDict(text))

    assert query.start == datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
    times = "from=2026-11-24T06:30:00Z&to=2026-11-24T07:00:00.500Z"
    assert query.link() == f"?sensor=kandy/r/m/a&sensor=b&{times}"
    assert query.link(without="b") == f"?sensor=kandy/r/m/a&{times}"
    assert query.link(range="24h") == "?sensor=kandy/r/m/a&sensor=b&range=24h"
    assert query.link(view="table") == f"?sensor=kandy/r/m/a&sensor=b&{times}&view=table"
    frozen = TrendQuery.from_query(QueryDict("sensor=b&range=15m&follow=0&view=table"))
    assert frozen.link() == "?sensor=b&range=15m&view=table&follow=0"


def test_it_takes_times_of_the_plant_from_its_form() -> None:
    query = TrendQuery.from_query(QueryDict("sensor=a&from=2026-11-24T12:00&to=2026-11-24T12:30:05&zone=Asia/Colombo"))

    assert query.start == datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
    assert query.end == datetime(2026, 11, 24, 7, 0, 5, tzinfo=UTC)


def test_it_leads_to_where_readings_are_if_a_range_has_none(
    client: Client, kandy: Plant, vera: User, store: Store
) -> None:
    now = timezone.now().replace(microsecond=0)
    store(Sensor.objects.get(slug="temp"), [(now - timedelta(hours=9), 1.0), (now - timedelta(hours=3), 2.0)])
    client.force_login(vera)
    between = {"from": (now - timedelta(hours=8)).isoformat(), "to": (now - timedelta(hours=4)).isoformat()}
    page = client.get("/trend/", {"sensor": TEMP, **between})

    assert page.context["page_of"].before == now - timedelta(hours=9)
    assert page.context["page_of"].after == now - timedelta(hours=3)
    assert "Go to the readings before" in page.content.decode()
    ends = now - timedelta(hours=3) + timedelta(minutes=12)
    assert f"to={ends:%Y-%m-%dT%H:%M:%S}Z" in page.content.decode()


def test_it_gives_its_script_the_sensors_in_order_and_their_neighbours(
    client: Client, kandy: Plant, rotterdam: Plant, alice: User
) -> None:
    client.force_login(alice)
    names = ["rotterdam/mixing/mixer-1/power", "kandy/rolling/roller-2/rpm"]
    live = client.get("/trend/", {"sensor": names}).context["live"]

    assert [each["address"] for each in live["shown"]] == names
    assert [each["slug"] for each in live["plants"]] == ["rotterdam", "kandy"]
    (machine,) = live["plants"][1]["machines"]
    assert [each["name"] for each in machine["sensors"]] == ["Temperature", "Speed", "State"]


def test_it_lists_the_alarms_of_the_range(client: Client, kandy: Plant, vera: User) -> None:
    temp, now = Sensor.objects.get(slug="temp"), timezone.now()
    hours = timedelta(hours=1)
    make_alarm(temp, title="now", raised_at=now - hours)
    make_alarm(temp, title="before", raised_at=now - 9 * hours, cleared_at=now - 7 * hours, state="cleared")
    make_alarm(temp, title="long over", raised_at=now - 12 * hours, closed_at=now - 9 * hours, state="closed")
    make_alarm(Sensor.objects.get(slug="rpm"), title="of another sensor", raised_at=now - hours)
    client.force_login(vera)
    page = client.get(f"/trend/?sensor={TEMP}&range=8h&part=alarms").content.decode()
    assert re.findall(r"<b>([a-z ]+)</b></a>", page) == ["now", "before"]
    assert page.count(f"[{temp.number}, ") == 2
    assert "Alarms in this range" in client.get(f"/trend/?sensor={TEMP}&range=8h").content.decode()

"""The quarantine: samples of unknown sensors, each once, within bounds."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.utils.timezone import now

from accounts.models import User
from plants.models import Machine, Plant, Sensor
from plants.scales import instant
from telemetry.ingest.quarantine import LABEL_CHARACTERS, Room, put
from telemetry.ingest.store import connect
from telemetry.models import DiscoveredSensor, QuarantinedSample
from telemetry.readings import Sample

pytestmark = pytest.mark.django_db(transaction=True)

NOW_US = time.time_ns() // 1000
SECOND = 1_000_000
AMPLE = Room(samples=1000, samples_of_plant=10_000, addresses=100)
NEW = "kandy/drying/dryer-1/temp"


@pytest.fixture
def database(transactional_db: None) -> Iterator[psycopg.Connection]:
    with connect() as connection:
        yield connection


def sample(address: str = NEW, ago_s: float = 0, value: float | str = 1.5, quality: int = 192) -> Sample:
    return address, NOW_US - int(ago_s * SECOND), value, quality


def keep(database: psycopg.Connection, samples: Sequence[Sample], room: Room = AMPLE) -> None:
    with database.transaction(), database.cursor() as cursor:
        put(cursor, samples, room)


def jobs(database: psycopg.Connection) -> list[tuple[str, str]]:
    query = "SELECT task_name, status::text FROM procrastinate_jobs ORDER BY id"
    return database.execute(query).fetchall()


def test_it_lists_one_entry_an_address_with_count_and_newest_sample(database: psycopg.Connection, kandy: Plant) -> None:
    other = "kandy/rolling/roller-2/humidity"
    keep(database, [sample(ago_s=2), sample(ago_s=1, value=7, quality=64), sample(ago_s=3), sample(other)])
    found = DiscoveredSensor.objects.get(address=NEW)
    assert (found.plant, found.state, found.count, found.kept, found.not_kept) == (kandy, "new", 3, 3, 0)
    assert found.last_time == instant(NOW_US - SECOND)
    assert (found.last_value, found.last_label, found.last_quality) == (7, "", 64)
    assert DiscoveredSensor.objects.get(address=other).count == 1


def test_it_keeps_samples_as_they_were_decoded(database: psycopg.Connection, kandy: Plant) -> None:
    keep(database, [sample(ago_s=1), sample(value="running", quality=0)])
    rows = QuarantinedSample.objects.order_by("time").values_list("time", "value", "label", "quality")
    assert list(rows) == [
        (instant(NOW_US - SECOND), 1.5, None, 192),
        (instant(NOW_US), None, "running", 0),
    ]
    assert DiscoveredSensor.objects.get().last_label == "running"


def test_it_keeps_a_sample_once_that_is_delivered_again(database: psycopg.Connection, kandy: Plant) -> None:
    for _ in range(3):
        keep(database, [sample(), sample(), sample(ago_s=1)])
    assert QuarantinedSample.objects.count() == DiscoveredSensor.objects.get().kept == 2


def test_it_does_not_move_the_newest_sample_back(database: psycopg.Connection, kandy: Plant) -> None:
    keep(database, [sample(value=2)])
    keep(database, [sample(ago_s=60, value=1)])
    assert DiscoveredSensor.objects.get().last_value == 2


@pytest.mark.parametrize(
    "address",
    ["ghost/a/b/c", "kandy/rolling/roller-2/Temp", "kandy/rolling/roller-2/", "kandy/a/b", "kandy/a/b/c\n", "kandy"],
)
def test_it_lists_nothing_that_no_sensor_could_be(database: psycopg.Connection, kandy: Plant, address: str) -> None:
    keep(database, [sample(address)])
    assert not DiscoveredSensor.objects.exists()


@pytest.mark.parametrize("label", ["", "a\x00", "\ud800", "a\nb", "x" * (LABEL_CHARACTERS + 1)])
def test_it_keeps_no_text_that_no_label_could_be(database: psycopg.Connection, kandy: Plant, label: str) -> None:
    keep(database, [sample(value=label)])
    found = DiscoveredSensor.objects.get()
    assert (found.count, found.kept, found.not_kept) == (1, 0, 1)


def test_it_keeps_as_many_samples_of_an_address_as_there_is_room_for(
    database: psycopg.Connection, kandy: Plant
) -> None:
    room = AMPLE._replace(samples=3)
    keep(database, [sample(ago_s=each) for each in range(2)], room)
    keep(database, [sample(ago_s=each) for each in range(10, 15)], room)
    keep(database, [sample(ago_s=20)], room)
    found = DiscoveredSensor.objects.get()
    assert (found.count, found.kept, found.not_kept) == (8, 3, 5)
    assert QuarantinedSample.objects.count() == 3


def test_it_keeps_as_many_samples_of_a_plant_as_there_is_room_for(
    database: psycopg.Connection, kandy: Plant, rotterdam: Plant
) -> None:
    room = AMPLE._replace(samples_of_plant=3)
    keep(database, [sample(f"{NEW}-{n}", ago_s=each) for n in range(2) for each in range(2)], room)
    keep(database, [sample(f"{NEW}-2"), sample("rotterdam/a/b/c")], room)
    kept = dict(DiscoveredSensor.objects.values_list("address", "kept"))
    assert kept == {f"{NEW}-0": 2, f"{NEW}-1": 1, f"{NEW}-2": 0, "rotterdam/a/b/c": 1}


def test_it_lists_as_many_addresses_of_a_plant_as_there_is_room_for(
    database: psycopg.Connection, kandy: Plant, rotterdam: Plant
) -> None:
    room = AMPLE._replace(addresses=3)
    keep(database, [sample(f"kandy/a/b/c{n}") for n in range(2)], room)
    keep(database, [sample(f"kandy/a/b/d{n}") for n in range(5)] + [sample("rotterdam/a/b/c")], room)
    keep(database, [sample("kandy/a/b/c0"), sample("kandy/a/b/e")], room)
    counts = dict(DiscoveredSensor.objects.values_list("address", "count"))
    assert counts == {"kandy/a/b/c0": 2, "kandy/a/b/c1": 1, "kandy/a/b/d0": 1, "rotterdam/a/b/c": 1}


def test_it_numbers_no_faster_than_it_lists(database: psycopg.Connection, kandy: Plant) -> None:
    """The numbers end at 2^31: one a batch would be used up in time."""
    for _ in range(5):
        keep(database, [sample(), sample("kandy/a/b/c")], AMPLE._replace(addresses=1))
    keep(database, [sample()])
    first, second = DiscoveredSensor.objects.order_by("number").values_list("number", flat=True)
    assert second == first + 1


def test_it_only_counts_what_is_ignored(database: psycopg.Connection, kandy: Plant, bob: User) -> None:
    keep(database, [sample(ago_s=1)])
    assert DiscoveredSensor.objects.get().ignore(bob, now())
    keep(database, [sample()])
    found = DiscoveredSensor.objects.get()
    assert (found.state, found.count, found.kept, found.not_kept) == ("ignored", 2, 1, 1)
    assert jobs(database) == []


def test_it_leaves_the_decision_to_people_by_default(database: psycopg.Connection, kandy: Plant) -> None:
    keep(database, [sample()])
    assert jobs(database) == []


def test_it_leaves_one_job_where_the_plant_creates_at_once(database: psycopg.Connection, kandy: Plant) -> None:
    Plant.objects.update(on_unknown="create")
    keep(database, [sample()])
    keep(database, [sample(ago_s=1)])
    assert jobs(database) == [("adoption", "todo")]


def test_it_gets_past_the_job_of_another(database: psycopg.Connection, kandy: Plant) -> None:
    Plant.objects.update(on_unknown="create")
    with connect() as other, ThreadPoolExecutor(1) as pool:
        with other.transaction(), other.cursor() as cursor:
            put(cursor, [sample("kandy/a/b/c")], AMPLE)
            waiting = pool.submit(keep, database, [sample()])
        waiting.result(20)
    assert jobs(database) == [("adoption", "todo")]
    assert DiscoveredSensor.objects.count() == 2


def test_it_leaves_a_job_for_what_comes_after_the_adoption(database: psycopg.Connection, kandy: Plant) -> None:
    """As long as ingest has not heard of the sensor."""
    temp = Sensor.objects.get(slug="temp")
    keep(database, [sample(temp.address)])
    assert jobs(database) == [("adoption", "todo")]
    assert list(DiscoveredSensor.objects.due().values_list("address", flat=True)) == [temp.address]


def test_it_asks_anew_where_an_adopted_sensor_is_gone(database: psycopg.Connection, kandy: Plant) -> None:
    temp = Sensor.objects.get(slug="temp")
    address = temp.address
    keep(database, [sample(address)])
    DiscoveredSensor.objects.get().adopted(temp, None, now())
    keep(database, [sample(address, ago_s=1)])
    assert DiscoveredSensor.objects.get().state == "adopted"
    temp.delete()
    keep(database, [sample(address, ago_s=2)])
    assert DiscoveredSensor.objects.get().state == "new"


def test_it_leaves_with_its_plant(database: psycopg.Connection, kandy: Plant) -> None:
    keep(database, [sample()])
    Machine.objects.all().delete()
    kandy.delete()
    assert not DiscoveredSensor.objects.exists()


def test_it_waits_in_order_where_several_write_the_same(kandy: Plant) -> None:
    addresses = [f"kandy/a/b/s{n:02}" for n in range(20)]

    def write(start: int) -> None:
        with connect() as connection:
            for batch in range(10):
                order = addresses if (start + batch) % 2 else addresses[::-1]
                keep(connection, [sample(address, ago_s=start * 100 + batch) for address in order])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert set(DiscoveredSensor.objects.values_list("count", "kept")) == {(40, 40)}
    assert QuarantinedSample.objects.count() == 800

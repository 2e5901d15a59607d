"""Adopting discovered sensors: what is made of an address, and that its history is stored, once, whatever happens."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.core.exceptions import ValidationError
from django.db import connection, connections
from django.utils.timezone import now

from accounts.models import User
from plants.models import Machine, Plant, Sensor, Zone
from plants.scales import instant
from telemetry import adopt as adopt_module
from telemetry.adopt import Adoption, adopt, adopt_due
from telemetry.ingest.ledger import Kind
from telemetry.ingest.quarantine import Room, put
from telemetry.ingest.store import connect
from telemetry.models import DeadLetter, DiscoveredSensor, Latest, QuarantinedSample, Reading
from telemetry.readings import Sample
from telemetry.tests.letters import make_letter
from telemetry.tests.samples import dead, write

pytestmark = pytest.mark.django_db(transaction=True)

NOW_US = time.time_ns() // 1000
SECOND = 1_000_000
NEW = "kandy/drying/dryer-1/inlet-temp"
RETENTION_DAYS = 90


def keep(samples: Sequence[Sample]) -> None:
    with connect() as database, database.transaction(), database.cursor() as cursor:
        put(cursor, samples, Room(100_000, 1_000_000, 100))


def series(address: str, *values: float | str) -> list[Sample]:
    """The last now, the others a minute apart before it."""
    return [(address, NOW_US - 60 * SECOND * ago, value, 192) for ago, value in enumerate(reversed(values))]


def discover(*values: float | str, address: str = NEW) -> DiscoveredSensor:
    keep(series(address, *values))
    return DiscoveredSensor.objects.get(address=address)


def adopted(entry: DiscoveredSensor, by: User | None = None, **chosen: Any) -> Adoption:
    return adopt(entry, by, now(), RETENTION_DAYS, chosen)


def letter(plant: Plant, machine: str, payload: bytes, address: str, samples: int = 1) -> DeadLetter:
    return make_letter(
        plant,
        payload,
        source=machine,
        topic=f"inqube/v1/{machine}/t",
        address=address,
        reason="unknown_sensor",
        samples=samples,
        digest=payload[:16],
    )


def test_it_makes_zone_machine_and_sensor_as_guessed(kandy: Plant, bob: User) -> None:
    entry = discover(80.5, 81.5, 82.25)
    done = adopted(entry, bob)
    sensor = Sensor.objects.get(pk=done.sensor.pk)
    assert (sensor.address, done.is_new) == (NEW, True)
    assert (sensor.machine.zone.name, sensor.machine.name, sensor.name) == ("Drying", "Dryer 1", "Inlet temp")
    assert (sensor.kind, sensor.type, sensor.unit, sensor.decimals) == ("gauge", "temperature", "°C", 2)
    assert sensor.expected_interval_s == 60
    entry.refresh_from_db()
    assert (entry.state, entry.sensor, entry.decided_by) == ("adopted", sensor, bob)


def test_it_adds_to_the_machine_that_is_there(kandy: Plant) -> None:
    done = adopted(discover(1, address="kandy/rolling/roller-2/humidity"))
    assert done.sensor.machine == Machine.objects.get(slug="roller-2")
    assert (Zone.objects.count(), Machine.objects.count()) == (1, 1)


def test_it_stores_what_was_quarantined(kandy: Plant) -> None:
    done = adopted(discover(80.5, 81.5, 82.5))
    assert (done.stored, done.duplicate, done.conflict, done.rejected) == (3, 0, 0, {})
    sensor = Sensor.objects.get(pk=done.sensor.pk)
    readings = Reading.objects.filter(sensor=sensor).order_by("time")
    assert [reading.value for reading in readings] == [80.5, 81.5, 82.5]
    latest = Latest.objects.get(sensor=sensor)
    assert (latest.time, latest.value) == (instant(NOW_US), 82.5)
    assert (done.discovered.kept, QuarantinedSample.objects.count()) == (0, 0)


def test_it_brings_the_rollups_up_to_what_was_stored(kandy: Plant) -> None:
    hour_ago = NOW_US - 3600 * SECOND
    keep([(NEW, hour_ago + n, float(n), 192) for n in range(10)])
    number = Sensor.objects.get(pk=adopted(DiscoveredSensor.objects.get()).sensor.pk).number
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(n), sum(sum) FROM reading_1h WHERE sensor = %s", [number])
        assert cursor.fetchone() == (10, 45.0)


def test_it_goes_through_the_quarantine_page_by_page(kandy: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adopt_module, "PAGE", 4)
    done = adopted(discover(*(float(n) for n in range(10))))
    assert (done.stored, Reading.objects.count(), done.discovered.kept) == (10, 10, 0)


def test_it_stores_labels_by_the_numbers_that_it_gave_them(kandy: Plant) -> None:
    done = adopted(discover("stopped", "running", "stopped", address="kandy/drying/dryer-1/mode"))
    assert (done.sensor.kind, done.sensor.states) == ("state", {"0": "stopped", "1": "running"})
    assert list(Reading.objects.order_by("time").values_list("value", flat=True)) == [0, 1, 0]


def test_it_takes_what_was_chosen_instead_of_the_guess(kandy: Plant) -> None:
    states = {"0": "halt", "7": "auto"}
    entry = discover("auto", "manual", address="kandy/drying/dryer-1/mode")
    done = adopted(entry, name="Mode of work", states=states, high=7.0)
    assert (done.sensor.name, done.sensor.states, done.sensor.high) == ("Mode of work", states, 7)
    assert list(Reading.objects.values_list("value", flat=True)) == [7]


def test_it_keeps_what_the_sensor_does_not_take_and_says_why(kandy: Plant) -> None:
    entry = discover("auto", "manual", "auto", address="kandy/drying/dryer-1/mode")
    done = adopted(entry, states={"0": "auto"})
    assert (done.stored, done.rejected, done.discovered.kept) == (2, {"unknown_state": 1}, 1)
    Sensor.objects.filter(pk=done.sensor.pk).update(states={"0": "auto", "1": "manual"})
    again = adopted(entry)
    assert (again.is_new, again.stored, again.rejected, again.discovered.kept) == (False, 1, {}, 0)


def test_it_keeps_samples_that_are_too_old_by_now(kandy: Plant) -> None:
    keep([(NEW, NOW_US - 100 * 86_400 * SECOND, 1.0, 192), (NEW, NOW_US, 1.0, 192)])
    done = adopted(DiscoveredSensor.objects.get())
    assert (done.stored, done.rejected) == (1, {"timestamp_out_of_range": 1})
    assert dead(Kind.REPLAY) == {"timestamp_out_of_range": 1}


def test_it_leaves_nothing_of_a_sensor_that_cannot_be(kandy: Plant) -> None:
    entry = discover(1.5)
    with pytest.raises(ValidationError, match="needs at least one label"):
        adopted(entry, kind="state")
    assert not Zone.objects.filter(slug="drying").exists()
    entry.refresh_from_db()
    assert (entry.state, entry.kept) == ("new", 1)


def test_it_leaves_a_sensor_alone_that_is_there(kandy: Plant) -> None:
    temp = Sensor.objects.get(slug="temp")
    done = adopted(discover(20.5, address=temp.address), unit="K")
    assert (done.is_new, done.sensor, done.stored) == (False, temp, 1)
    temp.refresh_from_db()
    assert temp.unit == "°C"


def test_it_recognises_readings_that_are_there(kandy: Plant) -> None:
    temp = Sensor.objects.get(slug="temp")
    entry = discover(20.5, 21.5, address=temp.address)
    write([(temp.number, NOW_US, 21.5, 192), (temp.number, NOW_US - 60 * SECOND, 99, 192)])
    done = adopted(entry)
    assert (done.stored, done.duplicate, done.conflict, done.discovered.kept) == (0, 1, 1, 0)


def test_it_goes_on_where_it_was_ended(kandy: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """As between the commit of readings and that of the quarantine."""

    def fail(*_: object) -> None:
        raise psycopg.OperationalError

    entry = discover(1.5, 2.5)
    with monkeypatch.context() as patch:
        patch.setattr(adopt_module, "_take_out", fail)
        with pytest.raises(psycopg.OperationalError):
            adopted(entry)
    assert (Reading.objects.count(), QuarantinedSample.objects.count()) == (2, 2)
    done = adopted(entry)
    assert (done.stored, done.duplicate, done.discovered.kept, Reading.objects.count()) == (0, 2, 0, 2)


def test_it_makes_one_sensor_where_two_adopt_at_once(kandy: Plant) -> None:
    entries = [discover(*(float(n) for n in range(500)), address=f"{NEW}-{n}") for n in range(3)]

    def run(entry: DiscoveredSensor) -> Adoption:
        try:
            return adopted(entry)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(run, [*entries, *entries]))
    assert sum(each.is_new for each in done) == 3
    assert Sensor.objects.filter(slug__startswith="inlet-temp").count() == 3
    assert Reading.objects.count() == 1500
    assert set(DiscoveredSensor.objects.values_list("kept", flat=True)) == {0}


def test_it_leaves_for_the_job_what_comes_after_it(kandy: Plant) -> None:
    """Ingest hears of the sensor a moment later."""
    adopted(discover(1.5))
    assert not DiscoveredSensor.objects.due().exists()
    keep([(NEW, NOW_US + 1, 2.5, 192)])
    assert run_job() == {"adopted": 0, "stored": 1}
    assert not DiscoveredSensor.objects.due().exists()
    assert Reading.objects.count() == 2


def test_it_does_not_try_again_and_again_what_is_refused(kandy: Plant) -> None:
    adopted(discover("auto", "manual"), kind="state", states={"0": "auto"})
    assert DiscoveredSensor.objects.get().kept == 1
    assert not DiscoveredSensor.objects.due().exists()


def test_it_settles_the_letters_of_the_sensor(kandy: Plant, bob: User) -> None:
    entry = discover(1.5)
    machine = NEW.rpartition("/")[0]
    lone = letter(kandy, machine, b'{"values": {"inlet-temp": 1}, "ts": "%s"}' % str(now()).encode(), NEW)
    other = letter(kandy, machine, b'{"values": {"other": 1}}', f"{machine}/other")
    done = adopted(entry, bob)
    assert (done.letters, done.stored, Reading.objects.count()) == (1, 1, 2)
    assert DeadLetter.objects.get(pk=lone.pk).decided_by == bob
    assert DeadLetter.objects.new().get() == other


def test_it_settles_letters_of_several_sensors_with_the_last_of_them(kandy: Plant) -> None:
    machine = NEW.rpartition("/")[0]
    addresses = [f"{machine}/a", f"{machine}/b"]
    entries = [discover(1.5, address=address) for address in addresses]
    both = letter(kandy, machine, b'{"values": {"a": 1, "b": 2}}', addresses[0], samples=2)
    assert [adopted(entry).letters for entry in entries] == [0, 1]
    both.refresh_from_db()
    assert both.state == "replayed"


def test_it_adopts_by_itself_where_the_plant_creates_at_once(kandy: Plant, rotterdam: Plant, alice: User) -> None:
    Plant.objects.filter(slug="kandy").update(on_unknown="create")
    discover(1.5)
    discover(1.5, address="rotterdam/a/b/c")
    discover(1.5, address="kandy/a/b/c").ignore(alice, now())
    assert run_job() == {"adopted": 1, "stored": 1}
    states = dict(DiscoveredSensor.objects.values_list("address", "state"))
    assert states == {NEW: "adopted", "rotterdam/a/b/c": "new", "kandy/a/b/c": "ignored"}


def test_it_adopts_by_itself_what_somebody_has_made(kandy: Plant) -> None:
    discover(1.5, 2.5, address="kandy/rolling/roller-2/humidity")
    Sensor.objects.create(machine=Machine.objects.get(), slug="humidity", name="Humidity")
    assert run_job() == {"adopted": 0, "stored": 2}
    assert DiscoveredSensor.objects.get().state == "adopted"


def test_it_does_not_make_again_what_was_deleted(kandy: Plant) -> None:
    """Unless more comes, which asks anew."""
    adopted(discover("auto", "manual"), kind="state", states={"0": "auto"})
    Sensor.objects.filter(slug="inlet-temp").delete()
    DiscoveredSensor.objects.update(drained=0)
    assert run_job() == {"adopted": 0, "stored": 0}


def test_it_gets_past_an_entry_that_no_guess_fits(kandy: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    Plant.objects.update(on_unknown="create")
    discover(1.5, address="kandy/a/b/c")
    discover(1.5)
    guess_of = adopt_module.guess_of

    def fail_on_c(entry: DiscoveredSensor) -> Any:
        return guess_of(entry) | ({"decimals": 99} if entry.address.endswith("c") else {})

    monkeypatch.setattr(adopt_module, "guess_of", fail_on_c)
    assert run_job() == {"adopted": 1, "stored": 1, "refused": 1}


def run_job() -> dict[str, int]:
    with connect() as database:
        return adopt_due(database, now(), RETENTION_DAYS)


@pytest.fixture(autouse=True)
def release_connections() -> Iterator[None]:
    yield
    connections.close_all()

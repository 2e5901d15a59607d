from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from alarms.models import NotificationChannel
from alarms.tests.alarms import make_alarm
from inqube.admin_site import ago, figures
from plants.models import Machine, Plant, Sensor
from telemetry.models import IngestEvent, IngestShard, Latest, Reading
from telemetry.storage import flavour
from telemetry.tests.letters import make_letter


def report(slug: str, age_s: float, quality: int = 192) -> None:
    sensor = Sensor.objects.get(slug=slug)
    time = now() - timedelta(seconds=age_s)
    connection.ensure_connection()
    flavour(connection.connection).ensure_days(connection.connection, [time.date()])
    Latest.objects.create(sensor=sensor, time=time, value=1, quality=quality, received_at=time)
    Reading.objects.create(sensor=sensor, time=time, value=1, quality=quality)


def state(user: User) -> dict[str, str]:
    return {figure.label: figure.value for figure in figures(user, now())}


def test_it_counts_sensors_by_how_fresh_they_are(alice: User, kandy: Plant, rotterdam: Plant) -> None:
    Sensor.objects.filter(slug__in=["temp", "rpm"]).update(expected_interval_s=5)
    report("temp", 1)
    report("rpm", 20)
    report("power", 4000)
    found = state(alice)
    assert [found[f"Sensors {each}"] for each in ("fresh", "late", "stale", "bad", "without a reading")] == [
        "1",
        "1",
        "1",
        "0",
        "1",
    ]
    assert found["Readings in the last minute"] == "2"
    assert found["Newest reading stored"] in ("1 s ago", "2 s ago", "3 s ago")
    assert (found["Plants"], found["Users"], found["Migrations"]) == ("2", "1", "all applied")
    assert found["Database"].startswith("PostgreSQL 1")
    assert found["Database"].endswith(", plain")


def test_it_shows_operators_their_plants_alone(bob: User, kandy: Plant, rotterdam: Plant) -> None:
    report("power", 1)
    found = state(bob)
    assert found["Plants"] == "1"
    assert found["Newest reading stored"] == "never"
    assert found["Readings in the last minute"] == "0"
    assert found["Sensors without a reading"] == "3"
    assert {"Users", "Database", "Migrations", "Ingest", "Worker", "Jobs failed", "Jobs late"}.isdisjoint(found)


def test_it_marks_what_needs_a_person(alice: User, kandy: Plant) -> None:
    report("temp", 4000)
    abnormal = {figure.label for figure in figures(alice, now()) if figure.is_abnormal}
    assert abnormal == {"Newest reading stored", "Sensors stale", "Ingest", "Worker"}


def test_it_counts_the_dead_letters_that_wait_for_the_user(alice: User, bob: User, kandy: Plant) -> None:
    for plant, state_ in ((kandy, "new"), (None, "new"), (kandy, "discarded")):
        make_letter(plant, state=state_)
    assert [state(user)["Dead letters to decide"] for user in (alice, bob)] == ["2", "1"]


def test_it_counts_the_alarms_that_call_for_the_user(alice: User, charlie: User, kandy: Plant) -> None:
    temp = Sensor.objects.get(slug="temp")
    alarm = make_alarm(temp)
    make_alarm(temp, shelved_until=now() + timedelta(hours=1))
    make_alarm(temp, held_under=alarm)
    make_alarm(temp, state="closed")
    assert [state(user)["Open alarms"] for user in (alice, charlie)] == ["1", "0"]


def test_it_counts_the_channels_that_fail(alice: User, charlie: User, kandy: Plant) -> None:
    moment = now()
    for name, success_at, failure_at, is_enabled in (
        ("never worked", None, moment, True),
        ("works no more", moment - timedelta(hours=1), moment, True),
        ("works again", moment, moment - timedelta(hours=1), True),
        ("new", None, None, True),
        ("off", None, moment, False),
    ):
        NotificationChannel.objects.create(
            plant=kandy,
            name=name,
            kind="email",
            addresses="duty@kandy.example",
            last_success_at=success_at,
            last_failure_at=failure_at,
            last_failure="550 no",
            is_enabled=is_enabled,
        )
    assert [state(user)["Notification channels that fail"] for user in (alice, charlie)] == ["2", "0"]
    assert sum(channel.health == "fails: 550 no" for channel in NotificationChannel.objects.all()) == 2


def test_it_notices_a_pending_migration(alice: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'plants'")
    assert state(alice)["Migrations"] == "pending in 1 app"


def test_it_says_how_ingest_is(alice: User) -> None:
    assert state(alice)["Ingest"] == "not running"
    IngestShard.objects.create(
        client_id="one", shard=1, of=2, host="a", pid=1, started_at=now(), seen_at=now(), contact_at=now()
    )
    assert state(alice)["Ingest"] == "runs"
    two = IngestShard.objects.create(
        client_id="two", shard=2, of=2, host="a", pid=1, started_at=now(), seen_at=now(), standby_at=now()
    )
    assert state(alice)["Ingest"] == "two without the broker, 1 on standby"
    IngestShard.objects.filter(pk=two.pk).update(contact_at=now())
    assert state(alice)["Ingest"] == "2 shards run, 1 on standby"
    IngestShard.objects.filter(pk=two.pk).update(seen_at=now() - timedelta(minutes=4))
    assert state(alice)["Ingest"] == "two silent for 4 min, 1 on standby"
    IngestShard.objects.filter(pk=two.pk).update(stopped_at=now())
    assert state(alice)["Ingest"] == "runs"
    assert state(alice)["Ingest events in a day"] == "0"
    for days in (0, 2):
        IngestEvent.objects.create(at=now() - timedelta(days=days), client_id="one", kind="took_over", detail="")
    assert state(alice)["Ingest events in a day"] == "1"


def test_it_says_how_the_worker_and_its_jobs_are(alice: User) -> None:
    found = state(alice)
    assert (found["Worker"], found["Jobs failed"], found["Jobs late"]) == ("not running", "none", "none")
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '4 minutes')")
        for status in ("failed", "todo"):
            cursor.execute(
                "INSERT INTO procrastinate_jobs (task_name, queue_name, status) VALUES ('latest', 'default', %s)",
                [status],
            )
        cursor.execute("UPDATE procrastinate_events SET at = at - interval '1 hour'")
    found = state(alice)
    assert (found["Worker"], found["Jobs failed"], found["Jobs late"]) == ("silent for 4 min", "latest", "latest")


@pytest.mark.parametrize(
    ("age_s", "words"), [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (180_000, "2 days")]
)
def test_it_says_an_age_in_words(age_s: int, words: str) -> None:
    assert ago(age_s) == words


def test_it_is_inqubes_own(client: Client, alice: User, kandy: Plant) -> None:
    client.force_login(alice)
    page = client.get("/admin/").content.decode()
    assert "Administration | InQube" in page
    assert "Newest reading stored" in page
    assert "Recent actions" not in page


def test_it_takes_as_many_queries_for_many_sensors_as_for_few(
    client: Client, alice: User, kandy: Plant, django_assert_max_num_queries: Any
) -> None:
    client.force_login(alice)
    with django_assert_max_num_queries(20) as few:
        client.get("/admin/")
    machine = Machine.objects.get()
    for n in range(20):
        Sensor.objects.create(machine=machine, slug=f"s{n}", name="S")
        report(f"s{n}", 1)
    Plant.objects.create(slug="other", name="Other")
    with django_assert_max_num_queries(len(few)):
        client.get("/admin/")


def test_it_has_nothing_inline_that_the_policy_would_stop(client: Client, alice: User, kandy: Plant) -> None:
    client.force_login(alice)
    for path in ("/admin/", f"/admin/plants/plant/{kandy.pk}/history/", "/admin/accounts/user/"):
        page = client.get(path).content.decode()
        assert "<style" not in page
        assert 'style="' not in page
        assert ' onclick="' not in page
        for script in page.split("<script")[1:]:
            assert "src=" in script.partition(">")[0]


def test_it_gives_its_script_the_state_alone(client: Client, bob: User, kandy: Plant) -> None:
    client.force_login(bob)
    text = client.get("/admin/state/").content.decode()
    assert text.startswith('<dl class="state"')
    assert "data-now=" in text
    assert "Newest reading stored" in text
    assert "<html" not in text

import re
from datetime import timedelta

from django.test import Client
from django.utils import timezone

from accounts.models import User
from alarms.models import AlarmEvent
from alarms.tests.alarms import make_alarm
from plants.models import Plant, Sensor


def test_it_shows_figures_beside_their_targets(client: Client, kandy: Plant, vera: User) -> None:
    alarm = make_alarm(Sensor.objects.get(slug="temp"), raised_at=timezone.now() - timedelta(hours=30))
    AlarmEvent.objects.create(
        alarm=alarm, plant=kandy, kind="raised", state="raised", time=alarm.raised_at, source="ingest"
    )
    client.force_login(vera)
    page = client.get("/alarms/health/?range=24h").content.decode().partition("<main")[2]
    assert "1 alarm<" in page
    assert re.search(r"Standing for over 24 h</th><td class=\"number\">1</td>", page)
    assert page.count("Roller 2: temperature high") == 3  # the most frequent, standing, not acknowledged
    assert page.count('height="100.0"') == 1


def test_it_says_where_there_is_nothing(client: Client, kandy: Plant, vera: User) -> None:
    client.force_login(vera)
    page = client.get("/alarms/health/?range=nonsense").content.decode()
    assert "No alarm was raised in this time." in page


def test_it_hides_foreign_plants(client: Client, kandy: Plant, charlie: User) -> None:
    client.force_login(charlie)
    assert client.get("/alarms/health/?plant=kandy").status_code == 404
    assert "Kandy" not in client.get("/alarms/health/").content.decode()

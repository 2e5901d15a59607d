import pytest
from django.test import Client

from accounts.models import User
from alarms.tests.alarms import make_alarm
from plants.models import Plant, Sensor


@pytest.mark.parametrize(
    "path",
    [
        "/admin/plants/sensor/?kind__exact=%00",
        "/admin/plants/sensor/?q=a%00",
        "/admin/autocomplete/?app_label=plants&model_name=zone&field_name=plant&term=%00",
        "/admin/plants/sensor/%00/change/",
        "/plants/%00/",
        "/plants/kandy/?%00=a",
    ],
)
def test_it_refuses_nul_on_pages(client: Client, alice: User, kandy: Plant, path: str) -> None:
    client.force_login(alice)
    response = client.get(path)
    assert response.status_code == 400
    assert response["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in response["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/telemetry/history?sensor_id=%00",
        "/api/v1/plants/?search=%00",
        "/api/v1/sensors/?machine=a&%00=b",
        "/api/v1/plants/%00/",
    ],
)
def test_it_describes_that_it_refuses_nul(client: Client, alice: User, path: str) -> None:
    client.force_login(alice)
    response = client.get(path)
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["detail"] == "A path or query can't hold the character NUL."
    assert problem["request_id"] == response["X-Request-ID"]


def test_it_takes_the_text_of_an_escaped_nul(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/api/v1/plants/?search=%2500").status_code == 200


@pytest.mark.parametrize("slash", ["", "/"])
def test_it_takes_paths_of_the_api_with_a_slash_at_the_end_and_without(
    client: Client, bob: User, kandy: Plant, slash: str
) -> None:
    alarm = make_alarm(Sensor.objects.get(slug="temp"))
    client.force_login(bob)
    assert client.post(f"/api/v1/alarms/{alarm.pk}/ack{slash}").json()["state"] == "acknowledged"
    assert client.get(f"/api/v1/alarms/{alarm.pk}/events{slash}").json()["count"] == 1
    assert client.get(f"/api/v1/plants{slash}").status_code == 200
    assert client.get(f"/api/v1/telemetry/latest{slash}?plant=kandy").status_code == 200
    assert client.post(f"/api/v1/nowhere{slash}").status_code == 404

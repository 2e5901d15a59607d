"""Requests are counted by route and status, with no more series than there are routes."""

import pytest
from django.test import Client
from prometheus_client.exposition import generate_latest

from accounts.models import User
from inqube.request_metrics import registry
from plants.models import Plant


def count(name: str, **labels: str) -> float:
    return registry.get_sample_value(name, labels) or 0.0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", "/login/", "login/", "200"),
        ("GET", "/api/v1/users/me", "api/v1/users/me", "401"),
        ("GET", "/nowhere/at-all", "none", "404"),
        ("DELETE", "/login/", "login/", "405"),
    ],
)
def test_it_counts_a_request(client: Client, method: str, path: str, route: str, status: str) -> None:
    labels = {"route": route, "method": method, "status": status}
    requests = count("inqube_http_requests_total", **labels)
    timed = count("inqube_http_request_seconds_count", route=route)
    assert str(client.generic(method, path).status_code) == status
    assert count("inqube_http_requests_total", **labels) == requests + 1
    assert count("inqube_http_request_seconds_count", route=route) == timed + 1


@pytest.mark.django_db
def test_it_takes_a_made_up_method_for_one_of_others(client: Client) -> None:
    client.generic("BREW", "/login/")
    assert b"BREW" not in generate_latest(registry)


def test_it_has_names_in_place_of_values(client: Client, alice: User, kandy: Plant) -> None:
    client.force_login(alice)
    assert client.get(f"/api/v1/plants/{kandy.pk}").status_code == 200
    assert client.get(f"/admin/plants/plant/{kandy.pk}/change/").status_code == 200
    text = generate_latest(registry).decode()
    assert str(kandy.pk) not in text
    assert 'route="admin/"' in text


def test_it_counts_none_that_runs_when_all_are_answered() -> None:
    assert count("inqube_http_requests_running") == 0

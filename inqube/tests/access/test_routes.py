"""The matrix is complete: nothing exists that it does not speak of, and it speaks of nothing that is gone."""

from django.contrib import admin

from inqube.tests.access import rules
from inqube.tests.access.matrix import ROUTES, declared
from inqube.tests.access.routes import websocket_routes


def test_it_declares_every_route_and_no_other() -> None:
    assert set(ROUTES) == set(declared())


def test_it_declares_every_model_of_the_admin_and_no_other() -> None:
    assert {model._meta.label_lower for model in admin.site._registry} == set(rules.ADMIN_MODELS)


def test_it_declares_every_websocket_and_no_other() -> None:
    assert websocket_routes() == set(rules.WEBSOCKETS)

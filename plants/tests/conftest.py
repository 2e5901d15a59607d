from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from accounts.tokens import issue_access_token
from plants.tests.mosquitto import ManagedBroker, managed_broker

ApiOf = Callable[[str | User], APIClient]


@pytest.fixture
def api_of(request: pytest.FixtureRequest) -> ApiOf:
    """A REST client that carries the persona's token; none for `anonymous`."""

    def api_of(persona: str | User) -> APIClient:
        if persona == "anonymous":
            return APIClient()
        user = request.getfixturevalue(persona) if isinstance(persona, str) else persona
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {issue_access_token(user)}")
        return client

    return api_of


@pytest.fixture
def broker(tmp_path: Path, settings: Any) -> Iterator[ManagedBroker]:
    """A Mosquitto that knows its admin alone, and that the settings name."""
    with managed_broker(tmp_path) as broker:
        settings.MQTT_ADMIN_URL, settings.MQTT_URL = broker.admin_url, broker.ingest_url
        yield broker

import pytest
from django.test import Client

from accounts.models import User
from alarms.models import Alarm
from alarms.tests.alarms import make_alarm
from plants.models import Sensor


@pytest.fixture
def alarm(temp: Sensor) -> Alarm:
    return make_alarm(temp)


@pytest.fixture
def as_bob(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client

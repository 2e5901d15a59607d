import pytest

from alarms.models import Alarm
from alarms.tests.alarms import make_alarm
from plants.models import Sensor
from plants.tests.conftest import api_of  # noqa: F401 a fixture


@pytest.fixture
def alarm(temp: Sensor) -> Alarm:
    return make_alarm(temp)

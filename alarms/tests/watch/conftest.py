from collections.abc import Callable

import pytest
from django.db import connection

from alarms.watch import QUICK, SLOW, Watch

Look = Callable[[], dict[str, int]]


@pytest.fixture
def look(db: None) -> Look:
    """One look at everything, as the worker does; gives what it did, without what it had not to do."""
    connection.ensure_connection()
    return lambda: {name: count for name, count in Watch(connection.connection).look(QUICK | SLOW).items() if count}

"""Sockets whose web process ends, or fails them: the close code says so."""

from collections.abc import Iterator

import pytest
from django.db import connection

from plants.models import Plant
from telemetry.tests.live.server.conftest import Connect, StartWeb

SERVER_FAILED, SERVER_RESTARTS = 1011, 1012
SOON_S = 5

pytestmark = pytest.mark.timeout(180)


def test_it_closes_all_sockets_with_1012_when_the_process_is_ended(start_web: StartWeb, connect: Connect) -> None:
    web = start_web()
    clients = [connect(web) for _ in range(20)]
    for client in clients[::2]:
        client.subscribe()
        assert client.hear()["type"] == "snapshot"
    web.process.terminate()
    assert [client.hear_close() for client in clients] == [SERVER_RESTARTS] * len(clients)
    assert web.process.wait(SOON_S) == 0
    assert "Traceback" not in web.log.read_text()


@pytest.fixture
def no_latest(transactional_db: None) -> Iterator[None]:
    """The database refuses to give snapshots."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE latest RENAME TO latest_elsewhere")
        yield
        cursor.execute("ALTER TABLE latest_elsewhere RENAME TO latest")


def test_it_closes_with_1011_what_it_cannot_serve(
    start_web: StartWeb, connect: Connect, kandy: Plant, no_latest: None
) -> None:
    client = connect(start_web())
    client.subscribe()
    assert client.hear_close() == SERVER_FAILED

"""Access over a real socket: renewed in band, refused, and ended."""

import pytest

from accounts.models import User
from accounts.tokens import issue_access_token
from plants.models import Membership, Plant
from telemetry.live.consumers import MAX_MESSAGE_BYTES, MAX_SOCKETS
from telemetry.tests.live.server.client import Client
from telemetry.tests.live.server.conftest import Connect, StartWeb

pytestmark = pytest.mark.timeout(180)

UNAUTHENTICATED, PROTOCOL_VIOLATED, TOO_MANY_SOCKETS = 4401, 4409, 4429
REVOKED_WITHIN_S = 5


def test_it_renews_takes_away_and_ends_access(start_web: StartWeb, connect: Connect, kandy: Plant, vera: User) -> None:
    """One process for all, since it takes long to start."""
    web = start_web()
    client, foreign, stranger = connect(web), connect(web), Client(web, "nonsense")
    assert stranger.hear_close() == UNAUTHENTICATED

    client.say(type="auth", access_token=issue_access_token(vera))
    assert client.hear()["type"] == "ready"
    foreign.say(type="auth", access_token=issue_access_token(User.objects.create_user("other@example.org")))
    assert foreign.hear_close() == UNAUTHENTICATED

    client.subscribe()
    assert client.hear()["type"] == "snapshot"
    Membership.objects.filter(user=vera).delete()
    heard = client.hear(REVOKED_WITHIN_S)
    assert (heard["type"], heard["code"], heard["plant"]) == ("error", "not_found", "kandy")
    User.objects.filter(pk=vera.pk).update(is_active=False)
    assert client.hear_close(REVOKED_WITHIN_S) == UNAUTHENTICATED
    stranger.close()


def test_it_ends_what_asks_for_too_much(start_web: StartWeb, connect: Connect, token: str) -> None:
    web = start_web()
    client = connect(web)
    client.socket.send("x" * (MAX_MESSAGE_BYTES + 1))
    assert client.hear()["code"] == "too_many"
    assert client.hear_close() == PROTOCOL_VIOLATED
    for _ in range(MAX_SOCKETS):
        connect(web)
    one_more = Client(web, token)
    assert one_more.hear()["code"] == "too_many"
    assert one_more.hear_close() == TOO_MANY_SOCKETS
    one_more.close()

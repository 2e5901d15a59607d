"""Open sockets end within 5 s of the access that they were opened with, and lose plants that are taken away."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test import Client
from django.utils.timezone import now

from accounts.channels import Identity
from accounts.models import Role, TokenFamily, User
from accounts.tokens import Pair, sign_in, user_of_token
from plants.models import Membership, Plant
from telemetry.live import frames
from telemetry.live.guard import allowed, get_guard
from telemetry.live.publish import LivePublisher
from telemetry.tests.live.sockets import Open, session_headers, subscribe

pytestmark = pytest.mark.django_db(transaction=True)

WITHIN_S = 5


def users(user: User) -> Any:
    return User.objects.filter(pk=user.pk)


def by_sql(user: User, assignment: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE accounts_user SET {assignment} WHERE id = %s", [user.pk])


def post(pair: Pair, url: str, body: dict[str, str]) -> None:
    bearer = {"Authorization": f"Bearer {pair.access}"}
    assert Client().post(url, body, content_type="application/json", headers=bearer).status_code == 204


PASSWORDS = {"current_password": "correct horse battery", "new_password": "staple staple staple"}
ENDS: dict[str, Callable[[User, Pair], object]] = {
    "deactivated": lambda user, pair: users(user).update(is_active=False),
    "another role by SQL": lambda user, pair: by_sql(user, "role = 'operator'"),
    "another password": lambda user, pair: post(pair, "/api/v1/users/me/password", PASSWORDS),
    "forced out": lambda user, pair: users(user).end_access(),
    "deleted": lambda user, pair: user.delete(),
    "logout": lambda user, pair: post(pair, "/api/v1/logout", {"refresh_token": pair.refresh}),
}


async def test_it_closes_within_five_seconds_of_deactivation(connect: Open, vera: User, kandy: Plant) -> None:
    token, (_, headers) = await connect(bearer=vera), await session_headers(vera)
    page = await connect(**headers)
    for socket in (token, page):
        assert (await subscribe(socket))["type"] == "snapshot"
    ended = time.monotonic()
    await User.objects.filter(pk=vera.pk).aupdate(is_active=False)
    assert await token.hear_close(WITHIN_S) == frames.UNAUTHENTICATED
    assert await page.hear_close(WITHIN_S) == frames.UNAUTHENTICATED
    assert time.monotonic() - ended < WITHIN_S


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.live.guard.LOOK_EVERY_S", 0.2)


@pytest.mark.parametrize("end", ENDS)
async def test_it_closes_when_access_ends(connect: Open, often: None, vera: User, charlie: User, end: str) -> None:
    pair = await sync_to_async(sign_in)(vera)
    socket, other = await connect(bearer=pair.access), await connect(bearer=charlie)
    assert (await socket.hear())["type"] == (await other.hear())["type"] == "ready"

    await sync_to_async(ENDS[end])(vera, pair)

    assert await socket.hear_close() == frames.UNAUTHENTICATED
    await other.say(type="ping")
    assert await other.hear() == {"type": "pong"}


async def test_it_closes_a_page_when_its_browser_signs_out(connect: Open, often: None, vera: User) -> None:
    (browser, headers), (_, others) = await session_headers(vera), await session_headers(vera)
    page, other = await connect(**headers), await connect(**others)
    assert (await page.hear())["type"] == (await other.hear())["type"] == "ready"

    await sync_to_async(browser.post)("/logout/")

    assert await page.hear_close() == frames.UNAUTHENTICATED
    await other.say(type="ping")
    assert await other.hear() == {"type": "pong"}


async def test_it_takes_a_plant_away_with_the_membership(
    connect: Open, often: None, vera: User, kandy: Plant, rotterdam: Plant
) -> None:
    await Membership.objects.acreate(user=vera, plant=rotterdam)
    socket = await connect(bearer=vera)
    await subscribe(socket, max_hz=10)
    await socket.say(type="subscribe", plant="rotterdam", max_hz=10)
    assert (await socket.hear())["plant"] == "rotterdam"

    await Membership.objects.filter(user=vera, plant=kandy).adelete()

    assert await socket.hear() == {
        "type": "error",
        "code": "not_found",
        "detail": "There is no plant “kandy”.",
        "plant": "kandy",
    }
    publisher = LivePublisher()
    publisher.offer([(1, 1, 1.0, 192)], {1: kandy.pk})
    publisher.offer([(2, 1, 2.0, 192)], {2: rotterdam.pk})
    await publisher.flush()
    assert (await socket.hear())["plant"] == "rotterdam"
    assert await socket.receive_nothing(0.5)


async def test_it_lets_an_old_token_end_once_a_new_one_was_sent(connect: Open, often: None, vera: User) -> None:
    first, second = await sync_to_async(sign_in)(vera), await sync_to_async(sign_in)(vera)
    socket = await connect(bearer=first.access)
    await socket.hear()
    await socket.say(type="auth", access_token=second.access)
    assert (await socket.hear())["type"] == "ready"
    await TokenFamily.objects.filter(pk=(await sync_to_async(user_of_token)(first.access)).family_id).aupdate(
        revoked_at=now()
    )
    assert await socket.receive_nothing(1)


async def test_it_forgets_sockets_that_are_closed(connect: Open, vera: User) -> None:
    socket = await connect(bearer=vera)
    await socket.hear()
    assert len(get_guard()._sockets) == 1
    await socket.disconnect()
    assert not get_guard()._sockets


def test_it_asks_no_more_of_the_database_for_many_than_for_one(
    vera: User, bob: User, charlie: User, alice: User, kandy: Plant, rotterdam: Plant, django_assert_num_queries: Any
) -> None:
    people = [vera, bob, charlie, alice]
    identities = {
        Identity(access.user, access.expires_at, family_id=access.family_id)
        for access in (user_of_token(sign_in(user).access) for user in people * 3)
    }
    assert len(identities) == 12
    with django_assert_num_queries(4):  # users, families, two for plants; and one for sessions where there are any
        assert allowed(identities, {kandy.pk, rotterdam.pk}).identities == identities


@pytest.mark.parametrize("role", Role.values)
def test_it_allows_the_plants_that_visible_to_gives(
    vera: User, bob: User, charlie: User, alice: User, kandy: Plant, rotterdam: Plant, role: str
) -> None:
    User.objects.exclude(pk=alice.pk).update(role=role)
    User.objects.filter(pk=bob.pk).update(is_active=False)
    everyone = list(User.objects.all())
    expected = {(user.pk, plant.pk) for user in everyone for plant in Plant.objects.visible_to(user)}
    assert Plant.objects.visible_to_each(everyone) == expected
    assert Plant.objects.filter(slug="kandy").visible_to_each(everyone) == {p for p in expected if p[1] == kandy.pk}

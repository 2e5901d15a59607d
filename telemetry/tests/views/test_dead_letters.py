"""The page of dead letters: who sees which, filters, pages, and that nothing in a letter becomes markup."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from plants.models import Plant
from telemetry.models import DeadLetter
from telemetry.queries import dead_letters
from telemetry.tests.letters import make_letter, unsaved_letter

LIST = "/dead-letters/"
HOSTILE = "<script>alert(1)</script>"


def shown(client: Client, query: str = "") -> list[str]:
    """The ids of the letters on the page, in its order."""
    page = client.get(f"{LIST}{query}").content.decode()
    return re.findall(r'<th scope="row" class="wrong">\s*<a href="/dead-letters/([0-9a-f-]+)/"', page)


def ids(*letters: DeadLetter) -> list[str]:
    return [str(letter.pk) for letter in letters]


@pytest.fixture
def operator(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


@pytest.fixture
def administrator(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def test_it_sends_strangers_to_sign_in(client: Client, kandy: Plant) -> None:
    letter = make_letter(kandy)
    for path in (LIST, reverse("dead_letter", args=[letter.pk])):
        assert client.get(path)["Location"] == f"/login/?next={path}"


def test_it_does_not_exist_for_viewers(client: Client, vera: User, kandy: Plant) -> None:
    letter = make_letter(kandy)
    client.force_login(vera)
    assert client.get(LIST).status_code == client.post(LIST).status_code == 404
    assert client.get(reverse("dead_letter", args=[letter.pk])).status_code == 404
    assert LIST not in client.get("/").content.decode()


def test_it_lists_letters_of_ones_own_plants(operator: Client, kandy: Plant, rotterdam: Plant) -> None:
    mine, foreign = make_letter(kandy), make_letter(rotterdam)
    make_letter(None)
    assert shown(operator) == ids(mine)
    assert operator.get(reverse("dead_letter", args=[foreign.pk])).status_code == 404


def test_it_lists_all_for_admins(administrator: Client, kandy: Plant) -> None:
    make_letter(kandy)
    make_letter(None)
    assert len(shown(administrator)) == 2
    assert len(shown(administrator, "?plant=-")) == 1


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["drying", "rolling"]),
        ("?state=all", ["done", "drying", "rolling"]),
        ("?state=replayed", ["done"]),
        ("?reason=unknown_sensor", ["drying"]),
        ("?source=kandy/rolling/roller-2", ["rolling"]),
        ("?source=kandy/drying", ["drying"]),
        ("?source=kandy/dry", []),
        ("?plant=kandy", ["drying", "rolling"]),
        ("?plant=rotterdam", []),
        ("?reason=nonsense&state=nonsense&before=nonsense", ["drying", "rolling"]),
    ],
)
def test_it_filters_by_the_url(operator: Client, kandy: Plant, query: str, expected: list[str]) -> None:
    letters = {
        "rolling": make_letter(kandy),
        "drying": make_letter(kandy, source="kandy/drying/dryer-1", reason="unknown_sensor"),
        "done": make_letter(kandy, state="replayed"),
    }
    assert shown(operator, query) == ids(*(letters[name] for name in expected))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?state=nosuch", "There is no state “nosuch”: these are the new letters."),
        ("?reason=nosuch", "There is no reason “nosuch”: these are the letters of all reasons."),
        ("?plant=rotterdam", "There is no plant “rotterdam”, so no letter is from it."),
    ],
)
def test_it_says_what_of_the_url_it_does_not_know(
    operator: Client, kandy: Plant, rotterdam: Plant, query: str, said: str
) -> None:
    known = operator.get(f"{LIST}?state=all&reason=unknown_sensor&plant=kandy").content.decode()

    assert f"<span>{said}" in operator.get(f"{LIST}{query}").content.decode()
    assert "<span>There is no" not in known


def test_it_counts_by_reason(operator: Client, kandy: Plant) -> None:
    for reason in ("unknown_sensor", "invalid_json", "unknown_sensor"):
        make_letter(kandy, reason=reason)
    page = operator.get(f"{LIST}?reason=bad_quality").content.decode()

    assert "All reasons <span>3</span>" in page
    assert 'href="?reason=unknown_sensor">Unknown sensor <span>2</span>' in page
    assert 'href="?reason=bad_quality" aria-current="true">Quality not understood <span>0</span>' in page
    assert "No letter matches" in page


def test_it_pages_back_and_forth(operator: Client, kandy: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where several came at the same moment."""
    monkeypatch.setattr(dead_letters, "PAGE", 2)
    for _ in range(5):
        make_letter(kandy, received_at=datetime(2026, 11, 24, tzinfo=UTC))

    def follow(query: str, word: str) -> str:
        page = operator.get(f"{LIST}{query}").content.decode()
        (link,) = re.findall(rf'href="(\?(?:before|after)=[^"]+)">(?:<svg.*?</svg>)?{word}', page)
        return link

    second = follow("", "Older")
    third = follow(second, "Older")
    pages = [shown(operator, query) for query in ("", second, third)]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert len({id for page in pages for id in page}) == 5
    assert shown(operator, follow(third, "Newer")) == pages[1]
    assert shown(operator, follow(follow(third, "Newer"), "Newer")) == pages[0]


def test_it_tells_times_in_the_plants_zone(administrator: Client, kandy: Plant) -> None:
    at = datetime(2026, 11, 20, 9, 1, 2, tzinfo=UTC)
    make_letter(kandy, received_at=at)
    assert ">20 Nov 14:31:02</time><p>+05:30</p>" in administrator.get(LIST).content.decode()
    DeadLetter.objects.update(plant=None)
    assert ">20 Nov 09:01:02</time><p>UTC</p>" in administrator.get(LIST).content.decode()


def test_it_shows_what_was_sent_as_text(operator: Client, kandy: Plant) -> None:
    letter = make_letter(
        kandy, HOSTILE.encode(), topic=HOSTILE, source=HOSTILE, address=f"{HOSTILE}/{HOSTILE}", detail=HOSTILE
    )
    for path in (LIST, reverse("dead_letter", args=[letter.pk]), f"/topic-tester/?letter={letter.pk}"):
        page = operator.get(path).content.decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


def test_it_shows_all_of_a_letter(operator: Client, kandy: Plant) -> None:
    letter = make_letter(kandy, b'{"v":1.50}', is_truncated=True, payload_bytes=70_000, seen=3)
    page = operator.get(reverse("dead_letter", args=[letter.pk])).content.decode()

    assert "{\n  &quot;v&quot;: 1.50\n}" in page
    assert "Only its beginning was kept: 10 of 70\u202f000 bytes." in page
    assert "3 times by the broker" in page
    assert 'value="replay"' not in page
    assert f"/topic-tester/?letter={letter.pk}" in page


def test_it_offers_nothing_to_do_with_what_is_decided(operator: Client, kandy: Plant, bob: User) -> None:
    letter = make_letter(kandy)
    letter.discard(bob, letter.received_at + timedelta(minutes=1))
    page = operator.get(reverse("dead_letter", args=[letter.pk])).content.decode()
    assert "Discarded by Bob" in page
    assert 'name="action"' not in page
    assert 'name="letter"' not in operator.get(f"{LIST}?state=all").content.decode()


def test_it_says_where_there_is_none(operator: Client) -> None:
    assert "No dead letters to decide" in operator.get(LIST).content.decode()


@pytest.mark.parametrize(("letters", "said"), [(0, None), (3, "3"), (120, "99+")])
def test_it_counts_in_the_navigation_what_waits(
    operator: Client, kandy: Plant, rotterdam: Plant, letters: int, said: str | None
) -> None:
    DeadLetter.objects.bulk_create(unsaved_letter(kandy) for _ in range(letters))
    make_letter(rotterdam)
    make_letter(kandy, state="discarded")
    counts = re.findall(r'<b class="count"[^>]*>([^<]+)<', operator.get("/").content.decode())
    assert counts == ([said] * 2 if said else [])  # in the side bar and in the phone's sheet


def test_it_asks_the_database_a_fixed_number_of_times(operator: Client, kandy: Plant, bob: User) -> None:
    """For session, user, side bar (plants; whose letters; sensors; alarms), whose letters, they, reasons, filter."""
    DeadLetter.objects.bulk_create(unsaved_letter(kandy) for _ in range(30))
    with CaptureQueriesContext(connection) as asked:
        operator.get(LIST)
    assert len(asked) == 11


def test_it_keeps_script_and_style_out_of_the_html(operator: Client, kandy: Plant) -> None:
    letter = make_letter(kandy)
    for path in (LIST, reverse("dead_letter", args=[letter.pk]), f"/topic-tester/?letter={letter.pk}"):
        page = operator.get(path).content.decode()
        assert " style=" not in page
        assert all(" src=" in each for each in re.findall(r"<script[^>]*>", page))

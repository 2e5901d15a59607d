import pytest
from django.test import Client

from accounts.models import User
from plants.models import Plant

PASSWORD = "correct horse battery"


def test_it_opens_a_session_and_goes_on_to_the_overview(client: Client, vera: User) -> None:
    response = client.post("/login/", {"username": "Vera@Example.org", "password": PASSWORD})

    assert response.status_code == 302
    assert response["Location"] == "/"
    assert client.session["_auth_user_id"] == str(vera.pk)


def test_it_goes_on_to_the_page_that_was_asked_for(client: Client, vera: User) -> None:
    credentials = {"username": vera.email, "password": PASSWORD}

    assert client.post("/login/", credentials | {"next": "/plants/kandy/"})["Location"] == "/plants/kandy/"


def test_it_goes_to_no_other_server(client: Client, vera: User) -> None:
    credentials = {"username": vera.email, "password": PASSWORD}

    assert client.post("/login/", credentials | {"next": "https://example.com/"})["Location"] == "/"


@pytest.mark.parametrize(
    ("email", "password", "is_active"),
    [
        ("vera@example.org", "wrong", True),
        ("nobody@example.org", PASSWORD, True),
        ("vera@example.org", PASSWORD, False),
    ],
)
def test_it_says_the_same_to_everyone_who_may_not_come_in(
    client: Client, vera: User, email: str, password: str, is_active: bool
) -> None:
    User.objects.filter(pk=vera.pk).update(is_active=is_active)
    page = client.post("/login/", {"username": email, "password": password})

    assert "Email or password is wrong." in page.content.decode()
    assert "_auth_user_id" not in client.session


def test_it_names_nothing_before_signing_in(client: Client, kandy: Plant) -> None:
    page = client.get("/login/").content.decode()

    assert "Kandy" not in page
    assert "0.1.0" not in page


def test_it_ends_a_session_by_post_only(client: Client, vera: User) -> None:
    client.force_login(vera)

    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/")["Location"] == "/login/"
    assert "_auth_user_id" not in client.session

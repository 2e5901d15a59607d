import gzip

from django.test import Client

from accounts.models import User
from plants.models import Plant


def test_it_compresses_pages(client: Client, kandy: Plant, vera: User) -> None:
    client.force_login(vera)
    response = client.get("/plants/kandy/", headers={"Accept-Encoding": "gzip"})

    assert response["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in response["Vary"]
    assert b"Roller 2" in gzip.decompress(response.content)


def test_it_leaves_pages_alone_for_who_does_not_take_them(client: Client, kandy: Plant, vera: User) -> None:
    client.force_login(vera)
    response = client.get("/plants/kandy/", headers={"Accept-Encoding": "identity"})

    assert "Content-Encoding" not in response
    assert b"Roller 2" in response.content


def test_it_leaves_answers_of_the_api_to_a_proxy(client: Client, kandy: Plant, vera: User) -> None:
    client.force_login(vera)
    response = client.get("/api/v1/sensors/", headers={"Accept-Encoding": "gzip"})

    assert len(response.content) > 200
    assert "Content-Encoding" not in response

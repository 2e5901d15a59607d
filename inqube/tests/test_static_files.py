import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django.fixtures import Settings

IMPORT = re.compile(r"""^import .*["'](\./[^"']+)["'];""", re.MULTILINE)


@pytest.fixture
def collected(settings: Settings, tmp_path: Path) -> Path:
    settings.STATIC_ROOT = str(tmp_path)
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "inqube.static_files.StaticFiles"}}
    call_command("collectstatic", "--noinput", "--verbosity=0", "--ignore=admin", "--ignore=drf_spectacular_sidecar")
    return tmp_path / "inqube"


def test_it_lets_hashed_modules_import_hashed_modules(collected: Path) -> None:
    (page,) = collected.glob("plant.????????????.js")

    imported = IMPORT.findall(page.read_text())

    assert imported
    assert all(re.search(r"\.[0-9a-f]{12}\.js$", name) and (collected / name).exists() for name in imported)


def test_it_has_an_icon_for_what_names_none(client: Client, db: None) -> None:
    response = client.get("/favicon.ico", follow=True)
    assert (response.status_code, response["Content-Type"]) == (200, "image/svg+xml")
    response.close()

import hashlib
import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django.fixtures import Settings

VENDOR = Path(__file__).resolve().parent.parent / "static/vendor"
HASH = re.compile(r"^\| (\S+) \| ([0-9a-f]{64}) \|$", re.MULTILINE)
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


def test_it_has_what_comes_from_elsewhere_unchanged() -> None:
    for readme in VENDOR.glob("*/README.md"):
        said = dict(HASH.findall(readme.read_text()))
        files = [each for each in readme.parent.iterdir() if each.name not in ("README.md", "LICENSE")]

        assert said == {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in files}
        assert (readme.parent / "LICENSE").exists()
    assert (VENDOR / "uplot").exists()

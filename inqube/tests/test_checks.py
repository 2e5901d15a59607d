"""The system checks say what the environment lacks, and `.env.example` lists what the settings read."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from inqube.checks import check_settings, refuse_broken_settings
from inqube.settings import Environment


def ids() -> set[str]:
    return {message.id or "" for message in check_settings()}


def test_it_is_content_with_the_settings_of_the_tests() -> None:
    assert ids() == set()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DATABASE_URL", "", "inqube.E001"),
        ("REDIS_URL", "", "inqube.E002"),
        ("MQTT_URL", "", "inqube.E003"),
        ("UNSET", ["SECRET_KEY"], "inqube.E004"),
        ("UNSET", ["JWT_SIGNING_KEY"], "inqube.E005"),
        ("SECRET_KEY", "8m2Yp0c6JxwQv4nE1sKfT7hRzLbD3uGaXo9iWtPyNqCe5rVjB", "inqube.E006"),
        ("JWT_SIGNING_KEY", "Zk4tH8bWq1yLs6vRj0mXc3dNf7gPa2e", "inqube.E007"),
        ("DEVICE_KEY", "Zk4tH8bWq1yLs6vRj0mXc3dNf7gPa2e", "inqube.E019"),
        ("SECRET_KEY", "x" * 64, "inqube.E006"),
        ("JWT_SIGNING_KEY", "0123456701234567012345670123456701234567", "inqube.E007"),
        ("SECRET_KEY", "django-insecure-k8(3!x^v0q2@j5m#z7w$b1n4c6r9t+h6y8p2", "inqube.E006"),
        ("JWT_SIGNING_KEY", "CHANGE_ME_to-something-random-0123456789", "inqube.E007"),
        ("INGEST_BATCH_READINGS", 0, "inqube.E009"),
        ("INGEST_BATCH_MS", -1, "inqube.E010"),
        ("ACCESS_TOKEN_MINUTES", 0, "inqube.E011"),
        ("RAW_RETENTION_DAYS", 0, "inqube.E012"),
        ("COMPRESS_AFTER_DAYS", 0, "inqube.E013"),
        ("COMPRESS_AFTER_DAYS", 90, "inqube.E014"),
        ("REFRESH_TOKEN_DAYS", 0, "inqube.E015"),
        ("DEAD_LETTERS_PER_SOURCE_MINUTE", 0, "inqube.E017"),
        ("DEAD_LETTER_RETENTION_DAYS", 0, "inqube.E018"),
        ("MQTT_ADMIN_URL", "localhost:1883", "inqube.E020"),
        ("MQTT_CA_FILE", "/nowhere.pem", "inqube.E021"),
        ("MQTT_CERT_FILE", "/nowhere.pem", "inqube.E021"),
        ("LEDGER_RETENTION_DAYS", 0, "inqube.E022"),
        ("ACCESS_TOKEN_MINUTES", 7 * 24 * 60 + 1, "inqube.E016"),
        ("NOTIFY_PRIVATE_NETWORKS", ["10.20.0.1/16"], "inqube.E024"),
        ("INGEST_HEALTH_PORT", 70_000, "inqube.E028"),
        ("WORKER_HEALTH_PORT", -1, "inqube.E028"),
        ("PUBLIC_URL", "inqube.example.org", "inqube.E025"),
    ],
)
def test_it_names_one_mistake(settings: Any, name: str, value: object, expected: str) -> None:
    setattr(settings, name, value)
    assert ids() == {expected}


def test_it_refuses_to_have_ingest_be_the_brokers_admin(settings: Any) -> None:
    settings.MQTT_URL, settings.MQTT_ADMIN_URL = "mqtt://admin:a@broker:1884", "mqtt://admin:a@broker:1884"
    assert ids() == {"inqube.E023"}
    settings.MQTT_URL = "mqtt://inqube:b@broker:1884"
    assert ids() == set()


def test_it_refuses_one_port_for_two_processes(settings: Any) -> None:
    settings.INGEST_HEALTH_PORT = settings.WORKER_HEALTH_PORT = 8101
    assert ids() == {"inqube.E029"}


def test_it_refuses_one_key_for_two_purposes(settings: Any) -> None:
    settings.JWT_SIGNING_KEY = settings.SECRET_KEY
    assert ids() == {"inqube.E008"}


def test_it_lets_a_developer_use_short_keys(settings: Any) -> None:
    settings.DEBUG, settings.SECRET_KEY, settings.JWT_SIGNING_KEY = True, "a", "b"
    assert ids() == set()


def test_it_keeps_the_web_server_from_starting(settings: Any) -> None:
    settings.MQTT_URL = ""
    with pytest.raises(ImproperlyConfigured, match=r"MQTT_URL is not set. Set it to"):
        refuse_broken_settings()


def test_it_reads_a_value_from_a_file_without_its_last_line_break(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "url").write_text("mqtt://inqube:secret@broker:1884\n")
    monkeypatch.setenv("MADE_UP_FILE", str(tmp_path / "url"))
    assert Environment().str("MADE_UP") == "mqtt://inqube:secret@broker:1884"


def test_it_lists_every_variable_in_the_example() -> None:
    source = (settings.BASE_DIR / "inqube" / "settings.py").read_text()
    example = (settings.BASE_DIR / ".env.example").read_text()
    read = set(re.findall(r'\benv\.\w+\(\s*"(\w+)"', source)) | {"SECRET_KEY", "JWT_SIGNING_KEY"}
    assert set(re.findall(r"^(\w+)=", example, re.MULTILINE)) == read

"""What the environment lacks or contradicts, one sentence each, with what to do about it.

Django runs these before commands that need the settings; `refuse_broken_settings` before the web server.
"""

import re
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from alarms.health import TARGETS
from alarms.notifications.addresses import networks
from plants.broker_address import Broker, tls_context

TAG = "inqube"
SHORTEST = {
    "SECRET_KEY": ("E006", 50),  # what Django's own check for production wants (security.W009)
    "JWT_SIGNING_KEY": ("E007", 32),  # RFC 7518 §3.2: a key of HS256 has at least 256 bits
    "DEVICE_KEY": ("E019", 32),  # the same, for what makes the secrets of devices
    "METRICS_TOKEN": ("E023", 32),
}
DIFFERENT_CHARACTERS = 10  # a random key of that length has fewer once in ages
# What examples, tutorials and templates have where a key should be.
PLACEHOLDERS = re.compile(r"change.?(me|this|it)|django-insecure|your.?(secret|key|jwt)|placeholder|secret.?key.?here")
HIGHEST_PORT = 65_535
MINUTES_A_DAY = 24 * 60
GENERATE = "Generate one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
OR_DEMO = "or run `make demo`, which brings its own."

REQUIRED = {
    "DATABASE_URL": ("E001", f"Set it to your PostgreSQL (postgres://user:password@host:5432/inqube), {OR_DEMO}"),
    "REDIS_URL": ("E002", f"Set it to your Redis or Valkey (redis://host:6379/0), {OR_DEMO}"),
    "MQTT_URL": ("E003", f"Set it to your MQTT 5 broker (mqtt://user:password@host:1883), {OR_DEMO}"),
    "SECRET_KEY": ("E004", GENERATE),
    "JWT_SIGNING_KEY": ("E005", GENERATE),
}
POSITIVE = {
    "INGEST_BATCH_READINGS": "E009",
    "INGEST_BATCH_MS": "E010",
    "ACCESS_TOKEN_MINUTES": "E011",
    "RAW_RETENTION_DAYS": "E012",
    "COMPRESS_AFTER_DAYS": "E013",
    "REFRESH_TOKEN_DAYS": "E015",
    "DEAD_LETTERS_PER_SOURCE_MINUTE": "E017",
    "DEAD_LETTER_RETENTION_DAYS": "E018",
    "LEDGER_RETENTION_DAYS": "E022",
    "ALARM_OPERATORS": "E026",
}


def is_set(name: str) -> bool:
    return name not in settings.UNSET and bool(getattr(settings, name))


def required() -> Iterable[checks.CheckMessage]:
    for name, (number, hint) in REQUIRED.items():
        if not is_set(name):
            yield checks.Error(f"{name} is not set.", hint=hint, id=f"inqube.{number}")


def is_no_secret(key: str) -> bool:
    return len(set(key)) < DIFFERENT_CHARACTERS or bool(PLACEHOLDERS.search(key.lower()))


def secrets_hold() -> Iterable[checks.CheckMessage]:
    if settings.DEBUG:
        return
    for name, (number, characters) in SHORTEST.items():
        if is_set(name) and len(getattr(settings, name)) < characters:
            message = f"{name} is shorter than {characters} characters and could be guessed."
            yield checks.Error(message, hint=GENERATE, id=f"inqube.{number}")
        elif is_set(name) and is_no_secret(getattr(settings, name)):
            message = f"{name} is a placeholder or a pattern, and could be guessed."
            yield checks.Error(message, hint=GENERATE, id=f"inqube.{number}")
    if is_set("SECRET_KEY") and settings.SECRET_KEY == settings.JWT_SIGNING_KEY:
        message = "SECRET_KEY and JWT_SIGNING_KEY are the same: what leaks one leaks both."
        yield checks.Error(message, hint=GENERATE, id="inqube.E008")


def numbers_make_sense() -> Iterable[checks.CheckMessage]:
    for name, number in POSITIVE.items():
        if getattr(settings, name) <= 0:
            yield checks.Error(f"{name} is {getattr(settings, name)}.", hint="Set it above 0.", id=f"inqube.{number}")
    if settings.ACCESS_TOKEN_MINUTES > settings.REFRESH_TOKEN_DAYS * MINUTES_A_DAY > 0:
        yield checks.Error(
            f"ACCESS_TOKEN_MINUTES ({settings.ACCESS_TOKEN_MINUTES}) is longer than REFRESH_TOKEN_DAYS "
            f"({settings.REFRESH_TOKEN_DAYS}): an access token ends with its refresh token.",
            hint="Set it lower: a program gets the next one by its refresh token.",
            id="inqube.E016",
        )
    if settings.COMPRESS_AFTER_DAYS >= settings.RAW_RETENTION_DAYS > 0:
        yield checks.Error(
            f"COMPRESS_AFTER_DAYS ({settings.COMPRESS_AFTER_DAYS}) is not below RAW_RETENTION_DAYS "
            f"({settings.RAW_RETENTION_DAYS}): readings would be dropped before they are compressed.",
            hint="Set it lower, or keep readings longer.",
            id="inqube.E014",
        )


def ports_are_ports() -> Iterable[checks.CheckMessage]:
    for name in ("INGEST_HEALTH_PORT", "WORKER_HEALTH_PORT"):
        port = getattr(settings, name)
        if not 0 <= port <= HIGHEST_PORT:
            message = f"{name} is {port}, which is no port."
            yield checks.Error(message, hint="Such as 8101; 0 for none.", id="inqube.E028")
    if settings.INGEST_HEALTH_PORT and settings.INGEST_HEALTH_PORT == settings.WORKER_HEALTH_PORT:
        message = f"INGEST_HEALTH_PORT and WORKER_HEALTH_PORT are both {settings.INGEST_HEALTH_PORT}."
        hint = "Set them apart, by more than ingest has shards: shard i has the port that is i - 1 above."
        yield checks.Error(message, hint=hint, id="inqube.E029")


def broker_can_be_reached() -> Iterable[checks.CheckMessage]:
    if settings.MQTT_ADMIN_URL:
        try:
            admin = Broker.from_url(settings.MQTT_ADMIN_URL, "MQTT_ADMIN_URL")
            if settings.MQTT_URL and Broker.from_url(settings.MQTT_URL).username == admin.username:
                message = "MQTT_URL and MQTT_ADMIN_URL name the same account: ingest would be the broker's admin."
                hint = "Give MQTT_URL another user name, with a password of your choice: InQube makes that account."
                yield checks.Error(message, hint=hint, id="inqube.E023")
        except ValueError as error:
            hint = "Unset, InQube leaves the broker's accounts alone."
            yield checks.Error(str(error), hint=hint, id="inqube.E020")
    try:
        tls_context()
    except OSError as error:
        message = f"The certificates for the broker cannot be read: {error.strerror or error}."
        hint = "MQTT_CA_FILE, MQTT_CERT_FILE and MQTT_KEY_FILE are PEM files; the key fits the certificate."
        yield checks.Error(message, hint=hint, id="inqube.E021")


def targets_are_known() -> Iterable[checks.CheckMessage]:
    for name, target in settings.ALARM_TARGETS.items():
        if name not in TARGETS or isinstance(target, bool) or not isinstance(target, int | float):
            message = f"ALARM_TARGETS has “{name}”: {target!r}, which is no target."
            yield checks.Error(message, hint=f"Numbers by name: {', '.join(TARGETS)}.", id="inqube.E027")


def notifications_can_be_sent() -> Iterable[checks.CheckMessage]:
    try:
        networks(settings.NOTIFY_PRIVATE_NETWORKS)
    except ValueError as error:
        message = f"NOTIFY_PRIVATE_NETWORKS has something that is no network: {error}."
        yield checks.Error(message, hint="Such as 10.20.0.0/16, separated by commas.", id="inqube.E024")
    if settings.PUBLIC_URL and not settings.PUBLIC_URL.startswith(("http://", "https://")):
        message = f"PUBLIC_URL is {settings.PUBLIC_URL}, which is no address of a web server."
        yield checks.Error(message, hint="Such as https://inqube.example.org.", id="inqube.E025")


CHECKS = (
    required,
    secrets_hold,
    numbers_make_sense,
    ports_are_ports,
    broker_can_be_reached,
    targets_are_known,
    notifications_can_be_sent,
)


@checks.register(TAG)
def check_settings(**_kwargs: Any) -> list[checks.CheckMessage]:
    return [found for check in CHECKS for found in check()]


def refuse_broken_settings() -> None:
    """Raises ImproperlyConfigured with every error; for processes that no command checks before they serve."""
    if errors := check_settings():
        raise ImproperlyConfigured("\n".join(f"{error.msg} {error.hint}" for error in errors))

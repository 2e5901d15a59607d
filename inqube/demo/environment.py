"""What the demo's processes are told: addresses, keys, and who may sign in."""

import json
import secrets
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from inqube import embedded
from inqube.demo import DemoError
from inqube.demo.directory import Directory, write_private

WEB_PORT = 8000
MQTT_PORT = 1883  # MQTT 3.1.1, what mosquitto_pub speaks unasked
MQTT5_PORT = 1885
VALKEY_PORT = 6380
SERVER_VARIABLES = ("DATABASE_URL", "REDIS_URL", "MQTT_URL")
KEPT_KEYS = ("SECRET_KEY", "JWT_SIGNING_KEY")
HEADER = "# The demo's environment: `set -a; . {path}; set +a`, and manage.py commands work on the demo.\n"


@dataclass(frozen=True)
class Ports:
    web: int
    mqtt: int
    mqtt5: int
    valkey: int


def choose_ports(web: int | None) -> Ports:
    """The usual ports where they are free, any others where not; a web port that was asked for is not replaced."""
    if web is not None and embedded.free_port(web) != web:
        raise DemoError(f"Port {web} is taken: stop the program that uses it, or choose another with --port.")
    return Ports(
        web=web or embedded.free_port(WEB_PORT),
        mqtt=embedded.free_port(MQTT_PORT),
        mqtt5=embedded.free_port(MQTT5_PORT),
        valkey=embedded.free_port(VALKEY_PORT),
    )


def read_environment(path: Path) -> dict[str, str]:
    """The variables of an environment file that `write_environment` wrote; none where there is no file."""
    if not path.exists():
        return {}
    words = shlex.split(path.read_text(), comments=True)
    return dict(word.split("=", 1) for word in words)


def write_environment(path: Path, environment: Mapping[str, str]) -> None:
    lines = (f"{name}={shlex.quote(value)}\n" for name, value in environment.items())
    write_private(path, HEADER.format(path=shlex.quote(str(path))) + "".join(lines))


def external_servers(process_environment: Mapping[str, str], kept: Mapping[str, str]) -> dict[str, str]:
    """The servers that the person's own environment names, to be used in place of embedded ones.

    A shell that has read demo.env names the embedded ones, which is no wish for others.
    """
    return {
        name: process_environment[name]
        for name in SERVER_VARIABLES
        if process_environment.get(name) and process_environment[name] != kept.get(name)
    }


def demo_environment(directory: Directory, servers: Mapping[str, str], kept: Mapping[str, str]) -> dict[str, str]:
    """All that the demo's processes need; the keys of an earlier run are kept, so that tokens and sessions are."""
    keys = {name: kept.get(name) or secrets.token_urlsafe(48) for name in KEPT_KEYS}
    return {
        **servers,
        **keys,
        "MQTT_ADMIN_URL": "",  # a shell that names a plant's broker must not have the demo keep its accounts
        "DEBUG": "false",
        "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
        "STATIC_ROOT": str(directory.static),
    }


def ensure_credentials(path: Path) -> dict[str, dict[str, str]]:
    """`{"admin": {"email": …, "password": …}, "operator": …, "viewer": …}`, generated once."""
    if path.exists():
        try:
            credentials: dict[str, dict[str, str]] = json.loads(path.read_text())
        except ValueError:
            raise DemoError(f"{path} is not JSON any more: `make demo ARGS=--reset` starts over.") from None
        return credentials
    credentials = {
        role: {"email": f"{role}@inqube.example", "password": secrets.token_urlsafe(12)}
        for role in ("admin", "operator", "viewer")
    }
    write_private(path, json.dumps(credentials, indent=2) + "\n")
    return credentials

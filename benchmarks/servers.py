"""A database, a Valkey and a broker of a benchmark's own, with durability as in production."""

import getpass
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from inqube import embedded

MOSQUITTO_OPTIONS = {
    "allow_anonymous": "true",
    "persistence": "false",
    "max_inflight_messages": "0",
    "max_queued_messages": "1000000",
    "set_tcp_nodelay": "true",
}


def mosquitto(directory: Path, port: int, options: Mapping[str, str] | None = None) -> embedded.Server:
    """Mosquitto on loopback; options are those of its configuration file."""
    config = directory / "mosquitto.conf"
    lines = {
        "listener": f"{port} {embedded.LOOPBACK}",
        "user": getpass.getuser(),
        **MOSQUITTO_OPTIONS,
        **(options or {}),
    }
    config.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
    program = shutil.which("mosquitto", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
    if program is None:
        raise SystemExit("mosquitto is not installed: install it, or choose --broker embedded.")
    return embedded.Server(
        "mosquitto",
        [program, "-c", str(config)],
        f"mqtt://{embedded.LOOPBACK}:{port}",
        lambda: embedded.accepts_connections(port),
    )


@contextmanager
def servers(broker: str, database: Mapping[str, str] | None = None) -> Iterator[dict[str, str]]:
    """Runs the servers; gives the environment with which `manage.py` reaches them, migrated.

    Args:
        broker: `mosquitto`, `embedded`, or `auto` for Mosquitto where it is installed.
        database: options of PostgreSQL.
    """
    directory = Path(tempfile.mkdtemp(prefix="inqube-bench-"))
    directory.chmod(0o755)  # the servers' system users pass through it
    port = embedded.free_port()
    found = shutil.which("mosquitto", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
    if broker == "mosquitto" or (broker == "auto" and found):
        mqtt = mosquitto(directory, port)
    else:
        mqtt = embedded.broker(directory, port_v5=port, port_v311=embedded.free_port())
    postgres = embedded.postgres(directory / "postgres", options=database)
    valkey = embedded.valkey(directory, embedded.free_port())
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        embedded.initialise_postgres(directory / "postgres")
        for server in (postgres, valkey, mqtt):
            stack.enter_context(embedded.running(server, directory / f"{server.name}.log"))
        embedded.create_database(postgres)
        environment = {
            **os.environ,
            "DATABASE_URL": postgres.url,
            "REDIS_URL": valkey.url,
            "MQTT_URL": mqtt.url,
            "SECRET_KEY": "only-for-benchmarks-secret-key-0123456789-0123456789",
            "JWT_SIGNING_KEY": "only-for-benchmarks-jwt-key-0123456789-0123456789",
            "DJANGO_SETTINGS_MODULE": "inqube.settings",
        }
        subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], env=environment, check=True)
        yield environment

"""`python -m inqube.demo.still seed|serve MOMENT …`: the demo factory at one moment, at which its clock stands.

For pictures and measurements, which a factory that goes on would make different each time. `still_factory` runs it
all: servers, seed, and the web server with collected static files, as in production.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from pathlib import Path

from inqube import embedded

ROOT = Path(__file__).resolve().parents[2]
MOMENT = "2026-11-24T09:02:01+00:00"  # a second after the newest readings of the history
ROLES = ("admin", "operator", "viewer")
PASSWORD = "still factory"
START_WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class StillFactory:
    url: str
    password: str = PASSWORD

    @staticmethod
    def email(role: str) -> str:
        return f"{role}@inqube.example"


@contextmanager
def still_factory(moment: str = MOMENT, hours: float = 24) -> Iterator[StillFactory]:
    directory = Path(tempfile.mkdtemp(prefix="inqube-still-"))
    directory.chmod(0o755)  # the database's system user passes through it
    postgres = embedded.postgres(directory / "postgres")
    valkey = embedded.valkey(directory, embedded.free_port())
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        embedded.initialise_postgres(directory / "postgres")
        for server in (postgres, valkey):
            stack.enter_context(embedded.running(server, directory / f"{server.name}.log"))
        embedded.create_database(postgres)
        environment = {
            **os.environ,
            "DATABASE_URL": postgres.url,
            "REDIS_URL": valkey.url,
            "MQTT_URL": "mqtt://127.0.0.1:1",  # nobody publishes
            "SECRET_KEY": "only-for-still-factories-secret-key-0123456789-0123456789",
            "JWT_SIGNING_KEY": "only-for-still-factories-jwt-key-0123456789-0123456789",
            "ALLOWED_HOSTS": "127.0.0.1",
            "STATIC_ROOT": str(directory / "static"),
            "THROTTLE": "false",
        }
        run = [sys.executable, "-m", "inqube.demo.still"]
        subprocess.run(
            [*run, "seed", moment, str(hours), str(directory)],
            env=environment,
            cwd=ROOT,
            check=True,
            preexec_fn=embedded.end_with_parent(signal.SIGKILL),
        )
        port = embedded.free_port()
        log = stack.enter_context((directory / "web.log").open("wb"))
        web = subprocess.Popen(
            [*run, "serve", moment, str(port)],
            env=environment,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=log,
            preexec_fn=embedded.end_with_parent(signal.SIGKILL),
        )
        stack.callback(embedded.stop, web, signal.SIGKILL)
        deadline = time.monotonic() + START_WITHIN_S
        while not embedded.accepts_connections(port):
            if web.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((directory / "web.log").read_text())
            time.sleep(0.1)
        yield StillFactory(f"http://127.0.0.1:{port}")


def stop_clock(moment: str) -> None:
    """Before anything imports `now` by its name."""
    from django.utils import timezone

    stopped = datetime.fromisoformat(moment)
    timezone.now = lambda: stopped


def seed(hours: str, directory: str) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from accounts.audit_context import act_as_command

    act_as_command("demo")
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    credentials = Path(directory) / "credentials"
    people = {role: {"email": StillFactory.email(role), "password": PASSWORD} for role in ROLES}
    credentials.write_text(json.dumps(people))
    call_command("seed_demo", credentials=credentials, history_hours=float(hours), stdout=StringIO())
    from inqube.demo.scene import set_scene

    set_scene()


def serve(port: str) -> None:
    from daphne.cli import CommandLineInterface

    CommandLineInterface().run(["-b", "127.0.0.1", "-p", port, "inqube.asgi:application"])


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inqube.settings")
    task, moment, *arguments = sys.argv[1:]
    stop_clock(moment)
    if task == "seed":
        seed(*arguments)
    else:
        serve(*arguments)

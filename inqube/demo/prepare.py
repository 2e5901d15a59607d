"""`python -m inqube.demo.prepare CREDENTIALS HOURS`: what has to be in the database before the demo's parts start.

One process for all of it, because each start of Django costs a second. It says `@step` lines on standard
output, by which its parent shows progress; all else is its log.
"""

import hashlib
import os
import sys
from pathlib import Path

import django
from django.core.management import call_command

from accounts.audit_context import act_as_command

STEP = "@step "
STAMP = "collected.sha256"


def say(step: str) -> None:
    print(f"{STEP}{step}", flush=True)  # noqa: T201 the protocol with the parent


def static_fingerprint() -> str:
    """Changes with any static file's name, size or time of change."""
    from django.contrib.staticfiles.finders import get_finders

    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in sorted(finder.list([]), key=lambda found: found[0]):
            status = Path(storage.path(path)).stat()
            digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def collect_static() -> None:
    """Collects static files, unless the ones that were collected last are still the same."""
    stamp = Path(os.environ["STATIC_ROOT"]) / STAMP
    fingerprint = static_fingerprint()
    if stamp.exists() and stamp.read_text() == fingerprint:
        return
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(fingerprint)


def main(credentials: str, history_hours: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inqube.settings")
    django.setup()
    act_as_command("demo")
    say("Database migrated")
    call_command("migrate", interactive=False, verbosity=0)
    say("Static files collected")
    collect_static()
    say("Factory and people there")
    call_command("seed_demo", credentials=Path(credentials), history_hours=0)
    say(f"{history_hours} hours of history there")
    call_command("seed_demo", credentials=Path(credentials), history_hours=float(history_hours))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The disk that the database lies on, where it can be known: SQL tells nothing of it."""

import shutil
from ipaddress import ip_address
from typing import Any, NamedTuple

from django.conf import settings

DATA_DIRECTORY = "SELECT setting FROM pg_settings WHERE name = 'data_directory'"  # told to superusers, and to monitors
SIZE = "SELECT pg_database_size(current_database())"


class Disk(NamedTuple):
    """In bytes; of a size that was given, what the database leaves of it is free."""

    size: int
    free: int
    is_given: bool
    place: str  # its path, where it was found


def disk_of(connection: Any, given: int = 0) -> Disk | None:
    """By psycopg's connection; `given` comes before DATABASE_DISK_BYTES, and that before what is found here.

    None where the database is on another machine, or does not say where it lies.
    """
    if size := given or settings.DATABASE_DISK_BYTES:
        (taken,) = connection.execute(SIZE).fetchone()
        return Disk(size, max(0, size - taken), True, "")
    row = connection.execute(DATA_DIRECTORY).fetchone()
    if row is None or not row[0] or not is_here(connection.info.host):
        return None
    try:
        usage = shutil.disk_usage(row[0])
    except OSError:  # a server in a container of its own, say
        return None
    return Disk(usage.used + usage.free, usage.free, False, row[0])


def is_here(host: str) -> bool:
    """Whether a server at this address is on this machine: a unix socket, or loopback."""
    try:
        return host.startswith("/") or host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False

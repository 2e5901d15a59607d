"""What the doctor says of a real database, and of what is wrong with it."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from inqube.doctor import database, upkeep
from inqube.doctor.findings import Finding, Status
from inqube.tests.doctor.conftest import ask

pytestmark = pytest.mark.django_db(transaction=True)


def found() -> dict[str, Finding]:
    return ask(database.area(upkeep.CHECKS))


def close_pool() -> None:
    """Its connections know nothing of what is set for the database from now on."""
    backend: Any = connection
    backend.close_pool()


@pytest.fixture
def altered() -> Iterator[None]:
    """What a test sets for the database is taken back."""
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
        yield
        cursor.execute(f"ALTER DATABASE {name} RESET synchronous_commit")


def test_it_says_what_the_database_is() -> None:
    lines = found()
    assert lines["database"].detail.startswith("PostgreSQL ")
    assert lines["flavour"].detail.endswith(", plain: the worker makes partitions, and drops them")
    for name in ("database", "migrations", "flavour", "policies", "connections", "vacuum", "database-clock"):
        assert lines[name].status == Status.OK, (name, lines[name])


def test_it_leaves_the_connection_as_it_was() -> None:
    found()
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


def test_it_finds_a_migration_that_is_missing() -> None:
    gone = "DELETE FROM django_migrations WHERE app = 'telemetry' AND name = '0012_latest_before' RETURNING id, applied"
    with connection.cursor() as cursor:
        cursor.execute(gone)
        row = cursor.fetchone()
        try:
            line = found()["migrations"]
        finally:
            cursor.execute(
                "INSERT INTO django_migrations (id, app, name, applied) VALUES (%s, 'telemetry', %s, %s)",
                [row[0], "0012_latest_before", row[1]],
            )
    assert line.status == Status.FAILED
    assert line.detail == "1 are pending, first telemetry.0012_latest_before"
    assert line.remedy == "python manage.py migrate"


def test_it_finds_a_database_that_is_ahead_of_the_program() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('telemetry', '9999_future', now()) RETURNING id"
        )
        (row,) = cursor.fetchone()
        try:
            line = found()["migrations"]
        finally:
            cursor.execute("DELETE FROM django_migrations WHERE id = %s", [row])
    assert line.status == Status.WARNING
    assert "telemetry.9999_future" in line.detail


@pytest.mark.usefixtures("altered")
def test_it_finds_that_commits_are_not_on_disk() -> None:
    close_pool()
    line = found()["durability"]
    close_pool()
    assert line.status == Status.FAILED
    assert "synchronous_commit" in line.detail


def test_it_says_what_an_empty_database_lacks() -> None:
    """In one that `migrate` never saw, all that asks for tables is skipped, and the rest is said."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA empty")
        name = connection.ops.quote_name(connection.settings_dict["NAME"])
        cursor.execute(f"ALTER DATABASE {name} SET search_path = empty")
        close_pool()
        try:
            lines = found()
        finally:
            cursor.execute(f"ALTER DATABASE {name} RESET search_path")
            cursor.execute("DROP SCHEMA empty")
            close_pool()
    assert lines["migrations"] == Finding(Status.FAILED, "nothing has been migrated yet", "python manage.py migrate")
    for check in ("flavour", "partitions", "ingest", "ledger", "dead-letters", "notifications"):
        assert lines[check] == Finding(Status.SKIPPED, "migrations have to be applied first"), check


def test_it_says_that_the_password_is_wrong() -> None:
    """As the server says it; the tests' own trusts everybody, so it is asked for a role that there is not."""
    url = psycopg.conninfo.make_conninfo(settings.DATABASE_URL, user="nobody-we-know")
    with pytest.raises(psycopg.OperationalError) as error:
        psycopg.connect(url)
    assert "nobody-we-know" in database.first_line(error.value)

"""The migrations on plain PostgreSQL: a table partitioned by day, with the same columns and key as a hypertable."""

import threading
from datetime import date, timedelta

import pytest
from django.core.management import call_command
from django.db import connection

from telemetry.ingest.store import connect
from telemetry.storage import flavour, plain

pytestmark = pytest.mark.django_db(transaction=True)

COLUMNS = """
SELECT column_name, data_type, is_nullable FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = 'reading' ORDER BY column_name
"""
PRIMARY_KEY = """
SELECT a.attname FROM pg_index i
JOIN unnest(i.indkey) WITH ORDINALITY AS k (attnum, position) ON true
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = 'reading'::regclass AND i.indisprimary ORDER BY k.position
"""
EXPECTED_COLUMNS = [
    ("quality", "smallint", "NO"),
    ("sensor", "integer", "NO"),
    ("time", "timestamp with time zone", "NO"),
    ("value", "double precision", "NO"),
]
EXPECTED_KEY = [("sensor",), ("time",)]
DAY = date(2026, 3, 1)


def test_it_has_the_columns_and_the_key() -> None:
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS)
        assert cursor.fetchall() == EXPECTED_COLUMNS
        cursor.execute(PRIMARY_KEY)
        assert cursor.fetchall() == EXPECTED_KEY


def test_it_is_recognised_as_plain() -> None:
    with connect() as each:
        assert flavour(each) is plain


def test_it_makes_partitions_from_several_processes_at_once() -> None:
    days = [DAY + timedelta(days=offset) for offset in range(5)]

    def make() -> None:
        with connect() as each:
            plain.ensure_days(each, days)

    makers = [threading.Thread(target=make) for _ in range(4)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "WHERE i.inhparent = 'reading'::regclass AND c.relname = ANY(%s) ORDER BY c.relname",
            [[plain.partition_name(day) for day in days]],
        )
        bounds = [bound for (bound,) in cursor.fetchall()]
    assert len(bounds) == 5
    assert bounds[0] == "FOR VALUES FROM ('2026-03-01 00:00:00+00') TO ('2026-03-02 00:00:00+00')"


def test_it_makes_a_partition_while_others_are_read() -> None:
    """Attaching must not wait for whoever is reading: a long query would stop ingest at a new day."""
    with connect() as reader, connect() as maker, reader.transaction():
        reader.execute("SELECT count(*) FROM reading")
        maker.execute("SET lock_timeout = '2s'")
        plain.ensure_days(maker, [DAY + timedelta(days=100)])


@pytest.mark.parametrize("app", ["telemetry", "plants"])
def test_its_migrations_go_back_and_forth(app: str) -> None:
    try:
        call_command("migrate", app, "zero", verbosity=0)
    finally:
        call_command("migrate", verbosity=0)
    test_it_has_the_columns_and_the_key()

"""Lets TimescaleDB compress days of readings: a sensor's together, by time. When, is for the worker to say."""

from typing import Any

from django.db import migrations


def has_hypertable(cursor: Any) -> bool:
    cursor.execute("SELECT relkind = 'r' FROM pg_class WHERE oid = 'reading'::regclass")
    return bool(cursor.fetchone()[0])


def enable(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        if has_hypertable(cursor):
            cursor.execute(
                "ALTER TABLE reading SET (timescaledb.enable_columnstore = true, "
                "timescaledb.segmentby = 'sensor', timescaledb.orderby = 'time')"
            )


def disable(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        if has_hypertable(cursor):  # refused while chunks are compressed
            cursor.execute("SELECT decompress_chunk(chunk, if_compressed => true) FROM show_chunks('reading') AS chunk")
            cursor.execute("ALTER TABLE reading SET (timescaledb.enable_columnstore = false)")


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0004_raw_from")]

    operations = [migrations.RunPython(enable, disable)]

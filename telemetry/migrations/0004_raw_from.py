"""Remembers from when on raw readings are complete: retention has dropped what was before."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0003_rollups")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE rollup_state ADD COLUMN raw_from timestamptz",  # NULL: nothing was dropped
            "ALTER TABLE rollup_state DROP COLUMN raw_from",
        ),
    ]

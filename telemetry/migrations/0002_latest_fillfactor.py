"""Leaves room on the pages of `latest`, whose rows are overwritten all day, so that updates stay in place (HOT)."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0001_readings")]

    operations = [
        migrations.RunSQL("ALTER TABLE latest SET (fillfactor = 40)", "ALTER TABLE latest RESET (fillfactor)"),
    ]

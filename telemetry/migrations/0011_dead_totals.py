"""Counts dead samples by their reason, and entries of the ledger that did not match."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('telemetry', '0010_ingest_totals'),
    ]

    operations = [
        migrations.CreateModel(
            name='DeadTotal',
            fields=[
                ('pk', models.CompositePrimaryKey('kind', 'reason', blank=True, editable=False, primary_key=True, serialize=False)),
                ('kind', models.TextField(choices=[('mqtt', 'mqtt'), ('http', 'http'), ('import', 'import'), ('replay', 'replay')])),
                ('reason', models.TextField()),
                ('samples', models.BigIntegerField()),
            ],
            options={
                'db_table': 'dead_total',
            },
        ),
        migrations.RunSQL(
            "ALTER TABLE ledger_state ADD COLUMN broken bigint NOT NULL DEFAULT 0",
            "ALTER TABLE ledger_state DROP COLUMN broken",
        ),
    ]

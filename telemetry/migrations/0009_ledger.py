"""Accounts for every sample: what came, and what became of it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('telemetry', '0008_ingest_processes'),
    ]

    operations = [
        migrations.CreateModel(
            name='LedgerEntry',
            fields=[
                ('received', models.BigIntegerField()),
                ('stored', models.BigIntegerField()),
                ('duplicate', models.BigIntegerField()),
                ('conflict', models.BigIntegerField()),
                ('late', models.BigIntegerField()),
                ('dead', models.BigIntegerField()),
                ('pk', models.CompositePrimaryKey('minute', 'kind', 'source', blank=True, editable=False, primary_key=True, serialize=False)),
                ('minute', models.DateTimeField()),
                ('kind', models.TextField(choices=[('mqtt', 'mqtt'), ('http', 'http'), ('import', 'import'), ('replay', 'replay')])),
                ('source', models.TextField()),
            ],
            options={
                'db_table': 'ledger',
            },
        ),
        migrations.CreateModel(
            name='LedgerTotal',
            fields=[
                ('received', models.BigIntegerField()),
                ('stored', models.BigIntegerField()),
                ('duplicate', models.BigIntegerField()),
                ('conflict', models.BigIntegerField()),
                ('late', models.BigIntegerField()),
                ('dead', models.BigIntegerField()),
                ('kind', models.TextField(choices=[('mqtt', 'mqtt'), ('http', 'http'), ('import', 'import'), ('replay', 'replay')], primary_key=True, serialize=False)),
            ],
            options={
                'db_table': 'ledger_total',
            },
        ),
        # An entry is changed with each batch of its minute: with room beside it on the page no index is touched.
        migrations.RunSQL("ALTER TABLE ledger SET (fillfactor = 50)", migrations.RunSQL.noop),
        migrations.RunSQL(
            """
            CREATE TABLE ledger_state (
                only_row bool PRIMARY KEY DEFAULT true CHECK (only_row),
                checked_to timestamptz NOT NULL  -- minutes before it are in ledger_total
            );
            INSERT INTO ledger_state (checked_to) VALUES (date_trunc('minute', now(), 'UTC'));
            """,
            "DROP TABLE ledger_state",
        ),
    ]

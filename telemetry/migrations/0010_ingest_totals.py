"""Keeps what ingest counts, across its restarts: messages, commits, and what the broker dropped."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('telemetry', '0009_ledger'),
    ]

    operations = [
        migrations.AddField(
            model_name='ingestshard',
            name='lag_s',
            field=models.FloatField(db_default=0),
        ),
        migrations.CreateModel(
            name='IngestTotal',
            fields=[
                ('client_id', models.TextField(primary_key=True, serialize=False)),
                ('messages', models.BigIntegerField(default=0)),
                ('rejected', models.BigIntegerField(default=0)),
                ('commits', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, size=None)),
                ('commit_s', models.FloatField(default=0)),
                ('dropped', models.BigIntegerField(default=0)),
            ],
            options={
                'db_table': 'ingest_total',
            },
        ),
    ]

"""Keeps what ingest processes say of themselves, and the gaps they notice."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('telemetry', '0007_discovered_sensors'),
    ]

    operations = [
        migrations.CreateModel(
            name='IngestShard',
            fields=[
                ('client_id', models.TextField(primary_key=True, serialize=False)),
                ('shard', models.PositiveIntegerField()),
                ('of', models.PositiveIntegerField()),
                ('host', models.TextField()),
                ('pid', models.PositiveIntegerField()),
                ('started_at', models.DateTimeField()),
                ('seen_at', models.DateTimeField()),
                ('stopped_at', models.DateTimeField(blank=True, null=True)),
                ('connected_at', models.DateTimeField(blank=True, null=True)),
                ('contact_at', models.DateTimeField(blank=True, null=True)),
                ('is_subscribed', models.BooleanField(default=False)),
                ('plants', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), blank=True, default=list, size=None)),
                ('committed_at', models.DateTimeField(blank=True, null=True)),
                ('unacknowledged', models.PositiveIntegerField(default=0)),
                ('broker_dropped', models.BigIntegerField(blank=True, null=True)),
                ('standby_host', models.TextField(blank=True)),
                ('standby_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'db_table': 'ingest_shard',
                'ordering': ('of', 'shard'),
            },
        ),
        migrations.CreateModel(
            name='IngestEvent',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('client_id', models.TextField()),
                ('kind', models.TextField(choices=[('session_lost', 'Session Lost'), ('broker_dropped', 'Broker Dropped'), ('took_over', 'Took Over'), ('ledger_broken', 'Ledger Broken')])),
                ('since', models.DateTimeField(blank=True, null=True)),
                ('count', models.BigIntegerField(blank=True, null=True)),
                ('detail', models.TextField()),
            ],
            options={
                'db_table': 'ingest_event',
                'ordering': ('-at', '-id'),
                'indexes': [models.Index(fields=['at'], name='ingest_event_at')],
            },
        ),
    ]

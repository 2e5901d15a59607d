"""Keeps what could not become a reading."""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('plants', '0007_sensor_rollover'),
        ('telemetry', '0005_columnstore'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='DeadLetter',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('received_at', models.DateTimeField()),
                ('source', models.TextField()),
                ('topic', models.TextField()),
                ('address', models.TextField(blank=True)),
                ('payload', models.BinaryField()),
                ('payload_bytes', models.PositiveIntegerField()),
                ('is_truncated', models.BooleanField(default=False)),
                ('reason', models.TextField(choices=[('invalid_json', 'invalid_json'), ('invalid_topic', 'invalid_topic'), ('too_large', 'too_large'), ('too_many_samples', 'too_many_samples'), ('too_deep', 'too_deep'), ('not_a_number', 'not_a_number'), ('not_finite', 'not_finite'), ('integer_too_large', 'integer_too_large'), ('unknown_state', 'unknown_state'), ('bad_quality', 'bad_quality'), ('bad_timestamp', 'bad_timestamp'), ('timestamp_out_of_range', 'timestamp_out_of_range'), ('unknown_plant', 'unknown_plant'), ('unknown_sensor', 'unknown_sensor'), ('sensor_inactive', 'sensor_inactive'), ('database_rejected', 'database_rejected')])),
                ('detail', models.TextField()),
                ('samples', models.PositiveIntegerField()),
                ('digest', models.BinaryField()),
                ('seen', models.PositiveIntegerField(default=1)),
                ('state', models.TextField(choices=[('new', 'New'), ('replayed', 'Replayed'), ('discarded', 'Discarded')], default='new')),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('plant', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='plants.plant')),
            ],
            options={
                'db_table': 'dead_letter',
                'ordering': ('-received_at', 'id'),
                'indexes': [models.Index(fields=['received_at'], name='dead_letter_received_at'), models.Index(fields=['plant', 'received_at'], name='dead_letter_plant'), models.Index(fields=['digest'], name='dead_letter_digest'), models.Index(fields=['received_at'], condition=models.Q(('state', 'new')), name='dead_letter_new')],
            },
        ),
    ]

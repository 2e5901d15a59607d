"""Keeps what comes for unknown sensors, until somebody decides."""

import django.db.models.deletion
import telemetry.models.discovered
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('plants', '0010_on_unknown'),
        ('telemetry', '0006_dead_letters'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # A sequence of its own, as for the numbers of sensors (plants, 0001).
        migrations.RunSQL(
            "CREATE SEQUENCE discovered_sensor_number AS integer",
            "DROP SEQUENCE discovered_sensor_number",
        ),
        migrations.CreateModel(
            name='QuarantinedSample',
            fields=[
                ('pk', models.CompositePrimaryKey('discovered', 'time', blank=True, editable=False, primary_key=True, serialize=False)),
                ('discovered', models.IntegerField()),
                ('time', models.DateTimeField()),
                ('value', models.FloatField(null=True)),
                ('label', models.TextField(null=True)),
                ('quality', models.SmallIntegerField()),
            ],
            options={
                'db_table': 'quarantined_sample',
            },
        ),
        migrations.CreateModel(
            name='DiscoveredSensor',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.IntegerField(db_default=telemetry.models.discovered.NextDiscoveredNumber(), editable=False, unique=True)),
                ('address', models.TextField(unique=True)),
                ('first_seen', models.DateTimeField()),
                ('last_seen', models.DateTimeField()),
                ('count', models.BigIntegerField(default=0)),
                ('kept', models.IntegerField(default=0)),
                ('not_kept', models.BigIntegerField(default=0)),
                ('drained', models.BigIntegerField(default=0)),
                ('last_time', models.DateTimeField(blank=True, null=True)),
                ('last_value', models.FloatField(blank=True, null=True)),
                ('last_label', models.TextField(blank=True)),
                ('last_quality', models.SmallIntegerField(blank=True, null=True)),
                ('state', models.TextField(choices=[('new', 'New'), ('adopted', 'Adopted'), ('ignored', 'Ignored')], default='new')),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('plant', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='plants.plant')),
                ('sensor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='plants.sensor')),
            ],
            options={
                'db_table': 'discovered_sensor',
                'ordering': ('address',),
            },
        ),
        # Of the database, and not of Django, which would not see what ingest adds while it deletes a plant.
        migrations.RunSQL(
            "ALTER TABLE discovered_sensor ADD CONSTRAINT discovered_sensor_plant "
            "FOREIGN KEY (plant_id) REFERENCES plants_plant (id) ON DELETE CASCADE",
            "ALTER TABLE discovered_sensor DROP CONSTRAINT discovered_sensor_plant",
        ),
    ]

"""Decisions, which the database keeps as they were written."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


# See accounts.0002_audit, which made the function.
APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON alarms_decision
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_audit_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON alarms_decision
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_audit_refuse();
"""
FORGIVE = "DROP TRIGGER append_only ON alarms_decision;\nDROP TRIGGER append_only_truncate ON alarms_decision;"


class Migration(migrations.Migration):

    dependencies = [
        ('alarms', '0003_notifications'),
        ('plants', '0013_device_is_online'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Decision',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('sensors', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, help_text='Whose values before and after may be compared.', size=None)),
                ('action', models.CharField(choices=[('accept', 'Accept'), ('reject', 'Reject'), ('defer', 'Defer'), ('manual_action', 'Manual action')], max_length=16)),
                ('reason', models.CharField(max_length=2000)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('actor', models.CharField(max_length=254)),
                ('source', models.CharField(choices=[('ingest', 'Ingest'), ('worker', 'Worker'), ('page', 'Page'), ('admin', 'Admin'), ('api', 'Api')], max_length=10)),
                ('alarm', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='decisions', to='alarms.alarm')),
                ('machine', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='plants.machine')),
                ('plant', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='plants.plant')),
                ('user', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-at', 'id'),
                'default_permissions': ('view',),
                'indexes': [models.Index(fields=['plant', '-at', 'id'], name='decision_of_plant')],
                'constraints': [models.CheckConstraint(condition=models.Q(('alarm__isnull', False), ('machine__isnull', False), _connector='OR'), name='decision_about')],
            },
        ),
        migrations.RunSQL(APPEND_ONLY, FORGIVE),
    ]

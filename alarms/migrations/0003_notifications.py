"""Channels, policies and deliveries of notifications, and the append-only history of the first two."""

import alarms.models.channels
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
import pghistory.utils
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.db import migrations, models


# See accounts.0002_audit, which made the function.
HISTORIES = ("notificationchannelevent", "notificationpolicyevent", "notificationstepevent")
APPEND_ONLY = "".join(
    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON alarms_{table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION accounts_audit_refuse();\n"
    f"CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON alarms_{table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION accounts_audit_refuse();\n"
    for table in HISTORIES
)
FORGIVE = "".join(
    f"DROP TRIGGER append_only ON alarms_{table};\nDROP TRIGGER append_only_truncate ON alarms_{table};\n"
    for table in HISTORIES
)


class Migration(migrations.Migration):

    dependencies = [
        ('alarms', '0002_triggers'),
        ('plants', '0013_device_is_online'),
    ]

    operations = [
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('channel_name', models.CharField(max_length=80)),
                ('after_min', models.PositiveIntegerField(default=0, verbose_name='minutes')),
                ('kind', models.CharField(choices=[('raised', 'Raised'), ('cleared', 'Cleared'), ('digest', 'Digest'), ('test', 'Test')], max_length=10)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('sending', 'Sending'), ('sent', 'Sent'), ('collected', 'Collected for a digest'), ('failed', 'Failed'), ('dropped', 'Not sent')], default='waiting', max_length=10)),
                ('due_at', models.DateTimeField(verbose_name='due')),
                ('was_put_off', models.BooleanField(default=False)),
                ('claimed_at', models.DateTimeField(null=True)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('told', models.JSONField(default=list)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='time')),
                ('done_at', models.DateTimeField(null=True, verbose_name='done')),
                ('alarm', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='deliveries', to='alarms.alarm')),
                ('digest', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='collected', to='alarms.delivery')),
                ('event', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='alarms.alarmevent')),
                ('plant', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='plants.plant')),
            ],
            options={
                'verbose_name_plural': 'deliveries',
                'ordering': ('-created_at', 'id'),
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='DeliveryAttempt',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField(verbose_name='time')),
                ('is_success', models.BooleanField(verbose_name='success')),
                ('outcome', models.CharField(max_length=300)),
                ('duration_ms', models.PositiveIntegerField(verbose_name='duration, ms')),
                ('delivery', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tries', to='alarms.delivery')),
            ],
            options={
                'ordering': ('id',),
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='NotificationChannel',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(help_text='Who hears of it, such as Maintenance on duty.', max_length=80)),
                ('kind', models.CharField(choices=[('email', 'Email'), ('webhook', 'Webhook')], max_length=10)),
                ('addresses', models.TextField(blank=True, help_text='Email: one a line.', max_length=5000, validators=[alarms.models.channels.validate_addresses], verbose_name='email addresses')),
                ('url', models.CharField(blank=True, help_text='Webhook: where to POST. It must be in the public internet, unless NOTIFY_PRIVATE_NETWORKS allows its network.', max_length=1000, validators=[alarms.models.channels.validate_webhook], verbose_name='webhook address')),
                ('format', models.CharField(choices=[('json', 'JSON'), ('slack', 'Slack'), ('teams', 'Microsoft Teams')], default='json', help_text='Webhook: JSON for programs; Slack for an incoming webhook; Microsoft Teams for a workflow “when a webhook request is received”, which posts the card.', max_length=10)),
                ('tells_clearing', models.BooleanField(default=False, verbose_name='also say when it clears')),
                ('flood_limit', models.PositiveIntegerField(default=10, help_text='More messages than that in ten minutes come as one digest.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000)], verbose_name='flood limit')),
                ('is_enabled', models.BooleanField(default=True, verbose_name='enabled')),
                ('secret_salt', models.CharField(default=alarms.models.channels.new_salt, editable=False, max_length=32)),
                ('last_success_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='last success')),
                ('last_failure_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='last failure')),
                ('last_failure', models.CharField(blank=True, editable=False, max_length=300)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('plant', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notification_channels', to='plants.plant')),
            ],
            options={
                'ordering': ('plant', 'name'),
            },
        ),
        migrations.AddField(
            model_name='delivery',
            name='channel',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='alarms.notificationchannel'),
        ),
        migrations.CreateModel(
            name='NotificationChannelEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, serialize=False)),
                ('name', models.CharField(help_text='Who hears of it, such as Maintenance on duty.', max_length=80)),
                ('kind', models.CharField(choices=[('email', 'Email'), ('webhook', 'Webhook')], max_length=10)),
                ('addresses', models.TextField(blank=True, help_text='Email: one a line.', max_length=5000, validators=[alarms.models.channels.validate_addresses], verbose_name='email addresses')),
                ('url', models.CharField(blank=True, help_text='Webhook: where to POST. It must be in the public internet, unless NOTIFY_PRIVATE_NETWORKS allows its network.', max_length=1000, validators=[alarms.models.channels.validate_webhook], verbose_name='webhook address')),
                ('format', models.CharField(choices=[('json', 'JSON'), ('slack', 'Slack'), ('teams', 'Microsoft Teams')], default='json', help_text='Webhook: JSON for programs; Slack for an incoming webhook; Microsoft Teams for a workflow “when a webhook request is received”, which posts the card.', max_length=10)),
                ('tells_clearing', models.BooleanField(default=False, verbose_name='also say when it clears')),
                ('flood_limit', models.PositiveIntegerField(default=10, help_text='More messages than that in ten minutes come as one digest.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000)], verbose_name='flood limit')),
                ('is_enabled', models.BooleanField(default=True, verbose_name='enabled')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('pgh_obj', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='alarms.notificationchannel')),
                ('plant', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='plants.plant')),
            ],
            options={
                'abstract': False,
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='NotificationPolicy',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=80)),
                ('severity', models.CharField(choices=[('critical', 'Critical'), ('high', 'High'), ('medium', 'Medium'), ('low', 'Low')], default='high', help_text='Alarms of this severity, and worse ones.', max_length=10)),
                ('quiet_from', models.TimeField(blank=True, help_text="Quiet hours, by the plant's clock: what comes in them is told when they are over, if the alarm is still active and nobody has acknowledged it.", null=True)),
                ('quiet_to', models.TimeField(blank=True, help_text='May be on the next day.', null=True)),
                ('breaks_through', models.CharField(blank=True, choices=[('critical', 'Critical'), ('high', 'High'), ('medium', 'Medium'), ('low', 'Low')], default='critical', help_text='Alarms of this severity, and worse ones, are told in quiet hours too. Empty: none.', max_length=10)),
                ('is_enabled', models.BooleanField(default=True, verbose_name='enabled')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('plant', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notification_policies', to='plants.plant')),
            ],
            options={
                'verbose_name_plural': 'notification policies',
                'ordering': ('plant', 'name'),
            },
        ),
        migrations.CreateModel(
            name='NotificationPolicyEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, serialize=False)),
                ('name', models.CharField(max_length=80)),
                ('severity', models.CharField(choices=[('critical', 'Critical'), ('high', 'High'), ('medium', 'Medium'), ('low', 'Low')], default='high', help_text='Alarms of this severity, and worse ones.', max_length=10)),
                ('quiet_from', models.TimeField(blank=True, help_text="Quiet hours, by the plant's clock: what comes in them is told when they are over, if the alarm is still active and nobody has acknowledged it.", null=True)),
                ('quiet_to', models.TimeField(blank=True, help_text='May be on the next day.', null=True)),
                ('breaks_through', models.CharField(blank=True, choices=[('critical', 'Critical'), ('high', 'High'), ('medium', 'Medium'), ('low', 'Low')], default='critical', help_text='Alarms of this severity, and worse ones, are told in quiet hours too. Empty: none.', max_length=10)),
                ('is_enabled', models.BooleanField(default=True, verbose_name='enabled')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('pgh_obj', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='alarms.notificationpolicy')),
                ('plant', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='plants.plant')),
            ],
            options={
                'abstract': False,
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='NotificationStep',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('after_min', models.PositiveIntegerField(default=0, help_text='0: at once. Else: when the alarm has been active for so long and nobody has acknowledged it.', validators=[django.core.validators.MaxValueValidator(10080)], verbose_name='minutes')),
                ('channel', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='alarms.notificationchannel')),
                ('policy', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='alarms.notificationpolicy')),
            ],
            options={
                'ordering': ('policy', 'after_min', 'channel__name'),
            },
        ),
        migrations.AddField(
            model_name='delivery',
            name='step',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='alarms.notificationstep'),
        ),
        migrations.CreateModel(
            name='NotificationStepEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, serialize=False)),
                ('after_min', models.PositiveIntegerField(default=0, help_text='0: at once. Else: when the alarm has been active for so long and nobody has acknowledged it.', validators=[django.core.validators.MaxValueValidator(10080)], verbose_name='minutes')),
                ('channel', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='alarms.notificationchannel')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='alarms.notificationstep')),
                ('policy', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='alarms.notificationpolicy')),
            ],
            options={
                'abstract': False,
                'default_permissions': (),
            },
        ),
        migrations.AddConstraint(
            model_name='notificationchannel',
            constraint=models.UniqueConstraint(fields=('plant', 'name'), name='notification_channel_name_once', violation_error_message='The plant has a channel with this name already.'),
        ),
        migrations.AddConstraint(
            model_name='notificationchannel',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'email'), ('url', ''), models.Q(('addresses', ''), _negated=True)), models.Q(('addresses', ''), ('kind', 'webhook'), models.Q(('url', ''), _negated=True)), _connector='OR'), name='notification_channel_has_one_target', violation_error_message='Email needs addresses and no webhook; a webhook its address and no email.'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='notificationchannel',
            trigger=pgtrigger.compiler.Trigger(name='created_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "alarms_notificationchannelevent" ("addresses", "created_at", "flood_limit", "format", "id", "is_enabled", "kind", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plant_id", "tells_clearing", "url") VALUES (NEW."addresses", NEW."created_at", NEW."flood_limit", NEW."format", NEW."id", NEW."is_enabled", NEW."kind", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'created\', NEW."id", NEW."plant_id", NEW."tells_clearing", NEW."url"); RETURN NULL;', hash='4e4c2126c7e1583f56b6ba17509046da298c5640', operation='INSERT', pgid='pgtrigger_created_insert_cb6b0', table='alarms_notificationchannel', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='notificationchannel',
            trigger=pgtrigger.compiler.Trigger(name='updated_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."addresses" IS DISTINCT FROM (NEW."addresses") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."flood_limit" IS DISTINCT FROM (NEW."flood_limit") OR OLD."format" IS DISTINCT FROM (NEW."format") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."is_enabled" IS DISTINCT FROM (NEW."is_enabled") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."plant_id" IS DISTINCT FROM (NEW."plant_id") OR OLD."tells_clearing" IS DISTINCT FROM (NEW."tells_clearing") OR OLD."url" IS DISTINCT FROM (NEW."url"))', func='INSERT INTO "alarms_notificationchannelevent" ("addresses", "created_at", "flood_limit", "format", "id", "is_enabled", "kind", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plant_id", "tells_clearing", "url") VALUES (NEW."addresses", NEW."created_at", NEW."flood_limit", NEW."format", NEW."id", NEW."is_enabled", NEW."kind", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'updated\', NEW."id", NEW."plant_id", NEW."tells_clearing", NEW."url"); RETURN NULL;', hash='23e4d8c737b0b7987c0171ca798f36af30ab2067', operation='UPDATE', pgid='pgtrigger_updated_update_48cf3', table='alarms_notificationchannel', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='notificationchannel',
            trigger=pgtrigger.compiler.Trigger(name='deleted_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "alarms_notificationchannelevent" ("addresses", "created_at", "flood_limit", "format", "id", "is_enabled", "kind", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plant_id", "tells_clearing", "url") VALUES (OLD."addresses", OLD."created_at", OLD."flood_limit", OLD."format", OLD."id", OLD."is_enabled", OLD."kind", OLD."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'deleted\', OLD."id", OLD."plant_id", OLD."tells_clearing", OLD."url"); RETURN NULL;', hash='423dbb294e4b161a5d6263d2e56e000a9cf4084a', operation='DELETE', pgid='pgtrigger_deleted_delete_7818a', table='alarms_notificationchannel', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='notificationchannel',
            trigger=pgtrigger.compiler.Trigger(name='password_changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."secret_salt" IS DISTINCT FROM (NEW."secret_salt"))', func='INSERT INTO "alarms_notificationchannelevent" ("addresses", "created_at", "flood_limit", "format", "id", "is_enabled", "kind", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plant_id", "tells_clearing", "url") VALUES (NEW."addresses", NEW."created_at", NEW."flood_limit", NEW."format", NEW."id", NEW."is_enabled", NEW."kind", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'password_changed\', NEW."id", NEW."plant_id", NEW."tells_clearing", NEW."url"); RETURN NULL;', hash='235203b5844ea05737d70f83f7b88bc626ca1a67', operation='UPDATE', pgid='pgtrigger_password_changed_update_e7c12', table='alarms_notificationchannel', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='notificationchannelevent',
            index=models.Index(fields=['pgh_created_at'], name='alarms_noti_pgh_cre_943588_idx'),
        ),
        migrations.AddIndex(
            model_name='notificationchannelevent',
            index=models.Index(fields=['pgh_obj', 'pgh_id'], name='alarms_noti_pgh_obj_1781f2_idx'),
        ),
        migrations.AddConstraint(
            model_name='notificationpolicy',
            constraint=models.UniqueConstraint(fields=('plant', 'name'), name='notification_policy_name_once', violation_error_message='The plant has a policy with this name already.'),
        ),
        migrations.AddConstraint(
            model_name='notificationpolicy',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('quiet_from', None), ('quiet_to', None)), models.Q(('quiet_from__isnull', False), ('quiet_to__isnull', False), models.Q(('quiet_from', models.F('quiet_to')), _negated=True)), _connector='OR'), name='notification_policy_quiet_hours', violation_error_message='Quiet hours have a beginning and an end, and these differ.'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='notificationpolicy',
            trigger=pgtrigger.compiler.Trigger(name='created_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "alarms_notificationpolicyevent" ("breaks_through", "created_at", "id", "is_enabled", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plant_id", "quiet_from", "quiet_to", "severity") VALUES (NEW."breaks_through", NEW."created_at", NEW."id", NEW."is_enabled", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'created\', NEW."id", NEW."plant_id", NEW."quiet_from", NEW."quiet_to", NEW."severity"); RETURN NULL;', hash='6ef70655d8f29f42d2e6ddfdf6df8efb4a276549', operation='INSERT', pgid='pgtrigger_created_insert_46084', table='alarms_notificationpolicy', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='notificationpolicy',
            trigger=pgtrigger.compiler.Trigger(name='updated_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "alarms_notificationpolicyevent" ("breaks_through", "created_at", "id", "is_enabled", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plant_id", "quiet_from", "quiet_to", "severity") VALUES (NEW."breaks_through", NEW."created_at", NEW."id", NEW."is_enabled", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'updated\', NEW."id", NEW."plant_id", NEW."quiet_from", NEW."quiet_to", NEW."severity"); RETURN NULL;', hash='ae6eec622688409ae835bd06ceac359b3ee05f3f', operation='UPDATE', pgid='pgtrigger_updated_update_57cfe', table='alarms_notificationpolicy', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='notificationpolicy',
            trigger=pgtrigger.compiler.Trigger(name='deleted_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "alarms_notificationpolicyevent" ("breaks_through", "created_at", "id", "is_enabled", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plant_id", "quiet_from", "quiet_to", "severity") VALUES (OLD."breaks_through", OLD."created_at", OLD."id", OLD."is_enabled", OLD."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'deleted\', OLD."id", OLD."plant_id", OLD."quiet_from", OLD."quiet_to", OLD."severity"); RETURN NULL;', hash='7317e3de41656d63b8c4254c8d8f7d2e4b1e1da3', operation='DELETE', pgid='pgtrigger_deleted_delete_32965', table='alarms_notificationpolicy', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='notificationpolicyevent',
            index=models.Index(fields=['pgh_created_at'], name='alarms_noti_pgh_cre_9b7c36_idx'),
        ),
        migrations.AddIndex(
            model_name='notificationpolicyevent',
            index=models.Index(fields=['pgh_obj', 'pgh_id'], name='alarms_noti_pgh_obj_76c43b_idx'),
        ),
        migrations.AddConstraint(
            model_name='notificationstep',
            constraint=models.UniqueConstraint(fields=('policy', 'channel', 'after_min'), name='notification_step_once', violation_error_message='The policy has this step already.'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='notificationstep',
            trigger=pgtrigger.compiler.Trigger(name='created_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "alarms_notificationstepevent" ("after_min", "channel_id", "id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "policy_id") VALUES (NEW."after_min", NEW."channel_id", NEW."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'created\', NEW."id", NEW."policy_id"); RETURN NULL;', hash='1f38581cb72afcd86528b920848bb6021c1f4a86', operation='INSERT', pgid='pgtrigger_created_insert_e5f5f', table='alarms_notificationstep', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='notificationstep',
            trigger=pgtrigger.compiler.Trigger(name='updated_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "alarms_notificationstepevent" ("after_min", "channel_id", "id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "policy_id") VALUES (NEW."after_min", NEW."channel_id", NEW."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'updated\', NEW."id", NEW."policy_id"); RETURN NULL;', hash='b021e8ab56a7ddef1fccbf3e778714b5bd39eb9e', operation='UPDATE', pgid='pgtrigger_updated_update_4c48e', table='alarms_notificationstep', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='notificationstep',
            trigger=pgtrigger.compiler.Trigger(name='deleted_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "alarms_notificationstepevent" ("after_min", "channel_id", "id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "policy_id") VALUES (OLD."after_min", OLD."channel_id", OLD."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'deleted\', OLD."id", OLD."policy_id"); RETURN NULL;', hash='00f3e5c757cc6ceab752e8f382718a74f93ae3f0', operation='DELETE', pgid='pgtrigger_deleted_delete_ce142', table='alarms_notificationstep', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['plant', '-created_at'], name='delivery_of_plant'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['channel', 'claimed_at'], name='delivery_of_channel'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.UniqueConstraint(fields=('event', 'channel', 'after_min'), name='delivery_once_a_step'),
        ),
        migrations.AddIndex(
            model_name='notificationstepevent',
            index=models.Index(fields=['pgh_created_at'], name='alarms_noti_pgh_cre_22914f_idx'),
        ),
        migrations.AddIndex(
            model_name='notificationstepevent',
            index=models.Index(fields=['pgh_obj', 'pgh_id'], name='alarms_noti_pgh_obj_029b53_idx'),
        ),
        migrations.RunSQL(APPEND_ONLY, FORGIVE),
    ]

"""Lets a plant choose what happens to samples of unknown sensors."""

# ruff: noqa: E501 the SQL of the triggers, as pghistory writes it

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('plants', '0009_device_generation'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='plant',
            name='created_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='plant',
            name='updated_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='plant',
            name='deleted_delete',
        ),
        migrations.AddField(
            model_name='plant',
            name='on_unknown',
            field=models.CharField(choices=[('quarantine', 'Keep and ask'), ('create', 'Create the sensor')], default='quarantine', help_text='What happens when a device sends for a sensor that does not exist.', max_length=10, verbose_name='on unknown sensors'),
        ),
        migrations.AddField(
            model_name='plantevent',
            name='on_unknown',
            field=models.CharField(choices=[('quarantine', 'Keep and ask'), ('create', 'Create the sensor')], default='quarantine', help_text='What happens when a device sends for a sensor that does not exist.', max_length=10, verbose_name='on unknown sensors'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='plant',
            trigger=pgtrigger.compiler.Trigger(name='created_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "plants_plantevent" ("created_at", "id", "location", "name", "on_unknown", "owner_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "slug", "timezone") VALUES (NEW."created_at", NEW."id", NEW."location", NEW."name", NEW."on_unknown", NEW."owner_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'created\', NEW."id", NEW."slug", NEW."timezone"); RETURN NULL;', hash='9936c16347412bd35705befb9e05e67b419e5ec3', operation='INSERT', pgid='pgtrigger_created_insert_f9b0a', table='plants_plant', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='plant',
            trigger=pgtrigger.compiler.Trigger(name='updated_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "plants_plantevent" ("created_at", "id", "location", "name", "on_unknown", "owner_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "slug", "timezone") VALUES (NEW."created_at", NEW."id", NEW."location", NEW."name", NEW."on_unknown", NEW."owner_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'updated\', NEW."id", NEW."slug", NEW."timezone"); RETURN NULL;', hash='3f7ee963b1f1006e83f3e44fcc7fbb72f226448c', operation='UPDATE', pgid='pgtrigger_updated_update_2a7df', table='plants_plant', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='plant',
            trigger=pgtrigger.compiler.Trigger(name='deleted_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "plants_plantevent" ("created_at", "id", "location", "name", "on_unknown", "owner_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "slug", "timezone") VALUES (OLD."created_at", OLD."id", OLD."location", OLD."name", OLD."on_unknown", OLD."owner_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'deleted\', OLD."id", OLD."slug", OLD."timezone"); RETURN NULL;', hash='f204eb22413763e0230af4d2959e6c08d108bd9d', operation='DELETE', pgid='pgtrigger_deleted_delete_b81a7', table='plants_plant', when='AFTER')),
        ),
    ]

"""Tells where a counter rolls over, so that a fall there is no reset."""

# ruff: noqa: E501 the SQL of the triggers, as pghistory writes it

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("plants", "0006_audit_by_object"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="sensor",
            name="created_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="sensor",
            name="updated_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="sensor",
            name="deleted_delete",
        ),
        migrations.AddField(
            model_name="sensor",
            name="rollover_at",
            field=models.FloatField(
                blank=True,
                help_text="For counters: what is counted where it starts again at zero, such as 65536. Empty: a fall is a reset.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="sensorevent",
            name="rollover_at",
            field=models.FloatField(
                blank=True,
                help_text="For counters: what is counted where it starts again at zero, such as 65536. Empty: a fall is a reset.",
                null=True,
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="sensor",
            trigger=pgtrigger.compiler.Trigger(
                name="created_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "plants_sensorevent" ("created_at", "decimals", "duplicate_policy", "expected_interval_s", "high", "id", "is_active", "kind", "low", "machine_id", "name", "number", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "rollover_at", "slug", "stale_after_s", "states", "type", "unit") VALUES (NEW."created_at", NEW."decimals", NEW."duplicate_policy", NEW."expected_interval_s", NEW."high", NEW."id", NEW."is_active", NEW."kind", NEW."low", NEW."machine_id", NEW."name", NEW."number", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'created\', NEW."id", NEW."position", NEW."rollover_at", NEW."slug", NEW."stale_after_s", NEW."states", NEW."type", NEW."unit"); RETURN NULL;',
                    hash="7f98cfecd69a54870266a92cb931ca53f69dd59c",
                    operation="INSERT",
                    pgid="pgtrigger_created_insert_506b2",
                    table="plants_sensor",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="sensor",
            trigger=pgtrigger.compiler.Trigger(
                name="updated_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "plants_sensorevent" ("created_at", "decimals", "duplicate_policy", "expected_interval_s", "high", "id", "is_active", "kind", "low", "machine_id", "name", "number", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "rollover_at", "slug", "stale_after_s", "states", "type", "unit") VALUES (NEW."created_at", NEW."decimals", NEW."duplicate_policy", NEW."expected_interval_s", NEW."high", NEW."id", NEW."is_active", NEW."kind", NEW."low", NEW."machine_id", NEW."name", NEW."number", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'updated\', NEW."id", NEW."position", NEW."rollover_at", NEW."slug", NEW."stale_after_s", NEW."states", NEW."type", NEW."unit"); RETURN NULL;',
                    hash="8ce584107ed2d8b2075d14a09c84e422318c9e3f",
                    operation="UPDATE",
                    pgid="pgtrigger_updated_update_93363",
                    table="plants_sensor",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="sensor",
            trigger=pgtrigger.compiler.Trigger(
                name="deleted_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "plants_sensorevent" ("created_at", "decimals", "duplicate_policy", "expected_interval_s", "high", "id", "is_active", "kind", "low", "machine_id", "name", "number", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "rollover_at", "slug", "stale_after_s", "states", "type", "unit") VALUES (OLD."created_at", OLD."decimals", OLD."duplicate_policy", OLD."expected_interval_s", OLD."high", OLD."id", OLD."is_active", OLD."kind", OLD."low", OLD."machine_id", OLD."name", OLD."number", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'deleted\', OLD."id", OLD."position", OLD."rollover_at", OLD."slug", OLD."stale_after_s", OLD."states", OLD."type", OLD."unit"); RETURN NULL;',
                    hash="8e5dbd64e8a8c10aa11f63d3ae39ff8337cda12c",
                    operation="DELETE",
                    pgid="pgtrigger_deleted_delete_3a728",
                    table="plants_sensor",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="sensor",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("rollover_at", None), models.Q(("kind", "counter"), ("rollover_at__gt", 0)), _connector="OR"
                ),
                name="sensor_rolls_over_above_zero",
                violation_error_message="Only a counter rolls over, at a number above zero.",
            ),
        ),
    ]

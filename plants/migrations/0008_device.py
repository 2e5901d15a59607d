"""Devices, and their history, kept by triggers, append-only, without secrets."""

# ruff: noqa: E501 the SQL of the triggers, as pghistory writes it

import uuid

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import pghistory.utils
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import plants.models

# See accounts.0002_audit, which made the function.
APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON plants_deviceevent
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_audit_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON plants_deviceevent
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_audit_refuse();
"""
FORGIVE = """
DROP TRIGGER append_only ON plants_deviceevent;
DROP TRIGGER append_only_truncate ON plants_deviceevent;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("plants", "0007_sensor_rollover"),
        ("accounts", "0002_audit"),
    ]

    operations = [
        migrations.CreateModel(
            name="Device",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "name",
                    plants.models.SlugField(
                        help_text="A slug; plant/name is the device's user name.",
                        max_length=63,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9][a-z0-9_-]{0,62}\\Z",
                                "Use lower-case letters, digits, - and _, beginning with a letter or digit, 63 at most.",
                            )
                        ],
                    ),
                ),
                (
                    "prefix",
                    models.CharField(
                        blank=True,
                        help_text="The zone or zone/machine for which it may send. Empty: the whole plant.",
                        max_length=127,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^([a-z0-9][a-z0-9_-]{0,62}(/[a-z0-9][a-z0-9_-]{0,62})?)?\\Z",
                                "Use the slug of a zone, or zone/machine, or nothing for the whole plant.",
                            )
                        ],
                    ),
                ),
                ("secret_hash", models.CharField(editable=False, max_length=97)),
                ("previous_secret_hash", models.CharField(blank=True, editable=False, max_length=97)),
                ("previous_valid_until", models.DateTimeField(blank=True, editable=False, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("last_seen", models.DateTimeField(blank=True, editable=False, null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "plant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="devices", to="plants.plant"
                    ),
                ),
            ],
            options={
                "ordering": ["plant", "name"],
            },
        ),
        migrations.CreateModel(
            name="DeviceEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, serialize=False)),
                (
                    "name",
                    plants.models.SlugField(
                        help_text="A slug; plant/name is the device's user name.",
                        max_length=63,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9][a-z0-9_-]{0,62}\\Z",
                                "Use lower-case letters, digits, - and _, beginning with a letter or digit, 63 at most.",
                            )
                        ],
                    ),
                ),
                (
                    "prefix",
                    models.CharField(
                        blank=True,
                        help_text="The zone or zone/machine for which it may send. Empty: the whole plant.",
                        max_length=127,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^([a-z0-9][a-z0-9_-]{0,62}(/[a-z0-9][a-z0-9_-]{0,62})?)?\\Z",
                                "Use the slug of a zone, or zone/machine, or nothing for the whole plant.",
                            )
                        ],
                    ),
                ),
                ("revoked_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="plants.device",
                    ),
                ),
                (
                    "plant",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="plants.plant",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "default_permissions": (),
            },
        ),
        migrations.AddConstraint(
            model_name="device",
            constraint=models.UniqueConstraint(
                fields=("plant", "name"),
                name="device_name_once",
                violation_error_message="The plant has a device with this name already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="device",
            constraint=models.CheckConstraint(
                condition=models.Q(("prefix__regex", "^([a-z0-9][a-z0-9_-]{0,62}(/[a-z0-9][a-z0-9_-]{0,62})?)?$")),
                name="device_prefix_of_slugs",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="device",
            trigger=pgtrigger.compiler.Trigger(
                name="created_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "plants_deviceevent" ("created_at", "id", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plant_id", "prefix", "revoked_at") VALUES (NEW."created_at", NEW."id", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'created\', NEW."id", NEW."plant_id", NEW."prefix", NEW."revoked_at"); RETURN NULL;',
                    hash="0b57a0e74cff56d2018f9b7599b07450ea352d56",
                    operation="INSERT",
                    pgid="pgtrigger_created_insert_1faf6",
                    table="plants_device",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="device",
            trigger=pgtrigger.compiler.Trigger(
                name="updated_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."plant_id" IS DISTINCT FROM (NEW."plant_id") OR OLD."prefix" IS DISTINCT FROM (NEW."prefix") OR OLD."revoked_at" IS DISTINCT FROM (NEW."revoked_at"))',
                    func='INSERT INTO "plants_deviceevent" ("created_at", "id", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plant_id", "prefix", "revoked_at") VALUES (NEW."created_at", NEW."id", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'updated\', NEW."id", NEW."plant_id", NEW."prefix", NEW."revoked_at"); RETURN NULL;',
                    hash="0f7cfb58b289824b0a9de0d587ad78cc6eceb314",
                    operation="UPDATE",
                    pgid="pgtrigger_updated_update_07388",
                    table="plants_device",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="device",
            trigger=pgtrigger.compiler.Trigger(
                name="deleted_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "plants_deviceevent" ("created_at", "id", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plant_id", "prefix", "revoked_at") VALUES (OLD."created_at", OLD."id", OLD."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'deleted\', OLD."id", OLD."plant_id", OLD."prefix", OLD."revoked_at"); RETURN NULL;',
                    hash="f91db834e41efaf51a21eaa837f71ce388d3c27a",
                    operation="DELETE",
                    pgid="pgtrigger_deleted_delete_a02bd",
                    table="plants_device",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="device",
            trigger=pgtrigger.compiler.Trigger(
                name="password_changed_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."secret_hash" IS DISTINCT FROM (NEW."secret_hash"))',
                    func='INSERT INTO "plants_deviceevent" ("created_at", "id", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plant_id", "prefix", "revoked_at") VALUES (NEW."created_at", NEW."id", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'password_changed\', NEW."id", NEW."plant_id", NEW."prefix", NEW."revoked_at"); RETURN NULL;',
                    hash="f48e0334ee7b7e0cb94fd3b2938a7f4ced89041b",
                    operation="UPDATE",
                    pgid="pgtrigger_password_changed_update_0292a",
                    table="plants_device",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="deviceevent",
            index=models.Index(fields=["pgh_created_at"], name="plants_devi_pgh_cre_4a3e60_idx"),
        ),
        migrations.AddIndex(
            model_name="deviceevent",
            index=models.Index(fields=["pgh_obj", "pgh_id"], name="plants_devi_pgh_obj_5878b6_idx"),
        ),
        migrations.RunSQL(APPEND_ONLY, FORGIVE),
    ]

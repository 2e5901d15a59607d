"""The history of plants, memberships, zones, machines and sensors, kept by triggers; append-only."""

# ruff: noqa: E501 the SQL of the triggers, as pghistory writes it

import uuid

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import pghistory.utils
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import plants.models

COLUMNS = {
    "plant": "id, slug, name, location, timezone, owner_id, created_at",
    "membership": "id, user_id, plant_id, created_at",
    "zone": "id, plant_id, slug, name, kind, position",
    "machine": "id, zone_id, slug, name, type, position",
    "sensor": "id, number, machine_id, slug, name, type, unit, kind, states, decimals, low, high, "
    "expected_interval_s, stale_after_s, duplicate_policy, position, is_active, created_at",
}

# What the first change of what is there already starts from.
BASELINE = "".join(
    f"INSERT INTO plants_{model}event (pgh_label, pgh_created_at, pgh_obj_id, {columns}) "
    f"SELECT 'baseline', clock_timestamp(), id, {columns} FROM plants_{model};\n"
    for model, columns in COLUMNS.items()
)

# See accounts.0002_audit, which made the function.
APPEND_ONLY = "".join(
    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON plants_{model}event "
    "FOR EACH STATEMENT EXECUTE FUNCTION accounts_audit_refuse();\n"
    f"CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON plants_{model}event "
    "FOR EACH STATEMENT EXECUTE FUNCTION accounts_audit_refuse();\n"
    for model in COLUMNS
)
FORGIVE = "".join(
    f"DROP TRIGGER append_only ON plants_{model}event;\nDROP TRIGGER append_only_truncate ON plants_{model}event;\n"
    for model in COLUMNS
)


class Migration(migrations.Migration):
    dependencies = [
        ("plants", "0004_owner_is_member"),
        ("accounts", "0002_audit"),
    ]

    operations = [
        migrations.CreateModel(
            name="MachineEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, serialize=False)),
                (
                    "slug",
                    plants.models.SlugField(
                        max_length=63,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9][a-z0-9_-]{0,62}\\Z",
                                "Use lower-case letters, digits, - and _, beginning with a letter or digit, 63 at most.",
                            )
                        ],
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                ("type", models.CharField(blank=True, help_text="What it is, such as pump or dryer.", max_length=60)),
                ("position", models.PositiveSmallIntegerField(default=0, help_text="Order within the zone.")),
            ],
            options={
                "abstract": False,
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="MembershipEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, serialize=False)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "abstract": False,
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="PlantEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, serialize=False)),
                (
                    "slug",
                    plants.models.SlugField(
                        max_length=63,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9][a-z0-9_-]{0,62}\\Z",
                                "Use lower-case letters, digits, - and _, beginning with a letter or digit, 63 at most.",
                            )
                        ],
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                ("location", models.CharField(blank=True, max_length=120)),
                (
                    "timezone",
                    models.CharField(
                        default="UTC",
                        help_text="Such as Europe/Amsterdam.",
                        max_length=64,
                        validators=[plants.models.validate_timezone],
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "abstract": False,
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="SensorEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, serialize=False)),
                (
                    "number",
                    models.IntegerField(
                        db_default=plants.models.NextSensorNumber(),
                        editable=False,
                        help_text="The short key that readings and live frames carry.",
                    ),
                ),
                (
                    "slug",
                    plants.models.SlugField(
                        max_length=63,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9][a-z0-9_-]{0,62}\\Z",
                                "Use lower-case letters, digits, - and _, beginning with a letter or digit, 63 at most.",
                            )
                        ],
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                (
                    "type",
                    models.CharField(blank=True, help_text="What it measures, such as temperature.", max_length=60),
                ),
                ("unit", models.CharField(blank=True, max_length=20)),
                (
                    "kind",
                    models.CharField(
                        choices=[("gauge", "Gauge"), ("counter", "Counter"), ("state", "State")],
                        default="gauge",
                        max_length=10,
                    ),
                ),
                (
                    "states",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text='Labels by number, for sensors of kind state: {"0": "stopped", "1": "running"}.',
                        validators=[plants.models.validate_states],
                    ),
                ),
                (
                    "decimals",
                    models.PositiveSmallIntegerField(
                        default=1,
                        help_text="Decimals with which values are shown.",
                        validators=[django.core.validators.MaxValueValidator(10)],
                    ),
                ),
                ("low", models.FloatField(blank=True, help_text="The lowest plausible value.", null=True)),
                ("high", models.FloatField(blank=True, help_text="The highest plausible value.", null=True)),
                (
                    "expected_interval_s",
                    models.FloatField(
                        blank=True,
                        help_text="Seconds between readings. Empty: the sensor reports on change.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(0.001)],
                    ),
                ),
                (
                    "stale_after_s",
                    models.FloatField(
                        default=300,
                        help_text="Seconds without a reading after which the value is stale.",
                        validators=[django.core.validators.MinValueValidator(0.001)],
                    ),
                ),
                (
                    "duplicate_policy",
                    models.CharField(
                        choices=[("keep_first", "Keep the first"), ("replace", "Replace by the later")],
                        default="keep_first",
                        help_text="What happens to a second, different value for the same time.",
                        max_length=10,
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=0, help_text="Order within the machine.")),
                (
                    "is_active",
                    models.BooleanField(default=True, help_text="Readings of an inactive sensor are refused."),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "abstract": False,
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="ZoneEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, serialize=False)),
                (
                    "slug",
                    plants.models.SlugField(
                        max_length=63,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9][a-z0-9_-]{0,62}\\Z",
                                "Use lower-case letters, digits, - and _, beginning with a letter or digit, 63 at most.",
                            )
                        ],
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                (
                    "kind",
                    models.CharField(
                        choices=[("area", "Area"), ("line", "Line"), ("cell", "Cell")], default="area", max_length=10
                    ),
                ),
                (
                    "position",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="Order on the plant's page: the process order."
                    ),
                ),
            ],
            options={
                "abstract": False,
                "default_permissions": (),
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="machine",
            trigger=pgtrigger.compiler.Trigger(
                name="created_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "plants_machineevent" ("id", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "slug", "type", "zone_id") VALUES (NEW."id", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'created\', NEW."id", NEW."position", NEW."slug", NEW."type", NEW."zone_id"); RETURN NULL;',
                    hash="239476e17d43b716bba262167771e6312c309f2e",
                    operation="INSERT",
                    pgid="pgtrigger_created_insert_7b78a",
                    table="plants_machine",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="machine",
            trigger=pgtrigger.compiler.Trigger(
                name="updated_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "plants_machineevent" ("id", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "slug", "type", "zone_id") VALUES (NEW."id", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'updated\', NEW."id", NEW."position", NEW."slug", NEW."type", NEW."zone_id"); RETURN NULL;',
                    hash="3bbca80eef9485486256d31180d53b81d4a0c230",
                    operation="UPDATE",
                    pgid="pgtrigger_updated_update_8f35b",
                    table="plants_machine",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="machine",
            trigger=pgtrigger.compiler.Trigger(
                name="deleted_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "plants_machineevent" ("id", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "slug", "type", "zone_id") VALUES (OLD."id", OLD."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'deleted\', OLD."id", OLD."position", OLD."slug", OLD."type", OLD."zone_id"); RETURN NULL;',
                    hash="aa14241d37d5cef64c78d1fa56c71e29518dcc57",
                    operation="DELETE",
                    pgid="pgtrigger_deleted_delete_2bcd8",
                    table="plants_machine",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="created_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "plants_membershipevent" ("created_at", "id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plant_id", "user_id") VALUES (NEW."created_at", NEW."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'created\', NEW."id", NEW."plant_id", NEW."user_id"); RETURN NULL;',
                    hash="6c6985a9c5a71a82a79cd2f7c9925865a59cd0f7",
                    operation="INSERT",
                    pgid="pgtrigger_created_insert_07e04",
                    table="plants_membership",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="updated_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "plants_membershipevent" ("created_at", "id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plant_id", "user_id") VALUES (NEW."created_at", NEW."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'updated\', NEW."id", NEW."plant_id", NEW."user_id"); RETURN NULL;',
                    hash="b07b21ea927abcfc6ea74ad797edb595ee9bbfa2",
                    operation="UPDATE",
                    pgid="pgtrigger_updated_update_a17b1",
                    table="plants_membership",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="deleted_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "plants_membershipevent" ("created_at", "id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plant_id", "user_id") VALUES (OLD."created_at", OLD."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'deleted\', OLD."id", OLD."plant_id", OLD."user_id"); RETURN NULL;',
                    hash="d9fba0f42469fcc984c751dea3af4a43385a7196",
                    operation="DELETE",
                    pgid="pgtrigger_deleted_delete_b7bc5",
                    table="plants_membership",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="plant",
            trigger=pgtrigger.compiler.Trigger(
                name="created_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "plants_plantevent" ("created_at", "id", "location", "name", "owner_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "slug", "timezone") VALUES (NEW."created_at", NEW."id", NEW."location", NEW."name", NEW."owner_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'created\', NEW."id", NEW."slug", NEW."timezone"); RETURN NULL;',
                    hash="c1f2630ec477b7bbfc95a35b260b2672738bd082",
                    operation="INSERT",
                    pgid="pgtrigger_created_insert_f9b0a",
                    table="plants_plant",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="plant",
            trigger=pgtrigger.compiler.Trigger(
                name="updated_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "plants_plantevent" ("created_at", "id", "location", "name", "owner_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "slug", "timezone") VALUES (NEW."created_at", NEW."id", NEW."location", NEW."name", NEW."owner_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'updated\', NEW."id", NEW."slug", NEW."timezone"); RETURN NULL;',
                    hash="60bb9a3164a052e1521608761c1d5d34f96df0e0",
                    operation="UPDATE",
                    pgid="pgtrigger_updated_update_2a7df",
                    table="plants_plant",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="plant",
            trigger=pgtrigger.compiler.Trigger(
                name="deleted_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "plants_plantevent" ("created_at", "id", "location", "name", "owner_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "slug", "timezone") VALUES (OLD."created_at", OLD."id", OLD."location", OLD."name", OLD."owner_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'deleted\', OLD."id", OLD."slug", OLD."timezone"); RETURN NULL;',
                    hash="31aea2d8e852ef647697a0c7fe2b206f7a3d72cf",
                    operation="DELETE",
                    pgid="pgtrigger_deleted_delete_b81a7",
                    table="plants_plant",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="sensor",
            trigger=pgtrigger.compiler.Trigger(
                name="created_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "plants_sensorevent" ("created_at", "decimals", "duplicate_policy", "expected_interval_s", "high", "id", "is_active", "kind", "low", "machine_id", "name", "number", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "slug", "stale_after_s", "states", "type", "unit") VALUES (NEW."created_at", NEW."decimals", NEW."duplicate_policy", NEW."expected_interval_s", NEW."high", NEW."id", NEW."is_active", NEW."kind", NEW."low", NEW."machine_id", NEW."name", NEW."number", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'created\', NEW."id", NEW."position", NEW."slug", NEW."stale_after_s", NEW."states", NEW."type", NEW."unit"); RETURN NULL;',
                    hash="0ffcf35987ede16aac6c44fe44c087232c06dd9b",
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
                    func='INSERT INTO "plants_sensorevent" ("created_at", "decimals", "duplicate_policy", "expected_interval_s", "high", "id", "is_active", "kind", "low", "machine_id", "name", "number", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "slug", "stale_after_s", "states", "type", "unit") VALUES (NEW."created_at", NEW."decimals", NEW."duplicate_policy", NEW."expected_interval_s", NEW."high", NEW."id", NEW."is_active", NEW."kind", NEW."low", NEW."machine_id", NEW."name", NEW."number", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'updated\', NEW."id", NEW."position", NEW."slug", NEW."stale_after_s", NEW."states", NEW."type", NEW."unit"); RETURN NULL;',
                    hash="28cb9e8013c302fa2bf158f58db1ebfd7be91e54",
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
                    func='INSERT INTO "plants_sensorevent" ("created_at", "decimals", "duplicate_policy", "expected_interval_s", "high", "id", "is_active", "kind", "low", "machine_id", "name", "number", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "slug", "stale_after_s", "states", "type", "unit") VALUES (OLD."created_at", OLD."decimals", OLD."duplicate_policy", OLD."expected_interval_s", OLD."high", OLD."id", OLD."is_active", OLD."kind", OLD."low", OLD."machine_id", OLD."name", OLD."number", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'deleted\', OLD."id", OLD."position", OLD."slug", OLD."stale_after_s", OLD."states", OLD."type", OLD."unit"); RETURN NULL;',
                    hash="6b1e3e812951e9af7664ae485ae3cd3f0ff3f695",
                    operation="DELETE",
                    pgid="pgtrigger_deleted_delete_3a728",
                    table="plants_sensor",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="zone",
            trigger=pgtrigger.compiler.Trigger(
                name="created_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "plants_zoneevent" ("id", "kind", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plant_id", "position", "slug") VALUES (NEW."id", NEW."kind", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'created\', NEW."id", NEW."plant_id", NEW."position", NEW."slug"); RETURN NULL;',
                    hash="7414a2e9206f322d55a6ab5cde26902f05ff1cb5",
                    operation="INSERT",
                    pgid="pgtrigger_created_insert_1a3a5",
                    table="plants_zone",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="zone",
            trigger=pgtrigger.compiler.Trigger(
                name="updated_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "plants_zoneevent" ("id", "kind", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plant_id", "position", "slug") VALUES (NEW."id", NEW."kind", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'updated\', NEW."id", NEW."plant_id", NEW."position", NEW."slug"); RETURN NULL;',
                    hash="d36fe351f4f6c9d892f53b76fe90f49b64cf42e4",
                    operation="UPDATE",
                    pgid="pgtrigger_updated_update_11a6f",
                    table="plants_zone",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="zone",
            trigger=pgtrigger.compiler.Trigger(
                name="deleted_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "plants_zoneevent" ("id", "kind", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plant_id", "position", "slug") VALUES (OLD."id", OLD."kind", OLD."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, CLOCK_TIMESTAMP(), \'deleted\', OLD."id", OLD."plant_id", OLD."position", OLD."slug"); RETURN NULL;',
                    hash="e9f98079b18ec290654d1eebfb21e11a9d132013",
                    operation="DELETE",
                    pgid="pgtrigger_deleted_delete_4663a",
                    table="plants_zone",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="machineevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="plants.machine",
            ),
        ),
        migrations.AddField(
            model_name="machineevent",
            name="zone",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="plants.zone",
            ),
        ),
        migrations.AddField(
            model_name="membershipevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="plants.membership",
            ),
        ),
        migrations.AddField(
            model_name="membershipevent",
            name="plant",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="plants.plant",
            ),
        ),
        migrations.AddField(
            model_name="membershipevent",
            name="user",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="plantevent",
            name="owner",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="plantevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="plants.plant"
            ),
        ),
        migrations.AddField(
            model_name="sensorevent",
            name="machine",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="plants.machine",
            ),
        ),
        migrations.AddField(
            model_name="sensorevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="plants.sensor",
            ),
        ),
        migrations.AddField(
            model_name="zoneevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="plants.zone"
            ),
        ),
        migrations.AddField(
            model_name="zoneevent",
            name="plant",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="plants.plant",
            ),
        ),
        migrations.AddIndex(
            model_name="machineevent",
            index=models.Index(fields=["pgh_created_at"], name="plants_mach_pgh_cre_cabe1c_idx"),
        ),
        migrations.AddIndex(
            model_name="membershipevent",
            index=models.Index(fields=["pgh_created_at"], name="plants_memb_pgh_cre_1ee9f5_idx"),
        ),
        migrations.AddIndex(
            model_name="plantevent",
            index=models.Index(fields=["pgh_created_at"], name="plants_plan_pgh_cre_c8137a_idx"),
        ),
        migrations.AddIndex(
            model_name="sensorevent",
            index=models.Index(fields=["pgh_created_at"], name="plants_sens_pgh_cre_b5d947_idx"),
        ),
        migrations.AddIndex(
            model_name="zoneevent",
            index=models.Index(fields=["pgh_created_at"], name="plants_zone_pgh_cre_6e7e5f_idx"),
        ),
        migrations.RunSQL(BASELINE, migrations.RunSQL.noop),
        migrations.RunSQL(APPEND_ONLY, FORGIVE),
    ]

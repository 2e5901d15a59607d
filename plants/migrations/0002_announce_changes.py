"""Tells listeners when the directory of sensors changed, whoever changed it: page, API, admin, bulk or SQL."""

from django.db import migrations

TABLES = ("plants_plant", "plants_zone", "plants_machine", "plants_sensor")

ANNOUNCE = """
CREATE FUNCTION plants_announce_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY plants_changed;  -- once a transaction, however many statements: PostgreSQL folds equal ones
    RETURN NULL;
END $$;
""" + "".join(
    f"CREATE TRIGGER announce_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION plants_announce_change();\n"
    for table in TABLES
)

SILENCE = "".join(f"DROP TRIGGER announce_change ON {table};\n" for table in TABLES) + "DROP FUNCTION plants_announce_change();"


class Migration(migrations.Migration):
    dependencies = [("plants", "0001_plants")]

    operations = [migrations.RunSQL(ANNOUNCE, SILENCE)]

"""What the database does by itself, whoever writes: versions of rules, an append-only journal, word of changes."""

from django.db import migrations

VERSIONS = """
CREATE FUNCTION alarms_count_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version = OLD.version;
    NEW.updated_at = OLD.updated_at;
    IF NEW IS DISTINCT FROM OLD THEN
        NEW.version = OLD.version + 1;
        NEW.updated_at = statement_timestamp();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER count_version BEFORE UPDATE ON alarms_rule
    FOR EACH ROW EXECUTE FUNCTION alarms_count_version();

CREATE FUNCTION alarms_keep_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO alarms_ruleversion (rule_id, number, definition)
    VALUES (NEW.id, NEW.version, to_jsonb(NEW) - 'version' - 'updated_at') ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_version AFTER INSERT OR UPDATE ON alarms_rule
    FOR EACH ROW EXECUTE FUNCTION alarms_keep_version();
"""
FORGET_VERSIONS = """
DROP TRIGGER count_version ON alarms_rule;
DROP TRIGGER keep_version ON alarms_rule;
DROP FUNCTION alarms_count_version();
DROP FUNCTION alarms_keep_version();
"""

# See accounts.0002_audit, which made the function.
JOURNALS = ("alarms_ruleevent", "alarms_ruleversion", "alarms_alarmevent")
APPEND_ONLY = "".join(
    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION accounts_audit_refuse();\n"
    f"CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION accounts_audit_refuse();\n"
    for table in JOURNALS
)
FORGIVE = "".join(
    f"DROP TRIGGER append_only ON {table};\nDROP TRIGGER append_only_truncate ON {table};\n" for table in JOURNALS
)

# What rules may be about, and what is said with their alarms.
WATCHED = ("alarms_rule", "plants_plant", "plants_zone", "plants_machine", "plants_sensor")
CHANGES = """
CREATE FUNCTION alarms_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Once a transaction, however many statements.
    IF current_setting('alarms.rules_change', true) IS DISTINCT FROM txid_current()::text THEN
        PERFORM set_config('alarms.rules_change', txid_current()::text, true);
        INSERT INTO rules_change DEFAULT VALUES;
    END IF;
    RETURN NULL;
END $$;
""" + "".join(
    f"CREATE TRIGGER note_rules_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION alarms_note_change();\n"
    for table in WATCHED
)
IGNORE_CHANGES = (
    "".join(f"DROP TRIGGER note_rules_change ON {table};\n" for table in WATCHED)
    + "DROP FUNCTION alarms_note_change();"
)


class Migration(migrations.Migration):
    dependencies = [
        ("alarms", "0001_alarms"),
        ("accounts", "0002_audit"),
    ]

    operations = [
        migrations.RunSQL(VERSIONS, FORGET_VERSIONS),
        migrations.RunSQL(APPEND_ONLY, FORGIVE),
        migrations.RunSQL(CHANGES, IGNORE_CHANGES),
    ]

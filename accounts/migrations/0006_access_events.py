"""Writes a security event when a role changes, a user is deactivated, or access ends otherwise, whoever makes it so.

By a trigger, as the end of access itself (0003): no door can forget it, and bulk and SQL count. A changed password
is in the history of users already (0002).
"""

from django.db import migrations

NOTE_ACCESS = """
CREATE FUNCTION accounts_note_access() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    context jsonb := NULLIF(current_setting('pghistory.context_metadata', true), '')::jsonb;
BEGIN
    IF NEW.role <> OLD.role THEN
        INSERT INTO accounts_securityevent (kind, user_id, email, detail, context)
        VALUES ('role_changed', NEW.id, '', OLD.role || ' → ' || NEW.role, context);
    END IF;
    IF OLD.is_active AND NOT NEW.is_active THEN
        INSERT INTO accounts_securityevent (kind, user_id, email, detail, context)
        VALUES ('deactivated', NEW.id, '', '', context);
    END IF;
    IF NEW.token_version > OLD.token_version
        AND (NEW.password, NEW.role, NEW.is_active) IS NOT DISTINCT FROM (OLD.password, OLD.role, OLD.is_active)
    THEN
        INSERT INTO accounts_securityevent (kind, user_id, email, detail, context)
        VALUES ('tokens_revoked', NEW.id, '', 'all sessions and tokens', context);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER note_access AFTER UPDATE ON accounts_user FOR EACH ROW EXECUTE FUNCTION accounts_note_access();
"""

DO_NOT = "DROP TRIGGER note_access ON accounts_user; DROP FUNCTION accounts_note_access();"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_audit_by_object")]

    operations = [migrations.RunSQL(NOTE_ACCESS, DO_NOT)]

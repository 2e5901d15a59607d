"""Ends a user's access with any change of password, role or activity, whoever makes it: page, API, admin, bulk or SQL.

All access (tokens, sessions, sockets) is given under the user's `token_version` and over once that is raised. It also
never goes back: an object that was read before a revocation and is saved after it must not undo it.
"""

from django.db import migrations, models

END_ACCESS = """
CREATE FUNCTION accounts_end_access() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.password, NEW.role, NEW.is_active) IS DISTINCT FROM (OLD.password, OLD.role, OLD.is_active) THEN
        NEW.token_version := GREATEST(NEW.token_version, OLD.token_version + 1);
    ELSE
        NEW.token_version := GREATEST(NEW.token_version, OLD.token_version);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER end_access BEFORE UPDATE ON accounts_user
FOR EACH ROW EXECUTE FUNCTION accounts_end_access();
"""

KEEP_ACCESS = "DROP TRIGGER end_access ON accounts_user; DROP FUNCTION accounts_end_access();"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_audit")]

    operations = [
        migrations.RunSQL(END_ACCESS, KEEP_ACCESS),
        migrations.AlterField(
            model_name="user",
            name="token_version",
            field=models.PositiveIntegerField(
                default=0,
                editable=False,
                help_text="Access given under an older version is over. The database raises it with any change of "
                "password, role or activity, whoever makes it.",
            ),
        ),
    ]

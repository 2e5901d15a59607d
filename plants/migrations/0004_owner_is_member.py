"""Makes whoever becomes a plant's owner a member of it: membership alone says who sees a plant."""

from django.db import migrations

ADMIT_OWNERS = """
CREATE FUNCTION plants_admit_owner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO plants_membership (id, user_id, plant_id, created_at)
    VALUES (gen_random_uuid(), NEW.owner_id, NEW.id, now())
    ON CONFLICT (user_id, plant_id) DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER admit_owner AFTER INSERT OR UPDATE OF owner_id ON plants_plant
    FOR EACH ROW WHEN (NEW.owner_id IS NOT NULL) EXECUTE FUNCTION plants_admit_owner();
INSERT INTO plants_membership (id, user_id, plant_id, created_at)
    SELECT gen_random_uuid(), owner_id, id, now() FROM plants_plant WHERE owner_id IS NOT NULL
    ON CONFLICT (user_id, plant_id) DO NOTHING;
"""
DO_NOT = """
DROP TRIGGER admit_owner ON plants_plant;
DROP FUNCTION plants_admit_owner();
"""


class Migration(migrations.Migration):
    dependencies = [("plants", "0003_membership_uuid")]

    operations = [migrations.RunSQL(ADMIT_OWNERS, DO_NOT)]

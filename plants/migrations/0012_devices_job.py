"""Defers a job whenever what the broker should know of devices changes, whoever changes it: API, admin, bulk or SQL.

In the transaction of the change, so that there is one without the other never. (TRUNCATE is left to the job's minute.)
"""

from django.db import migrations

DEFER = """
CREATE FUNCTION plants_defer_devices_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Once a transaction, however many rows. No queueing lock: it would keep one transaction waiting for another,
    -- and a job that runs already might not see this change.
    IF current_setting('plants.devices_job', true) IS DISTINCT FROM txid_current()::text THEN
        PERFORM set_config('plants.devices_job', txid_current()::text, true);
        INSERT INTO procrastinate_jobs (queue_name, task_name, lock) VALUES ('default', 'devices', 'devices');
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER devices_job AFTER INSERT OR DELETE ON plants_device
    FOR EACH ROW EXECUTE FUNCTION plants_defer_devices_job();
CREATE TRIGGER devices_job_update AFTER UPDATE ON plants_device
    FOR EACH ROW WHEN (
        (OLD.id, OLD.plant_id, OLD.name, OLD.prefix, OLD.generation, OLD.secret_hash,
         OLD.previous_secret_hash, OLD.previous_valid_until, OLD.revoked_at) IS DISTINCT FROM
        (NEW.id, NEW.plant_id, NEW.name, NEW.prefix, NEW.generation, NEW.secret_hash,
         NEW.previous_secret_hash, NEW.previous_valid_until, NEW.revoked_at)
    ) EXECUTE FUNCTION plants_defer_devices_job();
CREATE TRIGGER devices_job AFTER UPDATE ON plants_plant
    FOR EACH ROW WHEN (OLD.slug IS DISTINCT FROM NEW.slug) EXECUTE FUNCTION plants_defer_devices_job();
"""

FORGET = """
DROP TRIGGER devices_job ON plants_device;
DROP TRIGGER devices_job_update ON plants_device;
DROP TRIGGER devices_job ON plants_plant;
DROP FUNCTION plants_defer_devices_job();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("plants", "0011_device_broker_digest"),
        ("procrastinate", "0041_post_retry_failed_job"),
    ]

    operations = [migrations.RunSQL(DEFER, FORGET)]

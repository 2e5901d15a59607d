"""Whether a device is connected, by its own word."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("plants", "0012_devices_job")]

    operations = [
        migrations.AddField(
            model_name="device",
            name="is_online",
            field=models.BooleanField(editable=False, null=True),
        ),
    ]

"""What the broker has of a device, as the last sync left it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("plants", "0010_on_unknown")]

    operations = [
        migrations.AddField(
            model_name="device",
            name="broker_digest",
            field=models.CharField(blank=True, editable=False, max_length=64),
        ),
    ]

"""The number of a device's secret, which is in its user name."""

import django.core.validators
from django.db import migrations, models

import plants.models


class Migration(migrations.Migration):
    dependencies = [("plants", "0008_device")]

    operations = [
        migrations.AddField(
            model_name="device",
            name="generation",
            field=models.PositiveIntegerField(default=1, editable=False),
        ),
    ]

"""Serves the history of one object, and what a change started from, by one index in the order of events."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_token_family"),
    ]

    operations = [
        migrations.AlterField(
            model_name="userevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="userevent",
            index=models.Index(fields=["pgh_obj", "pgh_id"], name="accounts_us_pgh_obj_8cc1db_idx"),
        ),
    ]

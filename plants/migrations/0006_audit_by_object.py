"""Serves the history of one object, and what a change started from, by one index in the order of events."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("plants", "0005_audit"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="machineevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="plants.machine",
            ),
        ),
        migrations.AlterField(
            model_name="membershipevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="plants.membership",
            ),
        ),
        migrations.AlterField(
            model_name="plantevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="plants.plant",
            ),
        ),
        migrations.AlterField(
            model_name="sensorevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="plants.sensor",
            ),
        ),
        migrations.AlterField(
            model_name="zoneevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="plants.zone",
            ),
        ),
        migrations.AddIndex(
            model_name="machineevent",
            index=models.Index(fields=["pgh_obj", "pgh_id"], name="plants_mach_pgh_obj_d05c30_idx"),
        ),
        migrations.AddIndex(
            model_name="membershipevent",
            index=models.Index(fields=["pgh_obj", "pgh_id"], name="plants_memb_pgh_obj_4eb9f7_idx"),
        ),
        migrations.AddIndex(
            model_name="plantevent",
            index=models.Index(fields=["pgh_obj", "pgh_id"], name="plants_plan_pgh_obj_2e6760_idx"),
        ),
        migrations.AddIndex(
            model_name="sensorevent",
            index=models.Index(fields=["pgh_obj", "pgh_id"], name="plants_sens_pgh_obj_c12832_idx"),
        ),
        migrations.AddIndex(
            model_name="zoneevent",
            index=models.Index(fields=["pgh_obj", "pgh_id"], name="plants_zone_pgh_obj_ddce8b_idx"),
        ),
    ]

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_access_ends_with_change")]

    operations = [
        migrations.CreateModel(
            name="TokenFamily",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("token_version", models.PositiveIntegerField(help_text="The user's, when they signed in.")),
                (
                    "refresh_id",
                    models.UUIDField(default=uuid.uuid4, help_text="The `jti` of the one refresh token that is good."),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "last_used_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, help_text="When the refresh token was last exchanged."
                    ),
                ),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "address",
                    models.GenericIPAddressField(blank=True, help_text="Where the sign-in came from.", null=True),
                ),
                ("user_agent", models.CharField(blank=True, max_length=200)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="token_families",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"verbose_name_plural": "token families", "ordering": ["-created_at"]},
        ),
    ]

"""Who may sign in: people with one role each."""

import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.timezone import now

from accounts.history import keep_history
from accounts.security_events import SecurityEvent  # noqa: F401 Django looks for models here


class Role(models.TextChoices):
    ADMIN = "admin", "Admin"  # everything
    OPERATOR = "operator", "Operator"  # sees and operates the plants they are a member of
    VIEWER = "viewer", "Viewer"  # reads the plants they are a member of


# What an operator may do in the admin, within their plants; the plants' own QuerySets say which rows.
OPERATOR_PERMISSIONS = frozenset(
    f"plants.{action}_{model}"
    for model, actions in {
        "plant": ("view", "change"),
        "zone": ("view", "add", "change", "delete"),
        "machine": ("view", "add", "change", "delete"),
        "sensor": ("view", "add", "change", "delete"),
    }.items()
    for action in actions
)


class LowerCaseEmailField(models.EmailField):
    """An email address that is stored, compared and looked up in lower case."""

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return value.strip().lower() if isinstance(value, str) else value


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A new user; the password is hashed, no password means they cannot sign in."""
        if not email:
            raise ValueError("A user needs an email address.")
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """An admin; called by `manage.py createsuperuser`."""
        return self.create_user(email, password, **{"role": Role.ADMIN, **fields})


@keep_history(exclude=("password", "last_login", "token_version"), secret="password")
class User(AbstractBaseUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = LowerCaseEmailField(
        max_length=254, unique=True, error_messages={"unique": "A user with this email exists."}
    )
    name = models.CharField(max_length=150, blank=True)
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)
    is_active = models.BooleanField(
        default=True, help_text="An inactive user cannot sign in, and their tokens and sockets end."
    )
    created_at = models.DateTimeField(default=now, editable=False)
    token_version = models.PositiveIntegerField(
        default=0, editable=False, help_text="Tokens that carry an older version are refused."
    )

    objects = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering = ["email"]
        constraints = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_lower_case"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="user_role_known"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.name or self.email

    @property
    def is_admin(self) -> bool:
        return self.is_active and self.role == Role.ADMIN

    @property
    def may_operate(self) -> bool:
        """Whether the role allows writing within the plants that the user sees."""
        return self.is_active and self.role in (Role.ADMIN, Role.OPERATOR)

    def revoke_tokens(self) -> None:
        """Ends every token that was issued to the user until now."""
        User.objects.filter(pk=self.pk).update(token_version=models.F("token_version") + 1)
        self.refresh_from_db(fields=["token_version"])

    # What the Django admin asks. Roles are the only source of permissions: no groups, no per-user grants.
    @property
    def is_staff(self) -> bool:
        return self.may_operate

    @property
    def is_superuser(self) -> bool:
        return self.is_admin

    def has_perm(self, perm: str, obj: models.Model | None = None) -> bool:
        return self.is_admin or (self.may_operate and perm in OPERATOR_PERMISSIONS)

    def has_perms(self, perm_list: list[str], obj: models.Model | None = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        prefix = f"{app_label}."
        return self.is_admin or (self.may_operate and any(p.startswith(prefix) for p in OPERATOR_PERMISSIONS))

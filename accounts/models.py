"""Who may sign in: people with one role each."""

import uuid
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac
from django.utils.timezone import now

from accounts.history import keep_history
from accounts.security_events import SecurityEvent  # noqa: F401 Django looks for models here

USER_AGENT_CHARACTERS = 200  # enough to tell one's own programs apart


class Role(models.TextChoices):
    ADMIN = "admin", "Admin"  # everything
    OPERATOR = "operator", "Operator"  # sees and operates the plants they are a member of
    VIEWER = "viewer", "Viewer"  # reads the plants they are a member of


# What an operator may do in the admin, within their plants; the plants' own QuerySets say which rows.
OPERATOR_PERMISSIONS = frozenset(
    f"{app}.{action}_{model}"
    for (app, model), actions in {
        ("plants", "plant"): ("view", "change"),
        ("plants", "zone"): ("view", "add", "change", "delete"),
        ("plants", "machine"): ("view", "add", "change", "delete"),
        ("plants", "sensor"): ("view", "add", "change", "delete"),
        ("alarms", "rule"): ("view", "add", "change", "delete"),
        ("alarms", "alarm"): ("view",),
        ("alarms", "notificationchannel"): ("view", "add", "change", "delete"),
        ("alarms", "notificationpolicy"): ("view", "add", "change", "delete"),
        ("alarms", "notificationstep"): ("view", "add", "change", "delete"),
        ("alarms", "delivery"): ("view",),
        ("alarms", "decision"): ("view",),
    }.items()
    for action in actions
)


class LowerCaseEmailField(models.EmailField):
    """An email address that is stored, compared and looked up in lower case."""

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return value.strip().lower() if isinstance(value, str) else value


class UserQuerySet(models.QuerySet["User"]):
    def end_access(self) -> int:
        """Ends all that the users are signed in with, see `User.end_access`; gives how many users there were."""
        return self.update(token_version=models.F("token_version") + 1)


class UserManager(BaseUserManager.from_queryset(UserQuerySet)["User"]):  # type: ignore[misc]
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
        default=0,
        editable=False,
        help_text="Access given under an older version is over. The database raises it with any change of password, "
        "role or activity, whoever makes it.",
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

    def end_access(self) -> None:
        """Ends all that the user is signed in with: tokens and browser sessions now, sockets within seconds.

        A change of password, role or activity does so by itself.
        """
        User.objects.filter(pk=self.pk).end_access()
        self.refresh_from_db(fields=["token_version"])

    def set_password(self, raw_password: str | None) -> None:
        """As Django's; counts up what the database will count up, so that a session begun with this object holds."""
        super().set_password(raw_password)
        self.token_version += 1

    def change_password(self, raw_password: str) -> None:
        """A new password, which ends all access that was given under the old one."""
        self.set_password(raw_password)
        self.save(update_fields=["password"])
        self.refresh_from_db(fields=["token_version"])

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What ties a browser session to the password and the version; Django's public methods all come here."""
        value = f"{self.token_version}:{self.password}"
        return salted_hmac("accounts.User.session", value, secret=secret, algorithm="sha256").hexdigest()

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


class TokenFamilyQuerySet(models.QuerySet["TokenFamily"]):
    def live(self) -> Self:
        """Those whose tokens count: not over themselves, of an active user whose access has not ended since.

        The user is asked in a subquery and not in a join: an UPDATE then checks all else again on the row that
        it had to wait for, which a join would turn into a look at the row as it was before.
        """
        users = User.objects.filter(
            pk=models.OuterRef("user_id"), is_active=True, token_version=models.OuterRef("token_version")
        )
        return self.filter(models.Exists(users), revoked_at=None, expires_at__gt=now())

    def expired(self) -> Self:
        """Those that are kept for nothing: no token of theirs could come any more."""
        return self.filter(expires_at__lte=now())

    def revoke(self) -> int:
        """Ends the families that have not ended yet; gives how many."""
        return self.filter(revoked_at=None).update(revoked_at=now())


def refresh_lifetime() -> timedelta:
    return timedelta(days=settings.REFRESH_TOKEN_DAYS)


class TokenFamily(models.Model):
    """One sign-in of a program: the refresh token that is good now, and the access tokens that name the family."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="token_families")
    token_version = models.PositiveIntegerField(help_text="The user's, when they signed in.")
    refresh_id = models.UUIDField(default=uuid.uuid4, help_text="The `jti` of the one refresh token that is good.")
    created_at = models.DateTimeField(default=now)
    last_used_at = models.DateTimeField(default=now, help_text="When the refresh token was last exchanged.")
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True, help_text="Where the sign-in came from.")
    user_agent = models.CharField(max_length=USER_AGENT_CHARACTERS, blank=True)

    objects = TokenFamilyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "token families"

    def __str__(self) -> str:
        return f"{self.user}, {self.created_at:%Y-%m-%d %H:%M}"

    @classmethod
    def begin(cls, user: User, address: str | None, user_agent: str) -> "TokenFamily":
        """A sign-in, good until it is not used for REFRESH_TOKEN_DAYS; clears away the user's expired ones."""
        user.token_families.expired().delete()
        return cls.objects.create(
            user=user,
            token_version=user.token_version,
            expires_at=now() + refresh_lifetime(),
            address=address,
            user_agent=user_agent.replace("\0", "")[:USER_AGENT_CHARACTERS],
        )

    def revoke(self) -> None:
        """Ends the sign-in: its access tokens, its refresh token, and its sockets within seconds."""
        TokenFamily.objects.filter(pk=self.pk).revoke()

    def rotate(self) -> bool:
        """Makes another refresh token the good one; False if somebody else did so first, or the family is over."""
        moment = now()
        refresh_id, expires_at = uuid.uuid4(), moment + refresh_lifetime()
        good = TokenFamily.objects.live().filter(pk=self.pk, refresh_id=self.refresh_id)
        if good.update(refresh_id=refresh_id, last_used_at=moment, expires_at=expires_at) != 1:
            return False
        self.refresh_id, self.last_used_at, self.expires_at = refresh_id, moment, expires_at
        return True

"""`/users/`: who may sign in, and as what; for admins."""

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as ModelError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import ModelViewSet

from accounts.api.saving import save_or_explain
from accounts.api.serializers import LONGEST_PASSWORD
from accounts.last_admin import AdminNeededError, keep_an_admin
from accounts.models import Role, User
from accounts.permissions import AdminsOnly


class UserDetailsSerializer(serializers.ModelSerializer[User]):
    """A user as admins see them. The password is written, never read; a change of it ends the user's sessions."""

    password = serializers.CharField(
        write_only=True, trim_whitespace=False, max_length=LONGEST_PASSWORD, style={"input_type": "password"}
    )

    class Meta:
        model = User
        fields = ("id", "email", "name", "role", "is_active", "password", "created_at", "last_login")
        read_only_fields = ("created_at", "last_login")

    def validate_email(self, email: str) -> str:
        return email.lower()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "password" in attrs:
            known = {name: attrs.get(name, getattr(self.instance, name, "")) for name in ("email", "name")}
            try:
                validate_password(attrs["password"], User(**known))
            except ModelError as error:
                raise ValidationError({"password": error.messages}) from None
        return attrs

    def create(self, validated_data: dict[str, Any]) -> User:
        return User.objects.create_user(**validated_data)

    def update(self, instance: User, validated_data: dict[str, Any]) -> User:
        """Writes only what was sent: two admins who change different fields at once both succeed."""
        password = validated_data.pop("password", None)
        for name, value in validated_data.items():
            setattr(instance, name, value)
        changed = list(validated_data)
        if password is not None:
            instance.set_password(password)
            changed.append("password")
        if changed:
            instance.save(update_fields=changed)
        return instance


class StillNeededError(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "protected"
    default_detail = "This user owns plants: name other owners first, or deactivate the user."


@extend_schema_view(
    destroy=extend_schema(description="Owners of plants cannot be deleted (409): deactivate them (`is_active`).")
)
class UserViewSet(ModelViewSet[User]):
    """Users, their roles and passwords. Changing role, activity or password ends what the user is signed in with."""

    http_method_names = ["get", "post", "patch", "delete", "head", "options"]  # no PUT: passwords aren't read back
    permission_classes = [AdminsOnly]
    queryset = User.objects.all()
    serializer_class = UserDetailsSerializer
    filterset_fields = ("email", "role", "is_active")
    search_fields = ("email", "name")
    ordering_fields = ("email", "name", "role", "is_active", "created_at", "last_login")

    def perform_create(self, serializer: BaseSerializer[User]) -> None:
        save_or_explain(serializer)

    def perform_update(self, serializer: BaseSerializer[User]) -> None:
        assert serializer.instance is not None
        changes = serializer.validated_data
        stays = changes.get("role", Role.ADMIN) == Role.ADMIN and changes.get("is_active", True)
        with transaction.atomic():
            self._lock(serializer.instance, stays_admin=stays)
            save_or_explain(serializer)

    def perform_destroy(self, instance: User) -> None:
        try:
            with transaction.atomic():
                self._lock(instance, stays_admin=False)
                instance.delete()
        except (ProtectedError, IntegrityError):  # the latter when the user became an owner this moment
            raise StillNeededError from None

    def _lock(self, user: User, *, stays_admin: bool) -> None:
        """Holds the row until the transaction ends; refuses to take the last admin's or one's own access."""
        if not stays_admin:
            try:
                keep_an_admin([user.pk], by=self.request.user.pk)
            except AdminNeededError as error:
                raise ValidationError(str(error), code="admin_needed") from None
        if not User.objects.select_for_update().filter(pk=user.pk).exists():
            raise NotFound

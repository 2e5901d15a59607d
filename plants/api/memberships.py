"""`/memberships/`: who sees which plant; for admins, and for owners within their plants."""

from typing import Any

from django.core.exceptions import ValidationError as ModelError
from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from accounts.api.saving import save_or_explain
from accounts.models import User
from plants.api.fields import OwnPlantField
from plants.api.filters import ParentFilter
from plants.models import OWNER_STAYS, Membership, Plant

UNKNOWN_EMAIL = "No active user has this email address."
ONE_NAME = "Name the user either by id or by email."


class ChoosesMembers(BasePermission):
    """Admins, and whoever owns a plant; which memberships those are is said by `visible_to`."""

    message = "Only admins and owners of plants may do this."

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        return user.is_superuser or (user.is_authenticated and Plant.objects.owned_by(user).exists())


class MemberSerializer(serializers.ModelSerializer[User]):
    """As much of a member as an owner must know to choose among them."""

    class Meta:
        model = User
        fields = ("id", "email", "name", "role")


class MembershipSerializer(serializers.ModelSerializer[Membership]):
    """That a user belongs to a plant: it exists for them."""

    user = MemberSerializer()

    class Meta:
        model = Membership
        fields = ("id", "plant", "user", "created_at")


class KnownUserField(serializers.PrimaryKeyRelatedField):
    """A user by id: anyone for an admin; members of their plants for an owner, who adds others by email."""

    def get_queryset(self) -> QuerySet[User]:
        user = self.context["request"].user
        if user.is_superuser:
            return User.objects.all()
        return User.objects.filter(plants__in=Plant.objects.owned_by(user)).distinct()


class NewMembershipSerializer(serializers.ModelSerializer[Membership]):
    """The user is named by `user` or by `email`; an owner knows the ids of the members of their plants only."""

    plant = OwnPlantField(chooses="members")
    user = KnownUserField(required=False)
    email = serializers.EmailField(write_only=True, required=False)

    class Meta:
        model = Membership
        fields = ("plant", "user", "email")
        validators: list[Any] = []  # the database's, in `validate`

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        email = attrs.pop("email", None)
        if (email is None) == ("user" not in attrs):
            raise ValidationError({"user": ONE_NAME}, code="one_name")
        if email is not None:
            # Who adds a person has to learn whether the address is right; that one is inactive is nobody's business.
            found = User.objects.filter(email=email, is_active=True).first()
            if found is None:
                raise ValidationError({"email": UNKNOWN_EMAIL}, code="does_not_exist")
            attrs["user"] = found
        try:
            Membership(**attrs).validate_constraints()
        except ModelError as error:
            raise ValidationError({"user": error.messages}, code="unique") from None
        return attrs

    def to_representation(self, instance: Membership) -> dict[str, Any]:
        return MembershipSerializer(instance, context=self.context).data


class MembershipFilter(filters.FilterSet):
    plant = ParentFilter(Plant, "plant")
    user = filters.UUIDFilter(field_name="user_id")  # a filter of choices would tell which users there are


@extend_schema_view(create=extend_schema(request=NewMembershipSerializer, responses={201: MembershipSerializer}))
class MembershipViewSet(
    mixins.CreateModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    mixins.ListModelMixin,
    GenericViewSet[Membership],
):
    """Members of plants. Made and ended, never changed."""

    permission_classes = [ChoosesMembers]
    queryset = Membership.objects.select_related("user", "plant").order_by("plant__name", "user__email")
    serializer_class = MembershipSerializer
    filterset_class = MembershipFilter
    search_fields = ("user__email", "user__name", "plant__slug", "plant__name")
    ordering_fields = ("created_at",)

    def get_queryset(self) -> QuerySet[Membership]:
        rows: Any = super().get_queryset()
        return rows.visible_to(self.request.user)

    def get_serializer_class(self) -> type[BaseSerializer[Membership]]:
        return NewMembershipSerializer if self.request.method == "POST" else MembershipSerializer

    def perform_create(self, serializer: BaseSerializer[Membership]) -> None:
        save_or_explain(serializer)

    def perform_destroy(self, instance: Membership) -> None:
        if instance.plant.owner_id == instance.user_id:
            raise ValidationError(OWNER_STAYS, code="owner")
        instance.delete()

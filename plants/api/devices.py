"""`/devices/`: credentials of what sends readings; for admins, and for owners within their plants."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError as ModelError
from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from accounts.api.saving import save_or_explain
from plants.api.fields import OwnPlantField
from plants.api.filters import ParentFilter
from plants.api.memberships import ChoosesMembers
from plants.broker import BrokerState, state_of
from plants.models import Plant
from plants.models.devices import Device, RevokedError

NOT_STORED = {"Cache-Control": "no-store"}

DEVICE = {
    "id": "b7a1c9c2-52f5-4f0c-8d55-2d7a1f3f9a10",
    "plant": "2f9f4d0e-3a8b-4f0e-9a57-6f1f2d9c0b11",
    "name": "gateway-1",
    "prefix": "rolling",
    "username": "kandy/gateway-1",
    "broker_state": "in_sync",
    "previous_valid_until": None,
    "revoked_at": None,
    "last_seen": None,
    "is_online": None,
    "created_at": "2026-11-24T14:31:22.125000Z",
}
EXAMPLES = [
    OpenApiExample(
        "A gateway of one zone",
        {"plant": DEVICE["plant"], "name": "gateway-1", "prefix": "rolling"},
        request_only=True,
    ),
    OpenApiExample(
        "Its secret, shown once",
        DEVICE | {"secret": "pQ3x0mB2rJ6vK9sT1uW4yZ7aC8dE5fG-hI_jL0nOqRs"},
        response_only=True,
    ),
]


FIELDS = (
    "id",
    "plant",
    "name",
    "prefix",
    "username",
    "broker_state",
    "previous_valid_until",
    "revoked_at",
    "last_seen",
    "is_online",
    "created_at",
)


class DeviceSerializer(serializers.ModelSerializer[Device]):
    """What connects to send readings, for a part of a plant."""

    username = serializers.CharField(
        read_only=True, help_text="What goes with its secret: another one after each rotation."
    )
    broker_state = serializers.SerializerMethodField(
        help_text="Whether the broker knows it as it is here. `not_managed`: its accounts are not InQube's to keep."
    )

    class Meta:
        model = Device
        fields: tuple[str, ...] = FIELDS
        read_only_fields: tuple[str, ...] = FIELDS
        extra_kwargs = {
            "is_online": {
                "help_text": "As it, or its last will, said on its status topic; null where it has not said anything."
            },
            "previous_valid_until": {"help_text": "Until then the secret before the last rotation is good too."},
        }

    @extend_schema_field(serializers.ChoiceField(BrokerState.choices))
    def get_broker_state(self, device: Device) -> str:
        return state_of(device)


class NewDeviceSerializer(serializers.ModelSerializer[Device]):
    plant = OwnPlantField(chooses="devices")

    class Meta:
        model = Device
        fields = ("plant", "name", "prefix")
        validators: list[Any] = []  # the database's, in `validate`

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        try:
            Device(**attrs).validate_constraints()
        except ModelError as error:
            raise ValidationError({"name": error.messages}, code="unique") from None
        return attrs

    def create(self, validated_data: dict[str, Any]) -> Device:
        device = Device(**validated_data)
        self.secret = device.issue_secret()
        device.save(force_insert=True)
        return device

    def to_representation(self, instance: Device) -> dict[str, Any]:
        return DeviceSerializer(instance, context=self.context).data | {"secret": self.secret}


class DeviceWithSecretSerializer(DeviceSerializer):
    """The device with its new secret, which is shown this once."""

    secret = serializers.CharField(read_only=True)

    class Meta(DeviceSerializer.Meta):
        fields = (*FIELDS, "secret")
        read_only_fields = fields


class DeviceFilter(filters.FilterSet):
    plant = ParentFilter(Plant, "plant")
    revoked = filters.BooleanFilter(field_name="revoked_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = Device
        fields = ("name", "prefix")


@extend_schema_view(
    create=extend_schema(request=NewDeviceSerializer, responses={201: DeviceWithSecretSerializer}, examples=EXAMPLES)
)
class DeviceViewSet(
    mixins.CreateModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    mixins.ListModelMixin,
    GenericViewSet[Device],
):
    """Devices of plants. Making one and `rotate` answer with its secret, which is never shown again."""

    permission_classes = [ChoosesMembers]
    queryset = Device.objects.select_related("plant").order_by("plant__name", "name")
    serializer_class = DeviceSerializer
    filterset_class = DeviceFilter
    search_fields = ("name", "prefix", "plant__slug", "plant__name")
    ordering_fields = ("name", "last_seen", "created_at")

    def get_queryset(self) -> QuerySet[Device]:
        rows: Any = super().get_queryset()
        return rows.visible_to(self.request.user)

    def get_serializer_class(self) -> type[BaseSerializer[Device]]:
        return NewDeviceSerializer if self.action == "create" else DeviceSerializer

    def perform_create(self, serializer: BaseSerializer[Device]) -> None:
        save_or_explain(serializer)

    def get_success_headers(self, data: Any) -> dict[str, str]:
        return NOT_STORED

    @extend_schema(request=None, responses=DeviceWithSecretSerializer, examples=EXAMPLES[1:])
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: str | None = None) -> Response:
        """Gives the device a new secret; the old one is good for DEVICE_GRACE_MINUTES more."""
        device = self.get_object()
        try:
            secret = device.rotate(timedelta(minutes=settings.DEVICE_GRACE_MINUTES))
        except RevokedError as error:
            raise ValidationError(str(error), code="revoked") from None
        return Response(self.get_serializer(device).data | {"secret": secret}, headers=NOT_STORED)

    @extend_schema(request=None, responses=DeviceSerializer)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: str | None = None) -> Response:
        """Ends all secrets of the device, for good."""
        device = self.get_object()
        device.revoke()
        return Response(self.get_serializer(device).data)

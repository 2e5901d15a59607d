"""Plants, zones, machines and sensors over REST; who sees a row is said by `visible_to` alone."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import ModelViewSet

from accounts.api.saving import save_or_explain
from accounts.permissions import AdminAddsAndRemoves, ReadOrOperate
from plants.api.filters import MachineFilter, SensorFilter, ZoneFilter
from plants.api.serializers import MachineSerializer, PlantSerializer, SensorSerializer, ZoneSerializer
from plants.models import Machine, Plant, Sensor, Zone


class FactoryViewSet(ModelViewSet):
    """CRUD over the rows that exist for the user."""

    permission_classes = [ReadOrOperate]

    def get_queryset(self) -> QuerySet[Any]:
        rows: Any = super().get_queryset()
        return rows.visible_to(self.request.user)

    def perform_create(self, serializer: BaseSerializer) -> None:
        save_or_explain(serializer)

    perform_update = perform_create


class PlantViewSet(FactoryViewSet):
    """Plants; admins create and delete them, operators change the name, location and time zone of theirs."""

    permission_classes = [AdminAddsAndRemoves]
    queryset = Plant.objects.all()
    serializer_class = PlantSerializer
    filterset_fields = ("slug", "timezone")
    search_fields = ("slug", "name", "location")
    ordering_fields = ("slug", "name", "created_at")


class ZoneViewSet(FactoryViewSet):
    """Areas, lines and cells of a plant."""

    queryset = Zone.objects.all()
    serializer_class = ZoneSerializer
    filterset_class = ZoneFilter
    search_fields = ("slug", "name")
    ordering_fields = ("slug", "name", "position")


class MachineViewSet(FactoryViewSet):
    """Machines of a zone."""

    queryset = Machine.objects.all()
    serializer_class = MachineSerializer
    filterset_class = MachineFilter
    search_fields = ("slug", "name", "type")
    ordering_fields = ("slug", "name", "type", "position")


class SensorViewSet(FactoryViewSet):
    """Sensors of a machine, each with its latest reading."""

    # `latest` is by name: it belongs to telemetry, which stands above this app.
    queryset = Sensor.objects.with_address().select_related("machine__zone__plant", "latest")
    serializer_class = SensorSerializer
    filterset_class = SensorFilter
    search_fields = ("address_path", "name", "type", "machine__name")
    ordering_fields = ("number", "slug", "name", "type", "unit", "position", "created_at")

"""Query parameters of the lists."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field

from plants.models import Machine, Plant, Sensor, Zone


class NamesField(forms.Field):
    """A repeatable parameter, as the list of its values."""

    widget = forms.MultipleHiddenInput


@extend_schema_field(
    {
        "type": "array",
        "items": {"type": "string"},
        "description": "UUID or address such as `kandy/rolling`; repeatable.",
    }
)
class ParentFilter(filters.Filter):
    """Rows below the parents that are named, each by UUID or by address; a parent that does not exist has none."""

    field_class = NamesField

    def __init__(self, parent: type[Plant | Zone | Machine | Sensor], lookup: str) -> None:
        self.parent_model = parent
        super().__init__(field_name=lookup)

    def filter(self, rows: QuerySet[Any], names: list[str]) -> QuerySet[Any]:
        if not names:
            return rows
        return rows.filter(**{f"{self.field_name}__in": self.parent_model.objects.named(names)})


class ZoneFilter(filters.FilterSet):
    plant = ParentFilter(Plant, "plant")

    class Meta:
        model = Zone
        fields = ("slug", "kind")


class MachineFilter(filters.FilterSet):
    plant = ParentFilter(Plant, "zone__plant")
    zone = ParentFilter(Zone, "zone")

    class Meta:
        model = Machine
        fields = ("slug", "type")


class SensorFilter(filters.FilterSet):
    plant = ParentFilter(Plant, "machine__zone__plant")
    zone = ParentFilter(Zone, "machine__zone")
    machine = ParentFilter(Machine, "machine")

    class Meta:
        model = Sensor
        fields = ("slug", "number", "type", "unit", "kind", "is_active")

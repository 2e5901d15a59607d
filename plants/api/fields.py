"""Fields that DRF lacks for the factory's models."""

import math
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied

from accounts.models import User
from plants.models import Plant


class VisibleField(serializers.PrimaryKeyRelatedField):
    """A parent that exists for the user; any other "does not exist"."""

    def get_queryset(self) -> QuerySet[Any]:
        parents: Any = super().get_queryset()
        return parents.visible_to(self.context["request"].user)


class OwnPlantField(VisibleField):
    """A plant that the user owns, any for an admin; one that they only see is a 403 that says who may."""

    def __init__(self, *, chooses: str, **kwargs: Any) -> None:
        self.chooses = chooses  # what only the owner may choose
        super().__init__(queryset=Plant.objects.all(), **kwargs)

    def to_internal_value(self, data: Any) -> Plant:
        plant: Plant = super().to_internal_value(data)
        user = self.context["request"].user
        if not user.is_superuser and plant.owner_id != user.pk:
            raise PermissionDenied(f"Only the plant's owner or an admin may choose its {self.chooses}.")
        return plant


class OwnerField(serializers.PrimaryKeyRelatedField):
    """An admin may name anyone; others only repeat the owners they see anyway."""

    def get_queryset(self) -> QuerySet[User]:
        user = self.context["request"].user
        if user.is_superuser:
            return User.objects.all()
        return User.objects.filter(owned_plants__in=Plant.objects.visible_to(user)).distinct()


class FiniteFloatField(serializers.FloatField):
    """JSON has no infinity, but 1e999 is read as one."""

    def to_internal_value(self, data: Any) -> float:
        try:
            value = super().to_internal_value(data)
        except OverflowError:  # an integer beyond all floats
            self.fail("invalid")
        if not math.isfinite(value):
            self.fail("invalid")
        return value

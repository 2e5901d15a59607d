"""The factory: plants, their zones, machines and sensors, who belongs to them, and what sends for them."""

from plants.models.devices import Device
from plants.models.inventory import (
    Machine,
    MachineQuerySet,
    NextSensorNumber,
    Sensor,
    SensorQuerySet,
    Zone,
    ZoneQuerySet,
    validate_states,
)
from plants.models.plants import OWNER_STAYS, Membership, MembershipQuerySet, Plant, PlantQuerySet, validate_timezone
from plants.models.slugs import SLUG_PATTERN, SlugField, named

__all__ = [
    "OWNER_STAYS",
    "SLUG_PATTERN",
    "Device",
    "Machine",
    "MachineQuerySet",
    "Membership",
    "MembershipQuerySet",
    "NextSensorNumber",
    "Plant",
    "PlantQuerySet",
    "Sensor",
    "SensorQuerySet",
    "SlugField",
    "Zone",
    "ZoneQuerySet",
    "named",
    "validate_states",
    "validate_timezone",
]

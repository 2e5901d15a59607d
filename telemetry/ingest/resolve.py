"""Stage 3 of 8 — resolve: the address of a sample into its sensor, from a directory in memory."""

from collections.abc import Iterable

from plants.models import Plant, Sensor
from telemetry.readings import KnownSensor, Reason, Rejected


class Directory:
    """All sensors by address, as of the last load. Replaced as a whole, never changed in place."""

    def __init__(self, sensors: dict[str, KnownSensor], plants: Iterable[str]) -> None:
        self.sensors = sensors
        self.plants = frozenset(plants)
        self.plant_of = {sensor.number: sensor.plant_id for sensor in sensors.values()}

    def unknown(self, address: str) -> Rejected:
        """Why an address that `sensors` doesn't hold is unknown."""
        plant = address.partition("/")[0]
        if plant not in self.plants:
            return Rejected(
                address, Reason.UNKNOWN_PLANT, f"There is no plant “{plant}”. Add it, or correct the topic."
            )
        return Rejected(address, Reason.UNKNOWN_SENSOR, f"There is no sensor {address}. Add it, or correct the topic.")


def load_directory() -> Directory:
    """The directory as the database has it now: one query for sensors, one for plants."""
    rows = (
        Sensor.objects.with_address()
        .order_by()
        .values_list("address_path", "number", "machine__zone__plant_id", "is_active", "kind", "states")
    )
    sensors = {
        address: KnownSensor(
            number,
            plant_id,
            is_active,
            {label: float(key) for key, label in states.items()} if kind == Sensor.Kind.STATE else {},
        )
        for address, number, plant_id, is_active, kind, states in rows.iterator()
    }
    return Directory(sensors, Plant.objects.order_by().values_list("slug", flat=True))

"""Stage 3 of 8 — resolve: the address of a sample into its sensor, from a directory in memory."""

import asyncio
from collections.abc import Callable, Iterable
from uuid import UUID

import psycopg
import structlog
from django.db import DatabaseError, connections

from plants.models import Plant, PlantQuerySet, Sensor, SensorQuerySet
from telemetry.readings import ADDRESS, KnownSensor, Reason, Rejected
from telemetry.storage import connection_params

LOOKUPS = ("machine__zone__plant__slug__in", "machine__zone__slug__in", "machine__slug__in", "slug__in")

RELOAD_AFTER_S = 30
RETRY_AFTER_S = 1
SETTLE_S = 0.1  # an import makes many changes in a row: one reload serves them all

log = structlog.get_logger("inqube.ingest.resolve")


class Directory:
    """All sensors by address, as of the last load. Replaced as a whole, never changed in place."""

    def __init__(self, sensors: dict[str, KnownSensor], plants: dict[str, UUID]) -> None:
        self.sensors = sensors
        self.plants = plants  # id by slug
        self.plant_of = {sensor.number: sensor.plant_id for sensor in sensors.values()}
        # By the address of their machine the numbers of its active sensors by slug: many at once.
        self.machines: dict[str, dict[str, int]] = {}
        for address, sensor in sensors.items():
            if sensor.is_active:
                machine, _, slug = address.rpartition("/")
                self.machines.setdefault(machine, {})[slug] = sensor.number

    def only(self, is_wanted: Callable[[str], bool]) -> "Directory":
        """Of this directory the plants with these slugs, and their sensors."""
        plants = {slug: plant_id for slug, plant_id in self.plants.items() if is_wanted(slug)}
        sensors = {address: sensor for address, sensor in self.sensors.items() if address.partition("/")[0] in plants}
        return Directory(sensors, plants)

    def unknown(self, address: str) -> Rejected:
        """Why an address that `sensors` doesn't hold is unknown."""
        plant = address.partition("/")[0]
        if plant not in self.plants:
            return Rejected(
                address, Reason.UNKNOWN_PLANT, f"There is no plant “{plant}”. Add it, or correct the topic."
            )
        return Rejected(address, Reason.UNKNOWN_SENSOR, f"There is no sensor {address}. Add it, or correct the topic.")


def directory_of(addresses: Iterable[str], sensors: SensorQuerySet, plants: PlantQuerySet) -> Directory:
    """Of those of these addresses, which may be any texts, that are among the sensors; and of the plants."""
    wanted = {each for each in addresses if ADDRESS.fullmatch(each)}
    found: dict[str, KnownSensor] = {}
    if wanted:
        # Each level's slugs by themselves, which takes in a few sensors more, is quicker than thousands of ORs.
        levels = zip(*(each.split("/") for each in wanted), strict=True)
        found = known_sensors(sensors.filter(**dict(zip(LOOKUPS, map(set, levels), strict=True))))
    known = {address: sensor for address, sensor in found.items() if address in wanted}
    return Directory(known, dict(plants.order_by().values_list("slug", "pk")))


def load_directory() -> Directory:
    """The directory as the database has it now: one query for sensors, one for plants."""
    return Directory(known_sensors(Sensor.objects.all()), dict(Plant.objects.order_by().values_list("slug", "pk")))


def known_sensors(sensors: SensorQuerySet) -> dict[str, KnownSensor]:
    """These sensors by address, in one query."""
    rows = (
        sensors.with_address()
        .order_by()
        .values_list(  # type: ignore[misc]  # mypy's plugin doesn't see what with_address() adds
            "address_path", "number", "machine__zone__plant_id", "is_active", "kind", "states"
        )
    )
    return {
        address: KnownSensor(
            number,
            plant_id,
            is_active,
            {label: float(key) for key, label in states.items()} if kind == Sensor.Kind.STATE else {},
        )
        for address, number, plant_id, is_active, kind, states in rows.iterator()
    }


async def watch_directory(use: Callable[[Directory], None]) -> None:
    """Hands over the directory now and after every change of plants or sensors, until cancelled.

    The database announces changes (plants, migration 0002); a reload now and then covers a connection pooler
    that swallows announcements. Listening starts before loading, so no change falls between.
    """
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(**connection_params(), autocommit=True) as connection:
                await connection.execute("LISTEN plants_changed")
                while True:
                    use(await asyncio.to_thread(_load_and_release))
                    async for _ in connection.notifies(timeout=RELOAD_AFTER_S, stop_after=1):
                        await asyncio.sleep(SETTLE_S)
        except (psycopg.Error, DatabaseError) as error:
            log.warning("directory of sensors not read; the last one stays in use", error=str(error).strip())
            await asyncio.sleep(RETRY_AFTER_S)


def _load_and_release() -> Directory:
    """Loads in a worker thread, and gives the thread's connection back to the pool."""
    try:
        return load_directory()
    finally:
        connections.close_all()

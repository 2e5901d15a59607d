"""Resolve: the directory in memory follows the database."""

import asyncio
import contextlib
import time

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections

from plants.models import Machine, Plant, Sensor
from telemetry.ingest.resolve import Directory, load_directory, watch_directory
from telemetry.readings import Reason
from telemetry.tests.samples import TEMP

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_knows_sensors_by_address(kandy: Plant, rotterdam: Plant) -> None:
    directory = load_directory()
    sensor = Sensor.objects.named([TEMP]).get()
    assert directory.sensors[TEMP] == (sensor.number, kandy.pk, True, {})
    assert directory.sensors["kandy/rolling/roller-2/state"].labels == {
        "stopped": 0.0,
        "running": 1.0,
        "idle": 2.0,
        "fault": 3.0,
    }
    assert directory.plant_of[sensor.number] == kandy.pk
    assert len(directory.sensors) == 4


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("nowhere/rolling/roller-2/temp", Reason.UNKNOWN_PLANT),
        ("kandy/rolling/roller-2/nope", Reason.UNKNOWN_SENSOR),
        ("kandy/nope/roller-2/temp", Reason.UNKNOWN_SENSOR),
    ],
)
def test_it_says_what_is_unknown(kandy: Plant, address: str, reason: Reason) -> None:
    assert load_directory().unknown(address).reason == reason


async def test_it_hears_of_changes_within_two_seconds(kandy: Plant) -> None:
    directories: list[Directory] = []
    watching = asyncio.create_task(watch_directory(directories.append))

    async def until(address: str, *, known: bool) -> float:
        started = time.monotonic()
        while not directories or (address in directories[-1].sensors) != known:
            assert time.monotonic() - started < 2
            await asyncio.sleep(0.01)
        return time.monotonic() - started

    await until(TEMP, known=True)
    machine = await Machine.objects.aget(slug="roller-2")
    await Sensor.objects.acreate(machine=machine, slug="new", name="New")
    await until("kandy/rolling/roller-2/new", known=True)
    await Machine.objects.filter(pk=machine.pk).aupdate(slug="roller-3")
    await until("kandy/rolling/roller-3/new", known=True)
    await sync_to_async(execute)("DELETE FROM plants_sensor WHERE slug = 'new'")
    await until("kandy/rolling/roller-3/new", known=False)

    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching
    await sync_to_async(connections.close_all)()  # those of the thread in which the ORM ran


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)

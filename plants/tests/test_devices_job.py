"""Whatever changes devices defers the job that tells the broker, in the same transaction."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction

from plants.broker_sync import JOB
from plants.models import Plant
from plants.models.devices import Device, Heard, hashed

HOUR = timedelta(hours=1)


def waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name = %s AND status = 'todo'", [JOB])
        (count,) = cursor.fetchone()
    return int(count)


@pytest.fixture
def device(transactional_db: None, kandy: Plant) -> Device:
    device = Device.objects.create(plant=kandy, name="gateway", secret_hash=hashed("secret"))
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")  # the one of its making
    return device


CHANGES: dict[str, Callable[[Device], object]] = {
    "made": lambda device: Device.objects.create(plant=device.plant, name="other", secret_hash=hashed("secret")),
    "rotated": lambda device: device.rotate(HOUR),
    "revoked": lambda device: device.revoke(),
    "deleted": lambda device: device.delete(),
    "prefix in bulk": lambda device: Device.objects.update(prefix="rolling"),
    "end of grace": lambda device: Device.objects.update(previous_valid_until=device.created_at),
    "slug of the plant": lambda device: Plant.objects.filter(pk=device.plant_id).update(slug="ella"),
    "plant deleted": lambda device: device.plant.delete(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_it_defers_a_job(device: Device, change: str) -> None:
    CHANGES[change](device)
    assert waiting() == 1


def test_it_defers_a_job_for_sql(device: Device) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE plants_device SET name = 'plc'")
    assert waiting() == 1


OTHERS: dict[str, Callable[[Device], object]] = {
    "seen": lambda device: device.note_seen(),
    "heard": lambda device: Device.objects.all().note([Heard(device.plant.slug, device.name, True, None)]),
    "name of the plant": lambda device: Plant.objects.update(name="Ella"),
    "what the broker has": lambda device: Device.objects.update(broker_digest="0"),
}


@pytest.mark.parametrize("change", OTHERS)
def test_it_defers_none_for_what_the_broker_need_not_know(device: Device, change: str) -> None:
    OTHERS[change](device)
    assert waiting() == 0


def test_it_defers_one_a_transaction(device: Device) -> None:
    with transaction.atomic():
        for number in range(3):
            Device.objects.create(plant=device.plant, name=f"plc-{number}", secret_hash=hashed("secret"))
        device.revoke()
    assert waiting() == 1
    device.delete()
    assert waiting() == 2


def test_it_defers_one_after_a_savepoint_was_rolled_back(device: Device) -> None:
    with transaction.atomic():
        sid = transaction.savepoint()
        device.rotate(HOUR)
        transaction.savepoint_rollback(sid)
        device.revoke()
    assert waiting() == 1

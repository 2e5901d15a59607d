"""Machines and devices whose sensors may all fall silent together."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from psycopg import Cursor

from alarms.models.alarms import Subject

MEMBERS = """
SELECT sensor.number, zone.plant_id, machine.id, machine.name, device.id, device.name
FROM plants_sensor AS sensor
JOIN plants_machine AS machine ON machine.id = sensor.machine_id
JOIN plants_zone AS zone ON zone.id = machine.zone_id
LEFT JOIN plants_device AS device ON device.plant_id = zone.plant_id AND device.revoked_at IS NULL
    AND device.prefix IN ('', zone.slug, zone.slug || '/' || machine.slug)
WHERE sensor.number = ANY(%s)
ORDER BY device.name, sensor.number
"""


class Member(NamedTuple):
    """A sensor that a rule watches for silence, on its machine, and a device that may send for it."""

    sensor: int
    plant_id: UUID
    machine_id: UUID
    machine: str
    device_id: UUID | None
    device: str | None


class GroupKey(NamedTuple):
    subject: Subject
    id: UUID


class Group(NamedTuple):
    key: GroupKey
    name: str
    plant_id: UUID
    sensors: frozenset[int]
    machines: frozenset[UUID]


def read_groups(cursor: Cursor, sensors: Iterable[int]) -> list[Group]:
    return groups([Member(*row) for row in cursor.execute(MEMBERS, [sorted(set(sensors))]).fetchall()])


def groups(members: Iterable[Member]) -> list[Group]:
    """Devices first, the larger before the smaller, then machines.

    A machine counts from two sensors on, a device from two machines on; of devices that send for the same sensors, the
    first by name.
    """
    of_device: defaultdict[UUID, list[Member]] = defaultdict(list)
    of_machine: defaultdict[UUID, list[Member]] = defaultdict(list)
    for member in members:
        of_machine[member.machine_id].append(member)
        if member.device_id is not None:
            of_device[member.device_id].append(member)
    devices: dict[frozenset[int], Group] = {}
    for id, found in of_device.items():
        group = _group(GroupKey(Subject.DEVICE, id), found[0].device or "", found)
        if len(group.machines) > 1:
            devices.setdefault(group.sensors, group)
    machines = [_group(GroupKey(Subject.MACHINE, id), found[0].machine, found) for id, found in of_machine.items()]
    return [
        *sorted(devices.values(), key=lambda group: -len(group.sensors)),
        *(group for group in machines if len(group.sensors) > 1),
    ]


def _group(key: GroupKey, name: str, members: list[Member]) -> Group:
    return Group(
        key,
        name,
        members[0].plant_id,
        frozenset(member.sensor for member in members),
        frozenset(member.machine_id for member in members),
    )

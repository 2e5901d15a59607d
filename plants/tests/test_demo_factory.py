from collections import Counter

import pytest

from plants.demo_factory import PLANTS, STATES, build, places
from plants.models import Machine, Plant, Sensor, Zone

pytestmark = pytest.mark.django_db


def test_it_has_two_plants_in_different_time_zones_with_12_machines_and_120_sensors() -> None:
    build()

    assert dict(Plant.objects.values_list("slug", "timezone")) == {
        "kandy": "Asia/Colombo",
        "rotterdam": "Europe/Amsterdam",
    }
    assert (Machine.objects.count(), Sensor.objects.count()) == (12, 120)


def test_it_passes_the_validation_of_every_model() -> None:
    sensors = build()

    for model in (Plant, Zone, Machine, Sensor):
        for row in model.objects.all():
            row.full_clean()
    assert {sensor.address for sensor in sensors.values()} == set(sensors)


def test_it_gives_each_machine_one_state_and_puts_it_last() -> None:
    build()

    for machine in Machine.objects.all():
        *others, last = machine.sensors.order_by("position")
        assert (last.slug, last.kind, last.states) == ("state", Sensor.Kind.STATE, STATES)
        assert all(sensor.kind != Sensor.Kind.STATE for sensor in others)


def test_it_keeps_a_plant_s_zones_in_process_order() -> None:
    build()

    assert [zone.slug for zone in Zone.objects.filter(plant__slug="kandy").order_by("position")] == [
        "withering",
        "rolling",
        "fermenting-drying",
        "sorting",
    ]


def test_it_measures_many_kinds_of_things() -> None:
    types = Counter(place.sensor.type for place in places(PLANTS))

    assert {"temperature", "pressure", "vibration", "power", "count", "energy", "state"} <= set(types)


def test_it_changes_nothing_when_built_again() -> None:
    build()
    before = list(Sensor.objects.order_by("number").values())

    build()

    assert list(Sensor.objects.order_by("number").values()) == before


def test_it_leaves_what_a_user_added() -> None:
    build()
    machine = Machine.objects.get(slug="roller-2")
    added = Sensor.objects.create(machine=machine, slug="oil-level", name="Oil level", unit="%")
    Sensor.objects.filter(machine=machine, slug="vibration").update(is_active=False)

    build()

    assert Sensor.objects.get(pk=added.pk).name == "Oil level"
    assert not Sensor.objects.get(machine=machine, slug="vibration").is_active


def test_it_brings_back_what_was_lost_or_changed() -> None:
    build()
    Sensor.objects.filter(machine__slug="roller-2", slug="vibration").delete()
    Sensor.objects.filter(machine__slug="roller-2", slug="state").update(states={"0": "off"})

    sensors = build()

    assert sensors["kandy/rolling/roller-2/vibration"].pk
    assert Sensor.objects.get(machine__slug="roller-2", slug="state").states == STATES

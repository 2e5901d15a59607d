import pytest
from django.core.exceptions import ValidationError

from plants.models import Machine, Plant, Sensor, Zone, named, validate_states


def test_it_names_rows_by_address_and_by_id(kandy: Plant, rotterdam: Plant) -> None:
    zone, machine = Zone.objects.get(slug="rolling"), Machine.objects.get(slug="roller-2")
    sensor = Sensor.objects.get(slug="temp")
    assert Plant.objects.named(["kandy"]).get() == Plant.objects.named([str(kandy.id)]).get() == kandy
    assert Zone.objects.named(["kandy/rolling"]).get() == Zone.objects.named([str(zone.id)]).get() == zone
    assert Machine.objects.named(["kandy/rolling/roller-2"]).get() == machine
    assert Machine.objects.named([str(machine.id)]).get() == machine
    assert Sensor.objects.named(["kandy/rolling/roller-2/temp"]).get() == sensor
    assert Sensor.objects.named([str(sensor.id)]).get() == sensor


def test_it_names_several_rows(kandy: Plant, rotterdam: Plant) -> None:
    assert set(Plant.objects.named(["kandy", str(rotterdam.id), "kandy"])) == {kandy, rotterdam}


@pytest.mark.parametrize(
    "name", ["", "/", "kandy/", "rotterdam/rolling", "kandy/rolling/roller-2", "kandy/%", "\0", "*"]
)
def test_it_names_nothing_by_what_is_no_name(kandy: Plant, rotterdam: Plant, name: str) -> None:
    assert not Zone.objects.named([name]).exists()


def test_it_takes_32_hexadecimal_digits_for_a_slug_too(db: None) -> None:
    plant = Plant.objects.create(slug="deadbeef" * 4, name="Beef")
    assert Plant.objects.filter(named(["deadbeef" * 4], "slug")).get() == plant


@pytest.mark.parametrize("slug", ["kandy", "k", "0", "a-b_c", "x" * 63])
def test_it_takes_slugs(slug: str, db: None) -> None:
    Plant(slug=slug, name="Plant").full_clean()


@pytest.mark.parametrize("slug", ["", "Kandy", "-a", "_a", "a/b", "a+", "#", "a b", "a\n", "ä", "x" * 64, "a\0"])
def test_it_refuses_what_could_not_be_a_topic_level(slug: str, db: None) -> None:
    with pytest.raises(ValidationError):
        Plant(slug=slug, name="Plant").full_clean()


@pytest.mark.parametrize("timezone", ["Kandy", "", "UTC+5", "../etc/passwd"])
def test_it_refuses_unknown_time_zones(timezone: str, db: None) -> None:
    with pytest.raises(ValidationError):
        Plant(slug="kandy", name="Plant", timezone=timezone).full_clean()


@pytest.mark.parametrize(
    "states",
    [
        [],
        "x",
        None,
        {"a": "b"},
        {"-1": "b"},
        {"0": ""},
        {"0": 1},
        {"0": "a", "1": "a"},
        {"0": "a\0"},
        {"٣": "a"},
        {"0": "\ud800"},
    ],
)
def test_it_refuses_odd_states(states: object) -> None:
    with pytest.raises(ValidationError):
        validate_states(states)


def test_it_numbers_sensors_and_knows_their_address(kandy: Plant) -> None:
    first, second = Sensor.objects.filter(slug__in=["temp", "rpm"]).order_by("number")
    assert first.number > 0
    assert second.number > first.number
    assert first.address == "kandy/rolling/roller-2/temp"


def test_it_makes_the_same_address_in_the_database(kandy: Plant) -> None:
    for sensor in Sensor.objects.with_address():
        assert getattr(sensor, "address_path") == sensor.address  # noqa: B009

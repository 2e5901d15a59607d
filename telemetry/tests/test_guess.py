"""Guesses of what an unknown sensor is."""

import pytest

from telemetry.guess import MOST_STATES, Seen, guess, name_of

SECOND = 1_000_000


def series(*values: float | str | bool, every_s: float = 5) -> list[Seen]:
    return [
        Seen(int(i * every_s * SECOND), None, value)
        if isinstance(value, str)
        else Seen(int(i * every_s * SECOND), float(value), None)
        for i, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("slug", "type_", "unit"),
    [
        ("temp", "temperature", "°C"),
        ("bearing-temp", "temperature", "°C"),
        ("oil_temperature_2", "temperature", "°C"),
        ("temp12", "temperature", "°C"),
        ("oil-pressure-temp", "temperature", "°C"),
        ("temp-f", "temperature", "°F"),
        ("pressure", "pressure", "bar"),
        ("inlet-pressure-kpa", "pressure", "kPa"),
        ("psi", "pressure", "psi"),
        ("rpm", "speed", "rpm"),
        ("power", "power", "kW"),
        ("power-w", "power", "W"),
        ("power-factor", "power factor", ""),
        ("humidity", "humidity", "%"),
        ("current", "current", "A"),
        ("current-l1", "current", "A"),
        ("voltage-mv", "voltage", "mV"),
        ("vibration-x", "vibration", "mm/s"),
        ("level", "level", "%"),
        ("level-kg", "level", "kg"),
        ("flow", "flow", "l/min"),
        ("co2", "carbon dioxide", "ppm"),
        ("motor-a", "", ""),
        ("tank-c", "", ""),
        ("x", "", ""),
    ],
)
def test_it_knows_type_and_unit_by_the_name(slug: str, type_: str, unit: str) -> None:
    found = guess(slug, series(1.5))
    assert (found["type"], found["unit"]) == (type_, unit)


@pytest.mark.parametrize(
    ("slug", "values", "kind"),
    [
        ("temp", [20.5, 20.6, 20.4], "gauge"),
        ("temp", [20.1, 20.2, 20.3], "gauge"),  # only grows, so far
        ("x", [1, 2, 3], "gauge"),
        ("x", [], "gauge"),
        ("pieces", [1, 2, 2, 3], "counter"),
        ("energy", [10.1, 10.4], "counter"),
        ("total", [7], "counter"),
        ("total", [7, 6], "gauge"),
        ("count", [0, 1], "counter"),
        ("mode", ["auto", "manual"], "state"),
        ("x", ["auto"], "state"),
        ("running", [1, 0], "state"),
        ("alarm", [0], "state"),
        ("x", [0, 1], "gauge"),  # too early to say
        ("x", [0, 1] * 5, "state"),
        ("x", [0] * 10, "gauge"),
        ("state", [0, 1, 2], "gauge"),  # nobody knows the labels
        ("temp", [20.5, 20.6, "n/a"], "gauge"),
        ("comment", [f"text {n}" for n in range(MOST_STATES + 1)], "gauge"),
    ],
)
def test_it_knows_the_kind_by_what_came(slug: str, values: list[float | str], kind: str) -> None:
    assert guess(slug, series(*values))["kind"] == kind


@pytest.mark.parametrize(
    ("values", "states"),
    [
        (["running", "stopped", "fault"], {"0": "stopped", "1": "fault", "2": "running"}),
        (["ON", "OFF"], {"0": "OFF", "1": "ON"}),
        ([0, 1] * 5, {"0": "off", "1": "on"}),
        ([1.5], {}),
    ],
)
def test_it_numbers_labels_with_rest_first(values: list[float | str], states: dict[str, str]) -> None:
    assert guess("x", series(*values))["states"] == states


def test_it_takes_labels_of_samples_that_it_is_not_shown() -> None:
    assert guess("mode", series("auto"), ["manual", "auto"])["states"] == {"0": "auto", "1": "manual"}


@pytest.mark.parametrize(
    ("values", "decimals"), [([1, 2], 0), ([1.5, 2], 1), ([1.25, 2.5], 2), ([1.23456], 3), ([], 1), (["a"], 0)]
)
def test_it_shows_as_many_decimals_as_were_sent(values: list[float | str], decimals: int) -> None:
    assert guess("x", series(*values))["decimals"] == decimals


@pytest.mark.parametrize(
    ("every_s", "samples", "interval_s", "stale_after_s"),
    [
        (5, 4, 5, 300),
        (0.25, 4, 0.25, 300),
        (4.98, 9, 5, 300),
        (600, 3, 600, 1800),
        (5, 2, None, 300),
        (0, 3, 0.001, 300),
    ],
)
def test_it_takes_the_interval_from_the_times(
    every_s: float, samples: int, interval_s: float | None, stale_after_s: float
) -> None:
    found = guess("x", series(*[1.5] * samples, every_s=every_s))
    assert (found["expected_interval_s"], found["stale_after_s"]) == (interval_s, stale_after_s)


@pytest.mark.parametrize(("slug", "name"), [("roller-2", "Roller 2"), ("bearing_temp", "Bearing temp"), ("7", "7")])
def test_it_makes_a_name_of_the_slug(slug: str, name: str) -> None:
    assert name_of(slug) == name

from types import SimpleNamespace
from typing import Any

import pytest

from telemetry.machine_filter import MachineFilter


def view(name: str, *sensors: str, abnormal: bool = False, stale: int = 0) -> Any:
    return SimpleNamespace(
        machine=SimpleNamespace(name=name),
        sensors=[SimpleNamespace(sensor=SimpleNamespace(name=sensor)) for sensor in sensors],
        is_abnormal=abnormal,
        stale=stale,
    )


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["Roller 2", "Dryer", "Packer"]),
        ({"show": "abnormal"}, ["Dryer", "Packer"]),
        ({"show": "stale"}, ["Packer"]),
        ({"show": "nonsense"}, ["Roller 2", "Dryer", "Packer"]),
        ({"zone": "rolling"}, ["Roller 2"]),
        ({"zone": "nonsense"}, ["Roller 2", "Dryer", "Packer"]),
        ({"q": " ROLL "}, ["Roller 2"]),
        ({"q": "exhaust"}, ["Dryer"]),
        ({"q": "exhaust", "zone": "rolling"}, []),
    ],
)
def test_it_shows_what_the_url_asks_for(query: dict[str, str], names: list[str]) -> None:
    machines = [
        (view("Roller 2", "Bearing"), "rolling"),
        (view("Dryer", "Exhaust air", abnormal=True), "drying"),
        (view("Packer", "Bags", abnormal=True, stale=2), "sorting"),
    ]
    chosen = MachineFilter.from_query(query, {"rolling", "drying", "sorting"})

    assert [each.machine.name for each, zone in machines if chosen.matches(each, zone)] == names

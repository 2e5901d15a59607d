import pytest

from telemetry.freshness import Freshness, on_change_freshness
from telemetry.machine_state import label_of, machine_state

STATES = {"0": "stopped", "1": "running", "5": "CIP rinse"}


@pytest.mark.parametrize(
    ("freshness", "label", "quality", "has_state", "answer"),
    [
        (["fresh", "stale"], "running", 192, True, ("running", "Running")),
        (["fresh"], "CIP rinse", 192, True, ("other", "CIP rinse")),
        (["fresh"], "running", 0, True, ("unknown", "State unknown")),
        (["fresh"], None, 192, True, ("unknown", "State unknown")),
        (["fresh", "none"], None, None, True, ("unknown", "State unknown")),
        (["fresh"], None, None, False, ("none", "")),
        (["stale", "stale", "none"], "running", 192, True, ("silent", "Silent")),
        (["none", "none"], None, None, True, ("waiting", "No data yet")),
        ([], None, None, False, ("waiting", "No data yet")),
    ],
)
def test_it_says_what_a_machine_does(
    freshness: list[Freshness], label: str | None, quality: int | None, has_state: bool, answer: tuple[str, str]
) -> None:
    assert machine_state(freshness, label, quality, has_state=has_state) == answer


def test_it_finds_the_label_of_a_stored_number() -> None:
    assert label_of(STATES, 1.0) == "running"
    assert label_of(STATES, 1.5) is None
    assert label_of(STATES, 9.0) is None


@pytest.mark.parametrize(
    ("own", "neighbours", "answer"),
    [
        ("stale", ["fresh", "stale"], "fresh"),  # the machine speaks: nothing changed, that is all
        ("stale", ["stale", "stale"], "stale"),
        ("stale", ["none"], "stale"),
        ("stale", [], "stale"),  # nobody to vouch for it
        ("none", ["fresh"], "none"),
    ],
)
def test_it_lets_neighbours_vouch_for_sensors_that_report_on_change(
    own: Freshness, neighbours: list[Freshness], answer: Freshness
) -> None:
    assert on_change_freshness(own, neighbours) == answer

"""Shards: every plant belongs to one, the same in every process."""

from collections import Counter

import pytest

from telemetry.ingest.shard import WHOLE, Shard, shard_of


@pytest.mark.parametrize(
    ("plant", "of", "expected"),
    [("kandy", 1, 1), ("kandy", 2, 2), ("kandy", 3, 2), ("rotterdam", 2, 2), ("rotterdam", 7, 4), ("a", 1000, 344)],
)
def test_it_gives_a_plant_the_same_shard_in_every_release(plant: str, of: int, expected: int) -> None:
    assert shard_of(plant, of) == expected


def test_it_spreads_plants_evenly() -> None:
    counts = Counter(shard_of(f"plant-{number}", 4) for number in range(4000))
    assert sorted(counts) == [1, 2, 3, 4]
    assert min(counts.values()) > 900


def test_it_gives_every_plant_to_one_shard() -> None:
    for of in range(1, 6):
        assert sum(Shard(number, of).holds("kandy") for number in range(1, of + 1)) == 1


def test_it_reads_how_a_shard_is_written() -> None:
    assert Shard.from_text("2/3") == Shard(2, 3)
    assert str(Shard(2, 3)) == "2/3"


@pytest.mark.parametrize("text", ["", "1", "0/1", "3/2", "1/0", "-1/2", "1/2/3", "a/b", "1/2 ", "١/٢"])
def test_it_says_how_a_shard_is_written(text: str) -> None:
    with pytest.raises(ValueError, match="looks like 2/3"):
        Shard.from_text(text)


def test_it_has_a_session_for_each_number_of_shards() -> None:
    assert WHOLE.client_id("inqube") == "inqube"
    assert Shard(2, 3).client_id("inqube") == "inqube-2of3"


def test_it_subscribes_to_everything_where_there_is_one() -> None:
    assert WHOLE.filters(["kandy"]) == ["inqube/v1/+/+/+/t", "inqube/v1/+/+/+/t/+"]


def test_it_subscribes_to_its_plants_where_there_are_several() -> None:
    assert Shard(1, 2).filters(["rotterdam", "kandy"]) == [
        "inqube/v1/kandy/+/+/t",
        "inqube/v1/kandy/+/+/t/+",
        "inqube/v1/rotterdam/+/+/t",
        "inqube/v1/rotterdam/+/+/t/+",
    ]

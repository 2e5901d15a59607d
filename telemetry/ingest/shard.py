"""Which plants an ingest process works for, where several share the work. Pure."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

TOPIC_FILTERS = ("inqube/v1/+/+/+/t", "inqube/v1/+/+/+/t/+")
WRITTEN = re.compile(r"([1-9]\d{0,3})/([1-9]\d{0,3})", re.ASCII)


def shard_of(plant: str, of: int) -> int:
    """The shard, from 1, to which a plant's slug belongs among so many: the same in every process and release."""
    return int.from_bytes(blake2b(plant.encode(), digest_size=8).digest()) % of + 1


@dataclass(frozen=True, slots=True)
class Shard:
    """Shard `number` of `of`, from 1."""

    number: int
    of: int

    @classmethod
    def from_text(cls, text: str) -> "Shard":
        """`2/3`; ValueError in words for anything else."""
        found = WRITTEN.fullmatch(text)
        if found is None or int(found[1]) > int(found[2]):
            raise ValueError("A shard looks like 2/3: the second of three.")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @property
    def is_whole(self) -> bool:
        return self.of == 1

    def client_id(self, base: str) -> str:
        """The name of its session on the broker. Other numbers of shards have other sessions: none inherits filters."""
        return base if self.is_whole else f"{base}-{self.number}of{self.of}"

    def holds(self, plant: str) -> bool:
        return shard_of(plant, self.of) == self.number

    def filters(self, plants: Iterable[str]) -> list[str]:
        """What it subscribes to, given the slugs of its plants."""
        if self.is_whole:  # also what is sent for plants that don't exist: it becomes dead letters
            return list(TOPIC_FILTERS)
        return [pattern.replace("+", plant, 1) for plant in sorted(plants) for pattern in TOPIC_FILTERS]

    def plants_of(self, filters: Iterable[str]) -> frozenset[str]:
        """The plants of which these are all filters; none where there is one shard, whose filters name none."""
        if self.is_whole:
            return frozenset()
        counts = Counter(pattern.split("/")[2] for pattern in filters)
        return frozenset(plant for plant, count in counts.items() if count == len(TOPIC_FILTERS))


WHOLE = Shard(1, 1)

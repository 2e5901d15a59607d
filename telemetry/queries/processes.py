"""How ingest is, by what its processes say of themselves."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from telemetry.models import IngestEvent, IngestShard

RECENT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Ingest:
    """Its processes that nobody stopped in order, and how many events there were of late."""

    shards: list[IngestShard]
    events: int


def has_successor(client_id: str, moment: datetime) -> bool:
    """Whether other shards, all of some number of them, are subscribed to every plant."""
    others = IngestShard.objects.in_use().exclude(client_id=client_id).filter(is_subscribed=True).defer("plants")
    found: defaultdict[int, set[int]] = defaultdict(set)
    for shard in others:
        if shard.is_connected(moment):
            found[shard.of].add(shard.shard)
    return any(len(numbers) == of for of, numbers in found.items())


def ingest(moment: datetime) -> Ingest:
    events = IngestEvent.objects.filter(at__gt=moment - RECENT).order_by().count()
    return Ingest(list(IngestShard.objects.in_use().defer("plants")), events)

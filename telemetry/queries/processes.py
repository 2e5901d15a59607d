"""How ingest is: for the admin's first page."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from telemetry.models import IngestEvent, IngestShard

RECENT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Ingest:
    """Its processes that nobody stopped in order, and how many events there were of late."""

    shards: list[IngestShard]
    events: int


def ingest(moment: datetime) -> Ingest:
    events = IngestEvent.objects.filter(at__gt=moment - RECENT).order_by().count()
    return Ingest(list(IngestShard.objects.in_use().defer("plants")), events)

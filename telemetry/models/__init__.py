from telemetry.models.discovered import DiscoveredSensor, QuarantinedSample
from telemetry.models.inbox import DeadLetter
from telemetry.models.ledger import DeadTotal, LedgerEntry, LedgerTotal
from telemetry.models.processes import IngestEvent, IngestShard, IngestTotal
from telemetry.models.readings import Latest, Reading

__all__ = [
    "DeadLetter",
    "DeadTotal",
    "DiscoveredSensor",
    "IngestEvent",
    "IngestShard",
    "IngestTotal",
    "Latest",
    "LedgerEntry",
    "LedgerTotal",
    "QuarantinedSample",
    "Reading",
]

from telemetry.models.discovered import DiscoveredSensor, QuarantinedSample
from telemetry.models.inbox import DeadLetter
from telemetry.models.ledger import LedgerEntry, LedgerTotal
from telemetry.models.processes import IngestEvent, IngestShard
from telemetry.models.readings import Latest, Reading

__all__ = [
    "DeadLetter",
    "DiscoveredSensor",
    "IngestEvent",
    "IngestShard",
    "Latest",
    "LedgerEntry",
    "LedgerTotal",
    "QuarantinedSample",
    "Reading",
]

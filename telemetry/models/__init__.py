from telemetry.models.inbox import DeadLetter
from telemetry.models.readings import Latest, Reading

__all__ = ["DeadLetter", "Latest", "Reading"]

from telemetry.models.readings import Latest, Reading

__all__ = ["Latest", "Reading"]

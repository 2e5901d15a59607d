"""telemetry in the admin, a module for each list. Django looks here."""

from telemetry.admin import dead_letters, discovered_sensors, ingest, jobs, sensors

__all__ = ["dead_letters", "discovered_sensors", "ingest", "jobs", "sensors"]

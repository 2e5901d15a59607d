"""The scene of the fault tests, for probes while a server is away."""

from telemetry.tests.faults.conftest import broker, postgres, scene

__all__ = ["broker", "postgres", "scene"]

"""What every process measures of itself for Prometheus: its CPU, memory, files, garbage collector, and event loop."""

import asyncio
import time
from typing import NoReturn
from weakref import WeakKeyDictionary

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

disable_created_metrics()  # a gauge beside every series for what process_start_time_seconds says

LOOK_EVERY_S = 0.5
LAGS_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Vitals:
    """In a registry of the process's own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._followed: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[NoReturn]] = WeakKeyDictionary()
        self._lag = Histogram(
            "inqube_event_loop_lag_seconds",
            "How late the event loop was, looked at twice a second.",
            buckets=LAGS_S,
            registry=self.registry,
        )

    def follow_loop_once(self) -> None:
        """Follows the running loop from now on, where a server starts it and nobody else can."""
        loop = asyncio.get_running_loop()
        if loop not in self._followed:
            self._followed[loop] = loop.create_task(self.follow_loop())

    async def follow_loop(self) -> NoReturn:
        """Notes how late the event loop comes to what is due, until cancelled."""
        while True:
            due_at = time.monotonic() + LOOK_EVERY_S
            await asyncio.sleep(LOOK_EVERY_S)
            self._lag.observe(max(0.0, time.monotonic() - due_at))

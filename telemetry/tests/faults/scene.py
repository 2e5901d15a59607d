"""The scene of one fault test: a broker, publishers and ingest as processes, and what must be true in the end."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import psutil
import psycopg
from django.conf import settings

from inqube import embedded
from plants.models import Sensor
from telemetry.ingest.shard import TOPIC_FILTERS
from telemetry.storage import rollups
from telemetry.tests.faults.checker import Journal, faults
from telemetry.tests.faults.contents import contents
from telemetry.tests.faults.plan import Planned, one
from telemetry.tests.samples import ms
from telemetry.tests.waiting import wait_until

PUBLISHERS = 3
MANY = "1000000"  # of dead letters a minute: all are kept, and the checker can ask for each
NOT_YET_STORED = timedelta(minutes=30)  # rollups end there at first: younger readings leave no mark, older ones do

Manage = Callable[..., subprocess.Popen[bytes]]


class Restartable:
    """A server that a test ends and starts again; where it keeps its data is up to the server."""

    def __init__(self, server: embedded.Server, log: Path) -> None:
        self.server = server
        self.log = log
        self._running = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = self._running.enter_context(embedded.running(self.server, self.log))

    def stop(self) -> None:
        """In order."""
        self._running.close()

    def kill(self) -> None:
        """SIGKILL for it and all its children."""
        assert self._process is not None
        family = [psutil.Process(self._process.pid), *psutil.Process(self._process.pid).children(recursive=True)]
        for process in family:
            process.kill()
        self._running.close()
        psutil.wait_procs(family, timeout=10)


class Publishing:
    """Publishers at work on a part of the plan."""

    def __init__(self, processes: Sequence[subprocess.Popen[bytes]]) -> None:
        self._processes = processes

    @property
    def is_done(self) -> bool:
        return all(process.poll() is not None for process in self._processes)

    def wait(self, within_s: float = 60) -> None:
        """Until everything is acknowledged to them."""
        deadline = time.monotonic() + within_s
        for process in self._processes:
            assert process.wait(max(0.1, deadline - time.monotonic())) == 0, process.args

    def end(self) -> None:
        for process in self._processes:
            embedded.stop(process, signal.SIGKILL)


class Scene:
    """Publishers send to the broker; ingest gets it from `ingest_from`, and writes to `database`."""

    def __init__(
        self, directory: Path, manage: Manage, broker: Restartable, sensors: Sequence[Sensor], database: str
    ) -> None:
        self.broker = broker
        self.sensors = sensors
        self.plan: list[Planned] = []
        self.ingest_from = broker.server.url
        self.database = database
        self.client_id = f"under-test-{directory.name}"
        self._directory = directory
        self.manage = manage
        self._running = ExitStack()
        self._numbers = count()

    def close(self) -> None:
        self._running.close()

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self.database, autocommit=True)

    # --- who takes part -----------------------------------------------------------------------------------

    def ingest(self, **environment: str) -> subprocess.Popen[bytes]:
        """A new ingest process, subscribed."""
        before = self.subscriptions()
        process = self.start_ingest(**environment)
        wait_until(lambda: self.subscriptions() > before or process.poll() is not None, within_s=60)
        assert process.poll() is None, log_of(process)
        return process

    def start_ingest(self, *args: str, **environment: str) -> subprocess.Popen[bytes]:
        defaults = {
            "MQTT_URL": self.ingest_from,
            "MQTT_CLIENT_ID": self.client_id,
            "DATABASE_URL": self.database,
            "DEAD_LETTERS_PER_SOURCE_MINUTE": MANY,
        }
        return self.manage("ingest", *args, **defaults | environment)

    def subscriptions(self) -> int:
        """How often the broker has granted the session all its filters, by the broker's log."""
        last = f" {self.client_id} 1 {TOPIC_FILTERS[-1]}\n"
        return self.broker.log.read_text().count(last)

    def publish(
        self, messages: Sequence[Planned], *, publishers: int = PUBLISHERS, rate: float | None = None
    ) -> Publishing:
        """Adds messages to the plan and lets publishers send them, each its share in order.

        Args:
            rate: messages a second of all publishers together; without, as fast as the broker takes them.
        """
        first = len(self.plan)
        self.plan += messages
        processes = [
            self._start_publisher(range(first + share, len(self.plan), publishers), rate and rate / publishers)
            for share in range(publishers)
        ]
        publishing = Publishing(processes)
        self._running.callback(publishing.end)
        return publishing

    def publish_some(self, messages: Sequence[Planned], *, rate: float) -> Publishing:
        """The same, once some of them are stored."""
        before = self.stored()
        publishing = self.publish(messages, rate=rate)
        wait_until(lambda: self.stored() > before)
        return publishing

    def _start_publisher(self, share: range, rate: float | None) -> subprocess.Popen[bytes]:
        name = f"publisher-{next(self._numbers)}"
        plan, journal = self._directory / f"{name}.plan", self._directory / f"{name}.journal"
        plan.write_text("".join(f"{n} {self.plan[n].topic} {self.plan[n].payload.hex()}\n" for n in share))
        port = self.broker.server.url.rpartition(":")[2]
        argv = [sys.executable, "-m", "telemetry.tests.faults.publisher", str(plan), str(journal)]
        argv += [embedded.LOOPBACK, port, "--client-id", f"{self.client_id}-{name}"]
        argv += ["--rate", str(rate)] if rate else []
        return subprocess.Popen(argv, cwd=settings.BASE_DIR, preexec_fn=embedded.end_with_parent(signal.SIGKILL))

    # --- what came of it ----------------------------------------------------------------------------------

    @property
    def journal(self) -> Journal:
        return Journal.read("".join(path.read_text() for path in sorted(self._directory.glob("*.journal"))))

    def stored(self) -> int:
        """How many readings there are."""
        with self.connect() as connection:
            row = connection.execute("SELECT count(*) FROM reading").fetchone()
        assert row is not None
        return int(row[0])

    def refresh_rollups(self) -> None:
        """As the worker does each minute."""
        with self.connect() as connection:
            assert rollups.refresh(connection, datetime.now(UTC)) is not None

    def faults(self, *, every_letter: bool = True) -> list[str]:
        """What the checker finds, before and after a refresh of the rollups."""
        journal, found = self.journal, []
        for refreshes in (True, False):
            with self.connect() as connection:
                state = contents(connection, [sensor.number for sensor in self.sensors])
            found += faults(self.plan, journal, state, every_letter=every_letter)
            if refreshes:
                self.refresh_rollups()
        return found

    def drain(self, sensors: Sequence[Sensor] = ()) -> None:
        """Waits until ingest has dealt with all that the broker holds for it: what comes last is stored.

        A broker delivers in the order in which it took the messages, to one client.

        Args:
            sensors: of each plant one, where several clients share the plants.
        """
        last, now = sensors or self.sensors[:1], datetime.now(UTC)
        self.publish([one(sensor, ms(now), -1.0) for sensor in last], publishers=1).wait()
        arrived = "SELECT count(*) FROM reading WHERE sensor = ANY(%s) AND time > %s"
        parameters = [[sensor.number for sensor in last], now - timedelta(milliseconds=2)]
        with self.connect() as connection:
            wait_until(lambda: connection.execute(arrived, parameters).fetchone() == (len(last),), within_s=60)


def end(ingest: subprocess.Popen[bytes]) -> None:
    """As an operator ends it."""
    ingest.terminate()
    assert ingest.wait(20) == 0


def wait_for_log(process: subprocess.Popen[bytes], text: str, *, times: int = 1, within_s: float = 60) -> None:
    wait_until(lambda: log_of(process).count(text) >= times, within_s)


def log_of(process: subprocess.Popen[bytes]) -> str:
    return process.log.read_text()  # type: ignore[attr-defined]

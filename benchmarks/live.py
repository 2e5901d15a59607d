"""How soon a reading is on every screen, and what one web process needs for it.

    python -m benchmarks.live [--sockets 200] [--limit 1600] [--rate 5000] [--seconds 20] [--json FILE]

Everything runs on this machine and over loopback: a device that publishes steadily (1,000 sensors of one plant, ten
readings a message), broker, `manage.py ingest`, PostgreSQL with fsync on, Valkey, one daphne, and the clients in
processes of their own, each following all sensors twice a second and acknowledging. After a measurement with --sockets
clients their number is doubled until the 95th percentile from commit to frame passes a second, or up to --limit.

Of each frame one reading is taken. Published: when its message was sent. Committed: as PostgreSQL has it
(track_commit_timestamp). Shown: when the frame arrived at the client. CPU is that of the web process, as a share of
one core. Aim: with 200 sockets and 5,000 readings/s 95 % are shown 500 ms after the commit, by less than one core.
"""

import argparse
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import psutil

from benchmarks.followers import Arrival, follow
from benchmarks.ingest import cpu_seconds, ingest_process, seed, warm_up
from benchmarks.publisher import publish_steadily
from benchmarks.servers import servers
from inqube import embedded

PER_MESSAGE = 10
MAX_HZ = 2
TOO_LATE_MS = 1000
SOCKETS_A_USER = 50
CLIENT_PROCESSES = 2
START_WITHIN_S = 60
SETTLE_S = 2.0  # after all have their snapshot
HEADER = f"""\
{"":<8}{"":>10}{"publish to frame":>20}{"commit to frame":>20}
{"sockets":<8}{"frames/s":>10}{"p50, p95 in ms":>20}{"p50, p95 in ms":>20}{"CPU":>7}{"memory":>10}"""


@dataclass(frozen=True, slots=True)
class Result:
    sockets: int
    frames_per_s: float
    published_to_shown_ms: tuple[float, float]  # median, 95th percentile
    committed_to_shown_ms: tuple[float, float]
    cpu_cores: float
    memory_mb: float


def main() -> None:
    options = arguments()
    # Each socket is a file in two processes.
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    results = []
    with servers(options.broker, {"track_commit_timestamp": "on"}) as environment:
        os.environ.update(environment, THROTTLE="false", ALLOWED_HOSTS="127.0.0.1")
        import django

        django.setup()
        seed("bench")
        tokens = make_tokens(max(options.sockets, options.limit))
        with ingest_process(), web_process() as web:
            warm_up(PER_MESSAGE, int(time.time() * 1000) - 3_600_000)
            with publishing(options.rate):
                print(HEADER)
                for sockets in doubled(options.sockets, options.limit):
                    results.append(measure(web, tokens[:sockets], options.seconds))
                    print(row(results[-1]), flush=True)
                    if results[-1].committed_to_shown_ms[1] > TOO_LATE_MS:
                        print(f"p95 has passed {TOO_LATE_MS} ms with {sockets} sockets")
                        break
    if options.json:
        options.json.write_text(json.dumps([asdict(each) for each in results], indent=2))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sockets", type=int, default=200, help="at first (200)")
    parser.add_argument("--limit", type=int, default=1600, help="of sockets, to which they are doubled (1600)")
    parser.add_argument("--rate", type=int, default=5000, help="readings a second (5000)")
    parser.add_argument("--seconds", type=float, default=20, help="of each measurement (20)")
    parser.add_argument("--broker", choices=["auto", "mosquitto", "embedded"], default="auto")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    return parser.parse_args()


def doubled(first: int, limit: int) -> Iterator[int]:
    yield first
    while (first := 2 * first) <= limit:
        yield first


def row(result: Result) -> str:
    def pair(times: tuple[float, float]) -> str:
        return f"{times[0]:.0f}, {times[1]:.0f}"

    return (
        f"{result.sockets:<8}{result.frames_per_s:>10.0f}{pair(result.published_to_shown_ms):>20}"
        f"{pair(result.committed_to_shown_ms):>20}{result.cpu_cores:>7.2f}{result.memory_mb:>7.0f} MB"
    )


def make_tokens(sockets: int) -> list[str]:
    """One a socket, of people of whom none has too many."""
    from accounts.models import User
    from accounts.tokens import issue_access_token
    from plants.models import Membership, Plant

    plant = Plant.objects.get(slug="bench")
    tokens: list[str] = []
    while len(tokens) < sockets:
        user = User.objects.create_user(f"person-{len(tokens)}@example.org")
        Membership.objects.create(plant=plant, user=user)
        tokens += [issue_access_token(user)] * SOCKETS_A_USER
    return tokens[:sockets]


@contextmanager
def web_process() -> Iterator[tuple[int, int]]:
    """Runs daphne; gives its process id and port."""
    port = embedded.free_port()
    command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "inqube.asgi:application"]
    daphne = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        give_up_at = time.monotonic() + START_WITHIN_S
        while not embedded.accepts_connections(port):
            if time.monotonic() > give_up_at or daphne.poll() is not None:
                raise SystemExit("daphne did not start")
            time.sleep(0.1)
        yield daphne.pid, port
    finally:
        daphne.terminate()
        daphne.wait()


@contextmanager
def publishing(rate: int) -> Iterator[None]:
    stopped = multiprocessing.Event()
    arguments = (os.environ["MQTT_URL"], rate, PER_MESSAGE, stopped)
    publisher = multiprocessing.Process(target=publish_steadily, args=arguments)
    publisher.start()
    try:
        yield
    finally:
        stopped.set()
        publisher.join()


def measure(web: tuple[int, int], tokens: Sequence[str], seconds: float) -> Result:
    pid, port = web
    url = f"ws://127.0.0.1:{port}/api/v1/ws/telemetry"
    pipes, clients = [], []
    try:
        for number in range(CLIENT_PROCESSES):
            ours, theirs = multiprocessing.Pipe()
            share = tokens[number::CLIENT_PROCESSES]
            clients.append(multiprocessing.Process(target=follow, args=(url, share, theirs, MAX_HZ)))
            clients[-1].start()
            theirs.close()  # so that we hear it if they fail
            pipes.append(ours)
        for pipe in pipes:
            pipe.recv()
        time.sleep(SETTLE_S)
        for pipe in pipes:
            pipe.send(seconds)
        began, cpu_before = time.monotonic(), cpu_seconds(pid)
        time.sleep(seconds)
        cpu_cores = (cpu_seconds(pid) - cpu_before) / (time.monotonic() - began)
        memory_mb = psutil.Process(pid).memory_info().rss / 1e6
        arrivals = [arrival for pipe in pipes for arrival in pipe.recv()]
        for client in clients:
            client.join()
    finally:
        for client in clients:
            client.kill()
    if not arrivals:
        raise SystemExit("no frame arrived")
    published, committed = latencies(arrivals)
    return Result(
        len(tokens), len(arrivals) / seconds, percentiles(published), percentiles(committed), cpu_cores, memory_mb
    )


def latencies(arrivals: Sequence[Arrival]) -> tuple[list[float], list[float]]:
    """Milliseconds from publishing, and from commit, until the reading was shown."""
    from django.db import connection

    first = datetime.fromtimestamp(min(arrival.time_ms for arrival in arrivals) / 1000, UTC)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sensor, round(extract(epoch FROM time) * 1000)::bigint, "
            "extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 * 1000 FROM reading WHERE time >= %s",
            [first - timedelta(milliseconds=1)],
        )
        committed_ms = {(sensor, time_ms): at_ms for sensor, time_ms, at_ms in cursor}
    shown_ms = [arrival.arrived_us / 1000 for arrival in arrivals]
    since_published = [shown - arrival.time_ms for shown, arrival in zip(shown_ms, arrivals, strict=True)]
    since_committed = [
        shown - committed_ms[arrival.sensor, arrival.time_ms] for shown, arrival in zip(shown_ms, arrivals, strict=True)
    ]
    return since_published, since_committed


def percentiles(times: Sequence[float]) -> tuple[float, float]:
    median, late = np.percentile(times, [50, 95])
    return float(median), float(late)


if __name__ == "__main__":
    main()

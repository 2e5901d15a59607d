"""How fast readings go from a broker into the database, next to the raw COPY of the same rows.

    python -m benchmarks.ingest [--messages 100000] [--rounds 3] [--broker auto|mosquitto|embedded] [--json FILE]
                                [--processes 1 2] [--rules 1000]

Everything runs on this machine: publisher, broker, `manage.py ingest`, PostgreSQL with fsync on. QoS 1 throughout,
acknowledged after the commit, `latest` kept in the same transaction. The clock runs from the first publish to the
moment when the last reading can be read; then the rows are counted. The baseline copies the same rows, made
beforehand, in binary and in batches of 5,000, into a table with the same columns and key, without any path before
it. Both are repeated in turn, and medians are given.

With --processes 1 2 it measures instead how ingest scales: the same messages of as many plants as processes at most,
a publisher's process a plant, are taken by one process, then by two, in turn, and the rates are compared. Where the
machine's cores are busy already (the broker, the database and the publishers share them) more processes bring little.

With --rules 1000 it measures what rules cost: rounds without and with so many rules, spread over the 1,000 sensors, in
turn. Of ten rules seven are limits that are never crossed, one each is a rate of change, a stuck value and a deviation,
for which every reading is looked at; one of a hundred is a limit that is crossed at every 97th reading.
"""

import argparse
import itertools
import json
import multiprocessing
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.publisher import SENSORS, publish, rows_of
from benchmarks.servers import servers

BATCH = 5000
ROUND_MS = 3_600_000  # rounds lie an hour apart, so that no reading is a duplicate
GIVE_UP_S = 300


def main() -> None:
    options = arguments()
    with servers(options.broker) as environment:
        os.environ.update(environment)
        import django

        django.setup()
        if options.processes:
            scale(options.processes, options.messages, options.rounds)
            return
        seed("bench")
        if options.rules:
            for per_message in options.readings_per_message:
                messages = options.messages // (10 if per_message > 1 else 1)
                compare_rules(options.rules, per_message, messages, options.rounds)
            return
        results = [
            measure(per_message, options.messages // (10 if per_message > 1 else 1), options.rounds)
            for per_message in options.readings_per_message
        ]
    for result in results:
        print(
            f"{result['readings_per_message']:>4} readings a message: "
            f"{result['messages_per_s']:>8,.0f} messages/s {result['readings_per_s']:>9,.0f} readings/s "
            f"raw COPY {result['copy_readings_per_s']:>9,.0f} readings/s ratio {result['ratio']:.2f} "
            f"ingest CPU {result['cpu_us_per_message']:.1f} µs a message"
        )
    if options.json:
        options.json.write_text(json.dumps(results, indent=2))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=100_000, help="a round; a tenth of it for many readings each")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--readings-per-message", type=int, nargs="+", default=[1, 100], choices=[1, 10, 100])
    parser.add_argument("--processes", type=int, nargs="+", help="measure how many messages so many processes take")
    parser.add_argument("--rules", type=int, help="measure what so many rules cost")
    parser.add_argument("--broker", choices=["auto", "mosquitto", "embedded"], default="auto")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    return parser.parse_args()


def scale(processes: list[int], messages: int, rounds: int) -> None:
    """Compares how fast so many processes take the messages of the same plants, one reading each."""
    plants = one_for_each_shard(max(processes))
    for plant in plants:
        seed(plant)
    rates: dict[int, list[float]] = {count: [] for count in processes}
    start_ms = int(time.time() * 1000) - 24 * ROUND_MS
    for _ in range(rounds):
        for count in processes:
            base_ms = start_ms
            start_ms += ROUND_MS
            rates[count].append(messages * len(plants) / scaled_round(count, plants, messages, base_ms))
    medians = {count: statistics.median(found) for count, found in rates.items()}
    first = processes[0]
    for count, rate in medians.items():
        print(f"{count:>2} processes: {rate:>8,.0f} messages/s  {rate / medians[first]:.2f} of that with {first}")


def compare_rules(count: int, per_message: int, messages: int, rounds: int) -> None:
    """Compares how fast readings go in while no rule is switched on, and while so many are."""
    from alarms.models import Alarm, Rule

    add_rules(count)
    rates: dict[bool, list[float]] = {False: [], True: []}
    start_ms = int(time.time() * 1000) - 36 * ROUND_MS + (0 if per_message == 1 else 16 * ROUND_MS)
    for _ in range(rounds):
        for is_enabled in (False, True):
            Rule.objects.update(is_enabled=is_enabled)
            seconds, _ = ingest_round(per_message, messages, start_ms)
            rates[is_enabled].append(messages * per_message / seconds)
            start_ms += ROUND_MS
    without, with_rules = statistics.median(rates[False]), statistics.median(rates[True])
    print(
        f"{per_message:>4} readings a message: {without:>9,.0f} readings/s without rules, {with_rules:>9,.0f} with "
        f"{count:,}, ratio {with_rules / without:.2f}; {Alarm.objects.count():,} alarms"
    )
    Alarm.objects.all().delete()
    Rule.objects.all().delete()


def add_rules(count: int) -> None:
    """Rules of the kinds that plants have, by far the most of them quiet."""
    from alarms.models import Rule
    from plants.models import Plant, Sensor

    plant = Plant.objects.get(slug="bench")
    sensors = list(Sensor.objects.filter(machine__zone__plant=plant).order_by("number"))
    kinds = [("high", 1000.0), ("low", -1000.0), ("high_high", 1000.0), ("low_low", -1000.0), ("high", 1000.0)]
    kinds += [("low", -1000.0), ("high_high", 1000.0), ("rate", 1e9), ("stuck", 86_400.0), ("deviation", 1000.0)]
    rules = []
    for number in range(count):
        kind, setpoint = kinds[number % 10]
        if number % 100 == 0:
            setpoint = 20 + number % SENSORS / 100 + 9.55
        reference = sensors[(number + 1) % SENSORS] if kind == "deviation" else None
        sensor = sensors[number % SENSORS]
        rules.append(Rule(plant=plant, sensor=sensor, kind=kind, setpoint=setpoint, reference=reference))
    Rule.objects.bulk_create(rules)


def one_for_each_shard(of: int) -> list[str]:
    """Slugs of plants of which each shard has one."""
    from telemetry.ingest.shard import shard_of

    found: dict[int, str] = {}
    for number in itertools.count():
        plant = f"bench-{number}"
        found.setdefault(shard_of(plant, of), plant)
        if len(found) == of:
            return list(found.values())
    raise AssertionError


def scaled_round(count: int, plants: list[str], messages: int, base_ms: int) -> float:
    """Seconds in which `count` processes take the messages of all plants."""
    with ExitStack() as stack:
        for number in range(1, count + 1):
            stack.enter_context(ingest_process("--shard", f"{number}/{count}"))
        for plant in plants:
            warm_up(1, base_ms - ROUND_MS // 2, plant)
        ready = multiprocessing.Barrier(len(plants) + 1)
        publishers = [
            multiprocessing.Process(
                target=publish, args=(os.environ["MQTT_URL"], 1, messages, base_ms, plant, ready.wait)
            )
            for plant in plants
        ]
        for publisher in publishers:
            publisher.start()
        ready.wait()
        started = time.perf_counter()
        for plant in plants:
            if not is_stored(1, messages, base_ms, GIVE_UP_S, plant):
                raise SystemExit(f"the last reading was not stored within {GIVE_UP_S} s")
        seconds = time.perf_counter() - started
        for publisher in publishers:
            publisher.join()
    expect_stored(messages * len(plants), base_ms)
    return seconds


def seed(slug: str) -> None:
    """One plant with 10 machines of 100 sensors; the readings of the last two days are on time, and leave no mark."""
    from django.db import connection

    from plants.models import Machine, Plant, Sensor, Zone

    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE rollup_state SET shown_to = shown_to - interval '2 days', mark_from = shown_to - interval '2 days'"
        )

    plant = Plant.objects.create(slug=slug, name=slug.title())
    zone = Zone.objects.create(plant=plant, slug="line", name="Line")
    machines = Machine.objects.bulk_create(
        Machine(zone=zone, slug=f"m{number}", name=f"Machine {number}") for number in range(SENSORS // 100)
    )
    Sensor.objects.bulk_create(
        Sensor(machine=machine, slug=f"s{number}", name=f"Sensor {number}")
        for machine in machines
        for number in range(100)
    )


def measure(per_message: int, messages: int, rounds: int) -> dict[str, Any]:
    start_ms = int(time.time() * 1000) - 24 * ROUND_MS + (0 if per_message == 1 else 12 * ROUND_MS)
    ingested: list[float] = []
    copied: list[float] = []
    cpu: list[float] = []
    for number in range(rounds):
        base_ms = start_ms + number * ROUND_MS
        seconds, cpu_s = ingest_round(per_message, messages, base_ms)
        ingested.append(messages * per_message / seconds)
        cpu.append(cpu_s / messages * 1e6)
        copied.append(messages * per_message / copy_round(per_message, messages, base_ms))
    readings_per_s = statistics.median(ingested)
    copy_readings_per_s = statistics.median(copied)
    return {
        "readings_per_message": per_message,
        "messages": messages,
        "rounds": rounds,
        "messages_per_s": readings_per_s / per_message,
        "readings_per_s": readings_per_s,
        "copy_readings_per_s": copy_readings_per_s,
        "ratio": readings_per_s / copy_readings_per_s,
        "cpu_us_per_message": statistics.median(cpu),
    }


def ingest_round(per_message: int, messages: int, base_ms: int) -> tuple[float, float]:
    """Seconds from the first publish to the last row, and CPU seconds of the ingest process meanwhile."""
    with ingest_process() as pid:
        warm_up(per_message, base_ms - ROUND_MS // 2)
        cpu_before = cpu_seconds(pid)
        started = time.perf_counter()
        publish(os.environ["MQTT_URL"], per_message, messages, base_ms)
        if not is_stored(per_message, messages, base_ms, GIVE_UP_S):
            raise SystemExit(f"the last reading was not stored within {GIVE_UP_S} s")
        seconds = time.perf_counter() - started
        cpu_s = cpu_seconds(pid) - cpu_before
    expect_stored(messages * per_message, base_ms)
    return seconds, cpu_s


def expect_stored(expected: int, base_ms: int) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM reading WHERE time >= to_timestamp(%s) AND time < to_timestamp(%s)",
            [base_ms / 1000, (base_ms + ROUND_MS // 2) / 1000],
        )
        (stored,) = cursor.fetchone()
    if stored != expected:
        raise SystemExit(f"{stored:,} readings are stored, {expected:,} were published")


@contextmanager
def ingest_process(*options: str) -> Iterator[int]:
    """Runs `manage.py ingest`; gives its process id."""
    ingest = subprocess.Popen([sys.executable, "manage.py", "ingest", *options], stderr=subprocess.DEVNULL)
    try:
        yield ingest.pid
    except BaseException:
        ingest.kill()
        ingest.wait()
        raise
    ingest.send_signal(signal.SIGTERM)
    if ingest.wait(30) != 0:
        raise SystemExit("ingest did not end with 0")


def warm_up(per_message: int, base_ms: int, plant: str = "bench") -> None:
    """Publishes until something arrives: ingest has then subscribed, and has made its partitions."""
    for second in range(GIVE_UP_S):
        publish(os.environ["MQTT_URL"], per_message, 100, base_ms + second, plant)
        if is_stored(per_message, 100, base_ms + second, within_s=1, plant=plant):
            return
    raise SystemExit(f"ingest did not store anything within {GIVE_UP_S} s")


def is_stored(per_message: int, messages: int, base_ms: int, within_s: float, plant: str = "bench") -> bool:
    """Whether the last published reading is committed in time. One connection's messages are stored in order."""
    from django.db import connection

    sensor, time_us, _ = (column[-1] for column in rows_of(per_message, messages, base_ms))
    give_up_at = time.monotonic() + within_s
    with connection.cursor() as cursor:
        while time.monotonic() < give_up_at:
            cursor.execute(
                "SELECT FROM reading WHERE sensor = %s AND time = to_timestamp(%s)",
                [first_sensor_number(plant) + int(sensor), int(time_us) / 1e6],
            )
            if cursor.rowcount:
                return True
            time.sleep(0.01)
    return False


@cache
def first_sensor_number(plant: str = "bench") -> int:
    from plants.models import Sensor

    sensors = Sensor.objects.filter(machine__zone__plant__slug=plant)
    return sensors.order_by("number").values_list("number", flat=True)[0]


def copy_round(per_message: int, messages: int, base_ms: int) -> float:
    """Seconds in which psycopg copies the same rows, made beforehand, into a table of the same shape."""
    from telemetry.ingest.copy import COPY_READINGS, copy_rows
    from telemetry.ingest.store import connect

    sensor, time_us, value = rows_of(per_message, messages, base_ms)
    sensor = sensor + first_sensor_number()
    quality = np.full(len(sensor), 192, np.int16)
    parts = [slice(begin, begin + BATCH) for begin in range(0, len(sensor), BATCH)]
    buffers = [copy_rows(time_us[part], value[part], quality[part], sensor[part]) for part in parts]
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE IF NOT EXISTS raw (LIKE reading); ALTER TABLE raw DROP CONSTRAINT IF EXISTS raw_pkey; "
            "ALTER TABLE raw ADD PRIMARY KEY (sensor, time)"
        )
        started = time.perf_counter()
        for buffer in buffers:
            with cursor.copy(COPY_READINGS.replace("COPY reading", "COPY raw")) as copy:
                copy.write(buffer)
        return time.perf_counter() - started


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()

"""What `manage.py simulate` says it sent is what ingest enters into its ledger, fault by fault."""

import json
import subprocess
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Sum

from plants.models import Plant, Sensor
from telemetry.ingest.ledger import Kind
from telemetry.models import LedgerEntry, Reading
from telemetry.tests.samples import dead
from telemetry.tests.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

Manage = Callable[..., subprocess.Popen[bytes]]
Simulated = Callable[..., dict[str, Any]]
COUNTS = ("received", "stored", "duplicate", "conflict", "dead")
SHARES = {
    "--drift": "0.2",
    "--stuck": "0.2",
    "--gap": "0.2",
    "--skew": "0.3",
    "--duplicates": "0.1",
    "--reordering": "0.1",
    "--malformed": "0.05",
}
FAULTS = [*(word for pair in SHARES.items() for word in pair), "--episode", "1"]


@pytest.fixture
def simulated(manage: Manage, broker_url: str) -> Simulated:
    """Runs ingest, and then a load of 100 sensors against it; gives the summary."""
    client_id = f"inqube-test-{uuid.uuid4().hex}"
    ingest = manage("ingest", MQTT_URL=broker_url, MQTT_CLIENT_ID=client_id)
    wait_until(lambda: "broker connected" in ingest.log.read_text())  # type: ignore[attr-defined]

    def run(*args: str) -> dict[str, Any]:
        process = manage("simulate", "--sensors", "100", "--create", "--json", *args, MQTT_URL=broker_url)
        log = process.log.read_text  # type: ignore[attr-defined]
        assert process.wait(120) == 0, log()
        summary: dict[str, Any] = json.loads(log().splitlines()[-1])
        return summary

    return run


def ledger() -> dict[str, int]:
    sums = LedgerEntry.objects.filter(kind=Kind.MQTT).aggregate(**{name: Sum(name) for name in COUNTS})
    return {name: sums[name] or 0 for name in COUNTS}


@pytest.mark.parametrize("form", [["--form", "list", "--per-message", "5"], ["--form", "machine"], []])
def test_the_ledger_gains_what_the_summary_says(simulated: Simulated, form: list[str]) -> None:
    summary = simulated("--rate", "2000", "--duration", "3", *form, *FAULTS)

    assert all(summary["faults"].values()), summary["faults"]
    wait_until(lambda: ledger()["received"] == summary["ledger"]["received"], 120)
    assert ledger() == summary["ledger"]
    assert dead(Kind.MQTT) == summary["dead"]
    assert Reading.objects.count() == summary["ledger"]["stored"]
    assert summary["acknowledged"] == summary["messages"]


def test_it_makes_only_what_is_missing_of_the_plant(simulated: Simulated, kandy: Plant) -> None:
    simulated("--count", "1", "--plant", "kandy")
    Sensor.objects.filter(machine__slug="machine-1").delete()
    before = Sensor.objects.count()
    simulated("--count", "1", "--plant", "kandy")

    assert Sensor.objects.count() == before + 20
    assert Sensor.objects.filter(machine__zone__plant=kandy).count() == 103
    assert Plant.objects.get(pk=kandy.pk).name == "Kandy"


def test_bare_numbers_are_stored_as_they_come(simulated: Simulated) -> None:
    summary = simulated("--form", "number", "--rate", "100", "--count", "100")

    wait_until(lambda: ledger()["received"] == 100)
    assert ledger() == summary["ledger"]

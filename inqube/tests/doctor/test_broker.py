"""The round trip and the doors of real brokers, and what is said of those that are wrong."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inqube.doctor import broker
from inqube.doctor.findings import Finding, Status
from inqube.tests.doctor.conftest import ask
from plants.broker_address import Broker
from plants.broker_sync import read, sync
from plants.dynamic_security import control
from plants.tests.mosquitto import ManagedBroker, managed_broker


def found() -> dict[str, Finding]:
    return ask(broker.AREA)


@pytest.fixture
def managed(tmp_path: Path, settings: Any, db: None) -> Iterator[ManagedBroker]:
    """A Mosquitto whose accounts InQube keeps."""
    with managed_broker(tmp_path) as running:
        settings.MQTT_ADMIN_URL, settings.MQTT_URL = running.admin_url, running.ingest_url
        sync()
        yield running


@pytest.mark.mosquitto
class TestManaged:
    def test_it_sends_as_a_device_and_receives_as_ingest(self, managed: ManagedBroker) -> None:
        lines = found()
        assert {line.status for line in lines.values()} == {Status.OK}, lines
        assert lines["round-trip"].detail == "what a device published, ingest's account received"

    def test_it_leaves_no_account_behind(self, managed: ManagedBroker) -> None:
        found()
        with control(Broker.from_url(managed.admin_url)) as admin:
            left = read(admin)
        assert left.accounts.keys() == {"admin", "inqube"}
        assert left.roles.keys() == {"admin", "inqube:ingest"}

    def test_it_leaves_what_the_job_takes_away_where_it_is_killed(self, managed: ManagedBroker) -> None:
        with control(Broker.from_url(managed.admin_url)) as admin:
            admin.ask(broker.making(broker.client_id(), "secret", broker.topic()))
        done = sync().done
        assert sorted(each["command"] for each in done) == ["deleteClient", "deleteRole"]

    def test_it_finds_doors_that_are_open(self, managed: ManagedBroker) -> None:
        """Somebody has let everybody publish and read whatever no role speaks of."""
        acls = [{"acltype": kind, "allow": True} for kind in ("publishClientSend", "subscribe")]
        with control(Broker.from_url(managed.admin_url)) as admin:
            admin.ask([{"command": "setDefaultACLAccess", "acls": acls}])
        line = found()["access"]
        assert line.status == Status.FAILED
        assert line.detail == (
            "a device may publish under the prefix of another; a device may read what others send; "
            "ingest's account may publish"
        )
        assert "sync_devices" in line.remedy

    def test_it_finds_that_ingest_may_not_read(self, managed: ManagedBroker) -> None:
        with control(Broker.from_url(managed.admin_url)) as admin:
            admin.ask([{"command": "removeClientRole", "username": "inqube", "rolename": "inqube:ingest"}])
        assert found()["round-trip"].detail == "ingest's account may not read inqube/v1/#"

    def test_it_says_that_the_password_is_wrong(self, managed: ManagedBroker, settings: Any) -> None:
        settings.MQTT_URL = managed.ingest_url.replace(":ingests@", ":guessed@")
        lines = found()
        assert lines["broker"].status == Status.FAILED
        assert "Not authorized" in lines["broker"].detail
        assert "sync_devices" in lines["broker"].remedy
        assert lines["round-trip"] == Finding(Status.SKIPPED, "broker has to work first")

    def test_it_says_that_the_admin_is_none(self, managed: ManagedBroker, settings: Any) -> None:
        settings.MQTT_ADMIN_URL = managed.ingest_url
        line = found()["round-trip"]
        assert line.status == Status.FAILED
        assert "MQTT_ADMIN_URL" in line.remedy

    def test_it_leaves_ingests_session_alone(self, managed: ManagedBroker, settings: Any) -> None:
        own = Broker.from_url(managed.ingest_url)
        with broker.guest(own, settings.MQTT_CLIENT_ID, own.username, own.password) as ingest:
            found()
            assert not ingest.subscribe("inqube/v1/+/+/+/t").is_failure


def test_it_goes_round_where_a_broker_has_no_accounts(broker_url: str, settings: Any) -> None:
    settings.MQTT_URL, settings.MQTT_ADMIN_URL = broker_url, ""
    lines = found()
    assert lines["round-trip"] == Finding(Status.OK, "a message went out and came back")
    assert lines["access"].status == Status.WARNING
    assert lines["access"].detail == "a client without a name is let in"
    assert lines["dropped"].status == lines["queue"].status == Status.SKIPPED


@pytest.mark.mosquitto
def test_it_skips_the_round_trip_where_nobody_may_publish(managed: ManagedBroker, settings: Any) -> None:
    settings.MQTT_ADMIN_URL = ""
    lines = found()
    assert lines["round-trip"].status == Status.SKIPPED
    assert lines["access"].status == Status.OK


def test_it_says_that_the_broker_is_away(settings: Any) -> None:
    settings.MQTT_URL = "mqtt://127.0.0.1:1"
    assert found()["broker"].detail == "127.0.0.1:1: it could not be reached: Connection refused"

"""docs/asyncapi.yaml says of MQTT what the code does."""

import json
from typing import Any

import pytest

from telemetry.ingest import decode, status
from telemetry.ingest.shard import TOPIC_FILTERS
from telemetry.readings import Message, Reason
from telemetry.tests.asyncapi import document, examples, resolve, validator

CHANNELS = ("sensorReadings", "machineReadings")
TOPICS = {
    "sensorReadings": "inqube/v1/kandy/rolling/roller-2/t/temp",
    "machineReadings": "inqube/v1/kandy/rolling/roller-2/t",
}
WRONG: list[tuple[str, Any]] = [
    ("sensorReadings", None),
    ("sensorReadings", {}),
    ("sensorReadings", {"ts": 1733904005123}),
    ("sensorReadings", {"v": None}),
    ("sensorReadings", {"v": [1]}),
    ("sensorReadings", {"v": 1, "ts": 1.5}),
    ("sensorReadings", {"v": 1, "ts": None}),
    ("sensorReadings", {"v": 1, "q": 256}),
    ("sensorReadings", {"v": 1, "q": -1}),
    ("sensorReadings", {"v": 1, "q": "GOOD"}),
    ("sensorReadings", {"v": 1, "q": True}),
    ("sensorReadings", [1, 2]),
    ("sensorReadings", [{"v": 1}] * 10_001),
    ("machineReadings", 23.4),
    ("machineReadings", {}),
    ("machineReadings", {"values": [1]}),
    ("machineReadings", {"values": {"temp": None}}),
    ("machineReadings", {"values": {"temp": {"q": 192}}}),
    ("machineReadings", {"values": {"temp": {"v": 1, "q": "fine"}}}),
    ("machineReadings", {"ts": False, "values": {"temp": 1}}),
    ("machineReadings", {"values": {f"s{number}": 1 for number in range(10_001)}}),
]


def decoded(message: str, body: Any) -> tuple[list[Any], list[Any]]:
    return decode.decode(Message(TOPICS[message], json.dumps(body).encode(), 1_733_904_005_000_000, None))


@pytest.mark.parametrize(("message", "body"), [(each, body) for each in CHANNELS for body in examples(each)])
def test_it_has_examples_that_ingest_reads(message: str, body: Any) -> None:
    samples, rejected = decoded(message, body)
    assert samples
    assert rejected == []


@pytest.mark.parametrize(("message", "body"), WRONG)
def test_it_refuses_what_ingest_refuses(message: str, body: Any) -> None:
    assert not validator(message).is_valid(body)
    _, rejected = decoded(message, body)
    assert rejected


@pytest.mark.parametrize("channel", CHANNELS)
def test_it_names_the_limits_of_the_code(channel: str) -> None:
    assert document()["channels"][channel]["x-limits"] == {
        "bytes": decode.MAX_PAYLOAD_BYTES,
        "samples": decode.MAX_SAMPLES,
        "depth": decode.MAX_DEPTH,
        "largestInteger": decode.MAX_INTEGER,
    }


def test_it_names_the_limits_in_its_schemas_too() -> None:
    schemas = document()["components"]["schemas"]
    assert schemas["SensorBody"]["oneOf"][2]["maxItems"] == decode.MAX_SAMPLES
    assert schemas["Values"]["properties"]["values"]["maxProperties"] == decode.MAX_SAMPLES
    assert schemas["Quality"]["oneOf"][1]["enum"] == list(decode.QUALITY_NAMES)


@pytest.mark.parametrize("operation", ["receiveSensorReadings", "receiveMachineReadings"])
def test_it_names_every_reason_for_a_dead_letter(operation: str) -> None:
    assert set(document()["operations"][operation]["x-dead-letter-reasons"]) == set(Reason)


@pytest.mark.parametrize(("channel", "topic"), TOPICS.items())
def test_it_names_the_topics_that_ingest_reads(channel: str, topic: str) -> None:
    described = document()["channels"][channel]
    address = described["address"]
    for name, parameter in described["parameters"].items():
        address = address.replace(f"{{{name}}}", resolve(parameter["$ref"])["examples"][0])
    parsed = decode.parse_topic(address)
    assert parsed is not None
    assert (parsed[1] is None) == (channel == "machineReadings")
    assert topic.count("/") == address.count("/")


def test_it_describes_all_that_ingest_subscribes_to() -> None:
    addresses = [document()["channels"][channel]["address"] for channel in CHANNELS]
    assert {len(address.split("/")) for address in addresses} == {len(each.split("/")) for each in TOPIC_FILTERS}


def test_it_describes_what_devices_say_of_themselves() -> None:
    assert [status.online(json.dumps(said).encode()) for said in examples("deviceStatus")] == [True, False]
    refused: list[Any] = [{}, {"online": 1}, [], None]
    for wrong in refused:
        assert not validator("deviceStatus").is_valid(wrong)
        assert status.online(json.dumps(wrong).encode()) is None
    levels = document()["channels"]["deviceStatus"]["address"].split("/")
    assert "/".join("+" if level.startswith("{") else level for level in levels) == status.TOPIC_FILTER

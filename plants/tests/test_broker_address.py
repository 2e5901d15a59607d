"""What a broker's URL says, and which files TLS goes by."""

from pathlib import Path
from typing import Any

import pytest

from plants.broker_address import Broker, tls_context


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mqtt://broker.example", Broker("broker.example", 1883, False, None, None)),
        ("mqtts://broker.example", Broker("broker.example", 8883, True, None, None)),
        ("mqtt://me:p%40ss@[::1]:1884", Broker("::1", 1884, False, "me", "p@ss")),
    ],
)
def test_it_reads_the_brokers_address(url: str, expected: Broker) -> None:
    assert Broker.from_url(url) == expected


@pytest.mark.parametrize(
    "url", ["", "broker.example:1883", "http://broker.example", "mqtt://", "mqtt://host:port", "mqtt://[::1"]
)
def test_it_says_how_an_address_looks(url: str) -> None:
    with pytest.raises(ValueError, match="MQTT_URL must look like"):
        Broker.from_url(url)


def test_it_names_the_setting_that_is_wrong() -> None:
    with pytest.raises(ValueError, match="MQTT_ADMIN_URL must look like"):
        Broker.from_url("", "MQTT_ADMIN_URL")


@pytest.mark.parametrize("name", ["MQTT_CA_FILE", "MQTT_CERT_FILE"])
@pytest.mark.parametrize("content", [None, "no certificate"])
def test_it_takes_only_certificates(settings: Any, tmp_path: Path, name: str, content: str | None) -> None:
    path = tmp_path / "file.pem"
    if content is not None:
        path.write_text(content)
    setattr(settings, name, str(path))
    with pytest.raises(OSError):  # noqa: PT011 of many kinds
        tls_context()

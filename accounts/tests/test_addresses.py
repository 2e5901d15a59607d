from typing import Any

import pytest
from django.test import RequestFactory

from accounts.addresses import client_address, client_network


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "expected"),
    [
        (0, "192.0.2.1", "", "192.0.2.1"),
        (0, "192.0.2.1", "198.51.100.1", "192.0.2.1"),
        (1, "10.0.0.1", "198.51.100.1", "198.51.100.1"),
        (1, "10.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        (2, "10.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        (2, "192.0.2.1", "198.51.100.1", "192.0.2.1"),  # came past a proxy
        (1, "10.0.0.1", "", "10.0.0.1"),
        (1, "10.0.0.1", "198.51.100.1:5678", "198.51.100.1"),
        (1, "10.0.0.1", "[2001:db8::1]:443", "2001:db8::1"),
        (1, "10.0.0.1", "[2001:db8::1]", "2001:db8::1"),
        (1, "10.0.0.1", "2001:db8::1:443", "2001:db8::1:443"),  # without brackets there is no port
        (1, "10.0.0.1", "198.51.100.1:https", None),
        (1, "10.0.0.1", "[198.51.100.1:443", None),
        (1, "10.0.0.1", "unknown", None),
        (0, "", "", None),
        (0, "::ffff:192.0.2.1", "", "192.0.2.1"),
        (0, "2001:DB8::1", "", "2001:db8::1"),
        (0, "fe80::1%eth0", "", "fe80::1"),
    ],
)
def test_it_believes_only_trusted_proxies(
    rf: RequestFactory, settings: Any, proxies: int, peer: str, forwarded: str, expected: str | None
) -> None:
    settings.TRUSTED_PROXIES = proxies
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert client_address(rf.get("/", headers=headers, REMOTE_ADDR=peer)) == expected


@pytest.mark.parametrize(
    ("peer", "expected"), [("192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"), ("", None)]
)
def test_it_counts_by_the_network_of_a_client(rf: RequestFactory, peer: str, expected: str | None) -> None:
    assert client_network(rf.get("/", REMOTE_ADDR=peer)) == expected

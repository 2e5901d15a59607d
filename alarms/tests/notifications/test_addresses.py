import pytest

from alarms.notifications.addresses import is_allowed, networks, parse


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd12:3456::1",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::8.8.8.8",
        "2002:7f00:1::1",
        "2002:a9fe:a9fe::",
        "2001:0:4136:e378:8000:63bf:f5ff:fffe",
    ],
)
def test_it_reaches_no_private_network(address: str) -> None:
    assert not is_allowed(parse(address), [])


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "193.0.6.139", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]
)
def test_it_reaches_the_public_internet(address: str) -> None:
    assert is_allowed(parse(address), [])


def test_it_reaches_what_is_allowed_and_nothing_beside_it() -> None:
    allowed = networks(["10.20.0.0/16", "fd00:1::/64"])
    assert is_allowed(parse("10.20.3.4"), allowed)
    assert is_allowed(parse("::ffff:10.20.3.4"), allowed)
    assert is_allowed(parse("fd00:1::9"), allowed)
    assert not is_allowed(parse("10.21.0.1"), allowed)
    assert not is_allowed(parse("fd00:2::9"), allowed)


def test_it_takes_no_host_for_a_network() -> None:
    with pytest.raises(ValueError, match="host bits"):
        networks(["10.20.0.1/16"])

"""Which addresses a webhook may reach: the public internet, and what the settings allow beside it. Pure.

Whoever may make a channel chooses where InQube connects to, and reads in the log what answered. Without this they would
see with the server's eyes: its other ports, machines behind the firewall, a cloud's metadata (SSRF).
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
COMPATIBLE = IPv6Network("::/96")  # RFC 4291 §2.5.5.1, long out of use


def parse(text: str) -> Address:
    """Of what a resolver gives, a zone such as `fe80::1%eth0` included. Raises ValueError."""
    return ip_address(text.partition("%")[0])


def networks(texts: Iterable[str]) -> list[Network]:
    """Of a setting. Raises ValueError for what is no network, such as 10.0.0.1/8."""
    return [ip_network(text) for text in texts]


def plain(address: Address) -> Address:
    """The IPv4 address that is meant by an IPv6 address made of one."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in NAT64 or (address in COMPATIBLE and int(address) > 1):  # :: and ::1 are themselves
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def is_allowed(address: Address, private: Iterable[Network]) -> bool:
    address = plain(address)
    if any(address.version == network.version and address in network for network in private):
        return True
    return address.is_global and not (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
        or (isinstance(address, IPv6Address) and address.is_site_local)
    )

"""Where a request comes from, as far as it can be trusted."""

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest

# One household, phone or rented machine gets at least a /64 and picks any address in it.
IPV6_CLIENT_BITS = 64
# Some proxies append the client's port, or write IPv6 as in a URL.
WITH_PORT = re.compile(r"([0-9.]+):[0-9]{1,5}")
IN_BRACKETS = re.compile(r"\[([^\[\]]+)\](?::[0-9]{1,5})?")


def client_address(request: HttpRequest) -> str | None:
    """The client's IP address; None over a unix socket without a proxy, or where what was sent is no address.

    Each proxy appends the address that it was called from to `X-Forwarded-For`, and a client may send anything
    before that: only the entries of the TRUSTED_PROXIES nearest proxies count, read from the right.
    """
    proxies = settings.TRUSTED_PROXIES
    claimed = request.META.get("REMOTE_ADDR", "")
    if proxies:
        hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
        if len(hops) >= proxies:
            claimed = hops[-proxies]
    address = _parse(claimed)
    return str(address) if address else None


def client_network(request: HttpRequest) -> str | None:
    """What tries and requests are counted by: an IPv4 address, or the first address of an IPv6 /64."""
    address = _parse(client_address(request) or "")
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, IPV6_CLIENT_BITS), strict=False).network_address)
    return str(address) if address else None


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    found = WITH_PORT.fullmatch(text) or IN_BRACKETS.fullmatch(text)
    try:
        address = ip_address(found[1] if found else text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address.scope_id:
            return IPv6Address(int(address))
    return address

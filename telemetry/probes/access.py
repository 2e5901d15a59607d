"""Who may read metrics: this machine itself, and who has METRICS_TOKEN."""

from collections.abc import Mapping
from ipaddress import ip_address

from django.conf import settings
from django.utils.crypto import constant_time_compare

FORWARDED = ("X-Forwarded-For", "Forwarded")
REFUSAL = "Metrics are for this machine itself, and for who sends METRICS_TOKEN as a bearer token."


def may_scrape(peer: str, headers: Mapping[str, str]) -> bool:
    """Whether a request has the token, or was sent on this machine and came through no proxy.

    Args:
        peer: the address that it came from.
        headers: by name, in any case of its letters.
    """
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and settings.METRICS_TOKEN:
        return constant_time_compare(token.strip(), settings.METRICS_TOKEN)
    if any(header in headers for header in FORWARDED):
        return False  # a proxy on this machine: its peer is anybody
    try:
        return ip_address(peer).is_loopback
    except ValueError:  # a unix socket, behind which there may be a proxy
        return False

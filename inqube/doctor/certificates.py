"""When certificates end: those that servers show, and those in files that the settings name.

A server's is read without judging it: whether it is trusted, the check that connects says.
"""

import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from cryptography import x509
from django.conf import settings
from django.utils.timezone import now
from psycopg.conninfo import conninfo_to_dict

from inqube.doctor.findings import Area, Finding, failed, ok, skipped, warning
from plants.broker_address import Broker, tls_context

WITHIN_S = 3.0
RENEW_WITHIN = timedelta(days=21)  # who renews by a timer does so 30 days before
SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"  # PostgreSQL's, before the handshake (protocol, SSLRequest)
MQTT_FILES = ("MQTT_CA_FILE", "MQTT_CERT_FILE")
DATABASE_FILES = ("sslrootcert", "sslcert")
RENEW = "Renew it, and let whoever uses it read it anew."


class Ending(NamedTuple):
    whose: str
    at: datetime


def shown_by(host: str, port: int, context: ssl.SSLContext, greeting: Callable[[socket.socket], None]) -> datetime:
    """When the certificate ends that the server shows. OSError where it shows none."""
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection((host, port), timeout=WITHIN_S) as plain:
        greeting(plain)
        with context.wrap_socket(plain, server_hostname=host) as encrypted:
            shown = encrypted.getpeercert(binary_form=True)
    if shown is None:
        raise OSError("it shows none")
    return x509.load_der_x509_certificate(shown).not_valid_after_utc


def at_once(_: socket.socket) -> None:
    """Speaks TLS from the first byte on."""


def as_postgres(plain: socket.socket) -> None:
    plain.sendall(SSL_REQUEST)
    if plain.recv(1) != b"S":
        raise OSError("it speaks no TLS")


def in_file(path: str) -> datetime:
    """When the first of the certificates in a PEM file ends. ValueError, OSError."""
    return min(each.not_valid_after_utc for each in x509.load_pem_x509_certificates(Path(path).read_bytes()))


def judge(endings: list[Ending], moment: datetime) -> Finding:
    """By the one that ends first. Pure."""
    first = min(endings, key=lambda ending: ending.at)
    left, day = first.at - moment, f"{first.at:%Y-%m-%d}"
    if left <= timedelta():
        return failed(f"that of {first.whose} ended on {day}", RENEW)
    if left < RENEW_WITHIN:
        return warning(f"that of {first.whose} ends on {day}, in {left.days} days", RENEW)
    return ok(f"good until {day} ({first.whose})")


def of_broker(_: None) -> Finding:
    try:
        broker = Broker.from_url(settings.MQTT_URL)
    except ValueError:
        return skipped("MQTT_URL names no broker")
    if not broker.tls:
        return skipped("MQTT_URL asks for no TLS")
    return _of_server("the broker", broker.host, broker.port, tls_context())


def of_web(_: None) -> Finding:
    parts = urlsplit(settings.PUBLIC_URL)
    if parts.scheme != "https" or not parts.hostname:
        return skipped("PUBLIC_URL names no https:// address")
    return _of_server("PUBLIC_URL", parts.hostname, parts.port or 443, ssl.create_default_context())


def of_database(_: None) -> Finding:
    options = conninfo_to_dict(settings.DATABASE_URL)
    host, mode = str(options.get("host") or ""), options.get("sslmode", "prefer")
    if not host or host.startswith("/") or mode in ("disable", "allow", "prefer"):
        return skipped("DATABASE_URL asks for no TLS (sslmode)")
    greeting = at_once if options.get("sslnegotiation") == "direct" else as_postgres
    return _of_server("the database", host, int(options.get("port") or 5432), ssl.create_default_context(), greeting)


def _of_server(
    whose: str,
    host: str,
    port: int,
    context: ssl.SSLContext,
    greeting: Callable[[socket.socket], None] = at_once,
) -> Finding:
    try:
        return judge([Ending(whose, shown_by(host, port, context, greeting))], now())
    except OSError as error:
        detail = f"{whose} at {host}:{port} shows none: {error.strerror or error}"
        return failed(detail, "Look whether it runs, and speaks TLS on this port.")


def files() -> Iterator[tuple[str, str]]:
    """Which settings name which files."""
    options = conninfo_to_dict(settings.DATABASE_URL)
    named = [(name, getattr(settings, name)) for name in MQTT_FILES]
    named += [(f"{name} of DATABASE_URL", options.get(name)) for name in DATABASE_FILES]
    return ((name, str(path)) for name, path in named if path and path != "system")


def of_files(_: None) -> Finding:
    endings = []
    for name, path in files():
        try:
            endings.append(Ending(f"{name}, {path}", in_file(path)))
        except (OSError, ValueError) as error:
            detail = f"{name}, {path}, cannot be read: {getattr(error, 'strerror', None) or error}"
            return failed(detail, "It is a PEM file, which this user may read.")
    return judge(endings, now()) if endings else skipped("no setting names one")


AREAS = (  # apart, for each asks another server
    Area({"broker-certificate": of_broker}),
    Area({"web-certificate": of_web}),
    Area({"database-certificate": of_database}),
    Area({"certificate-files": of_files}),
)

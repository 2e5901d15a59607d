"""Where the broker is, how to sign in, and whom to trust there."""

import ssl
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Broker:
    host: str
    port: int
    tls: bool
    username: str | None
    password: str | None

    @classmethod
    def from_url(cls, url: str, setting: str = "MQTT_URL") -> "Broker":
        """`mqtt://user:password@host:1883` or `mqtts://…` for TLS; ValueError in words for anything else."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ValueError(f"{setting} must look like mqtt://user:password@host:1883, or mqtts://… for TLS.")
        tls = parts.scheme == "mqtts"
        return cls(
            host=parts.hostname,
            port=port or (8883 if tls else 1883),
            tls=tls,
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )


def tls_context() -> ssl.SSLContext:
    """Trusts the authorities of MQTT_CA_FILE, or the system's, and shows MQTT_CERT_FILE to brokers that ask for one.

    Raises OSError (ssl.SSLError among them) where a file can't be read or isn't what it should be.
    """
    context = ssl.create_default_context(cafile=settings.MQTT_CA_FILE or None)
    if settings.MQTT_CERT_FILE:
        context.load_cert_chain(settings.MQTT_CERT_FILE, settings.MQTT_KEY_FILE or None)
    return context

"""Authorities of the tests' own, and certificates that they sign."""

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = datetime.timedelta(days=1)
LOOPBACK = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


@dataclass(frozen=True)
class Authority:
    """Writes `NAME.crt` and `NAME.key` into the directory, itself as NAME."""

    directory: Path
    name: str
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def make(cls, directory: Path, name: str) -> "Authority":
        authority = cls(directory, name, ec.generate_private_key(ec.SECP256R1()))
        builder = authority._certificate(authority.key, name).add_extension(x509.BasicConstraints(True, 0), True)
        authority._write(name, builder, authority.key)
        return authority

    @property
    def certificate(self) -> str:
        return str(self.directory / f"{self.name}.crt")

    def issue(self, file: str, common_name: str, ends: datetime.datetime | None = None) -> tuple[str, str]:
        """The paths of a certificate, for servers at 127.0.0.1 and for clients, and of its key. It ends in a day."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._certificate(key, common_name, ends).add_extension(LOOPBACK, False)
        self._write(file, builder, key)
        return str(self.directory / f"{file}.crt"), str(self.directory / f"{file}.key")

    def _certificate(
        self, key: ec.EllipticCurvePrivateKey, common_name: str, ends: datetime.datetime | None = None
    ) -> x509.CertificateBuilder:
        today = datetime.datetime.now(datetime.UTC)
        return x509.CertificateBuilder(
            named(self.name),
            named(common_name),
            key.public_key(),
            x509.random_serial_number(),
            today - 2 * DAY,
            ends or today + DAY,
        )

    def _write(self, file: str, builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> None:
        pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
        signed = builder.sign(self.key, hashes.SHA256())
        (self.directory / f"{file}.crt").write_bytes(signed.public_bytes(pem))
        (self.directory / f"{file}.key").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))

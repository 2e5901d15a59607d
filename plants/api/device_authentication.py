"""Devices say who they are by HTTP Basic: their user name, id or `plant/name`, and their secret."""

import base64
from hashlib import sha256
from typing import Any

import structlog
from django.contrib.auth.models import AnonymousUser
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request

from accounts import throttles
from accounts.addresses import client_network
from accounts.tokens import REALM
from plants.models.devices import Device

SCHEME = b"basic"
BASIC_REALM = 'Basic realm="inqube", charset="UTF-8"'
REFUSED = "There is no such device, it is revoked, or the secret is wrong."  # which of them, is not said

log = structlog.get_logger("inqube.devices")


class DeviceAuthentication(BaseAuthentication):
    """`request.auth` is the device; its user is nobody. Wrong tries are counted by device and by address."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Device] | None:
        scheme, _, encoded = get_authorization_header(request).partition(b" ")
        if scheme.lower() != SCHEME:
            return None
        try:
            name, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        except ValueError:
            raise AuthenticationFailed(REFUSED) from None
        address = client_network(request._request) or throttles.EVERYWHERE
        # A name may be any text of any length.
        counters = {"wrong_device": f"{address}:{sha256(name.encode()).hexdigest()}", "wrong_devices": address}
        for scope, who in counters.items():
            if wait_s := throttles.ledger.full_for_s(scope, who):
                raise Throttled(wait_s, "Too many wrong tries.")
        device = Device.objects.authenticate(name, secret)
        if device is None:
            for scope, who in counters.items():
                throttles.ledger.wait_s(scope, who)
            log.warning("device refused", name=name[:130], address=address)
            raise AuthenticationFailed(REFUSED)
        device.note_seen()
        return AnonymousUser(), device

    def authenticate_header(self, request: Request) -> str:
        """What `WWW-Authenticate` says. Basic only to who sent it, or browsers would ask people for a password."""
        return BASIC_REALM if get_authorization_header(request).lower().startswith(SCHEME) else REALM


class DeviceScheme(OpenApiAuthenticationExtension):
    target_class = DeviceAuthentication
    name = "device"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "basic",
            "description": "A device: its `username` (its id and `plant/name` do too), and its secret.",
        }

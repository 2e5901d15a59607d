"""The broker: whether ingest gets in, whether a message gets through, and whether nobody gets further than they should.

Messages are published for real, but only below `inqube/v1/$doctor/`, in topics of four levels: nothing of InQube's
subscribes to such (readings have six or seven, a status five), so none becomes a reading, a dead letter or a sensor.
Where InQube keeps the broker's accounts, a device of the doctor's own is made there for the time of the round trip. It
carries InQube's mark: should the doctor be killed meanwhile, the worker's job `devices` takes it away.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from django.conf import settings

from inqube.doctor.findings import Area, Check, Finding, UnavailableError, failed, ok, skipped, warning
from inqube.doctor.guest import Guest, GuestError, guest
from plants.broker import MARK, ROLE
from plants.broker_address import Broker
from plants.dynamic_security import BrokerError, Command, Control, control

ROOT = "inqube/v1/$doctor"
DROPPED = "$SYS/broker/publish/messages/dropped"
HELD = "$SYS/broker/store/messages/count"  # with retained ones
SYSTEM = (DROPPED, HELD)
ANSWERS_WITHIN_S = 2.0
REMEDY = "Look whether the broker runs, and whether MQTT_URL names it."
MANY_HELD = 100_000  # messages; what ingest takes at once is 20,000
NOT_ARRIVED = "the broker took a message that did not reach ingest's account"
SYNC = "python manage.py sync_devices puts accounts right; then look whether the plugin is loaded on this port."
ALLOW = "Allow it; where InQube keeps the accounts: python manage.py sync_devices"
CLOSE = "Let the broker ask for accounts (Mosquitto: allow_anonymous false), or be reached from this machine alone."


class Trial(NamedTuple):
    """Of a message: why it did not get through, and what its sender could do and should not."""

    problem: str
    too_far: list[str]


@dataclass
class Visit:
    """The broker, and a connection by ingest's account, with a client id that has no part in ingest's session."""

    broker: Broker
    ingest: Guest

    @cached_property
    def trial(self) -> Trial:
        """As a device. A second time where it failed: the job `devices` may have taken the device away meanwhile."""
        first = try_as_device(self)
        return try_as_device(self) if first.problem else first

    @cached_property
    def system(self) -> dict[str, bytes]:
        """What the broker tells of itself, on a connection of its own: some end one that asks."""
        try:
            with guest(self.broker, client_id(), self.broker.username, self.broker.password) as reader:
                if not any(reader.subscribe(each).is_failure for each in SYSTEM):
                    reader.has(SYSTEM, ANSWERS_WITHIN_S)
                return reader.received
        except GuestError:
            return {}


def client_id() -> str:
    return f"inqube-doctor-{secrets.token_hex(8)}"


def topic() -> str:
    return f"{ROOT}/{secrets.token_hex(8)}"


@contextmanager
def opened() -> Iterator[Visit]:
    if not settings.MQTT_URL:
        raise UnavailableError(skipped("MQTT_URL is not set", "Set it to your MQTT 5 broker."))
    try:
        broker = Broker.from_url(settings.MQTT_URL)
    except ValueError as error:
        raise UnavailableError(failed(str(error).rstrip("."), "Mend MQTT_URL.")) from None
    try:
        ingest = Guest(broker, client_id(), broker.username, broker.password)
    except GuestError as error:
        raise UnavailableError(failed(f"{broker.host}:{broker.port}: {error}", REMEDY)) from None
    try:
        if not ingest.is_let_in:
            remedy = "MQTT_URL must name an account of the broker, with its password."
            if settings.MQTT_ADMIN_URL:
                remedy = "python manage.py sync_devices makes the account that MQTT_URL names."
            detail = f"{broker.host}:{broker.port} refuses ingest's account: {ingest.welcome}"
            raise UnavailableError(failed(detail, remedy))
        yield Visit(broker, ingest)
    finally:
        ingest.leave()


def making(name: str, password: str, may_publish: str) -> list[Command]:
    """The commands that make a device."""
    role = f"{ROLE}{name}"
    acls = [{"acltype": "publishClientSend", "topic": may_publish, "allow": True}]
    return [
        {"command": "createRole", "rolename": role, "acls": acls},
        {
            "command": "createClient",
            **{"username": name, "clientid": name, "password": password},
            **{"textdescription": f"{MARK}doctor", "roles": [{"rolename": role}]},
        },
    ]


@contextmanager
def device(admin: Control, may_publish: str) -> Iterator[tuple[str, str]]:
    """User name and password of a device that exists for so long. Raises BrokerError."""
    name, password = client_id(), secrets.token_urlsafe(32)
    try:
        for answer in admin.ask(making(name, password, may_publish)):
            if "error" in answer:
                raise BrokerError(f"The broker made no device for the trial: {answer['error']}")
        yield name, password
    finally:
        role = {"command": "deleteRole", "rolename": f"{ROLE}{name}"}
        admin.ask([{"command": "deleteClient", "username": name}, role])


def try_as_device(visit: Visit) -> Trial:
    """Where InQube keeps the accounts: a device publishes, and tries what it may not."""
    own = topic()
    admin = Broker.from_url(settings.MQTT_ADMIN_URL, "MQTT_ADMIN_URL")
    with (
        control(admin) as connected,
        device(connected, own) as (name, password),
        guest(visit.broker, name, name, password) as visitor,
    ):
        if not visitor.is_let_in:
            return Trial(f"a device made for the trial is refused: {visitor.welcome}", [])
        visit.ingest.subscribe(own)
        reason = visitor.publish(own, b"doctor")
        if reason.is_failure:
            return Trial(f"a device may not publish under its own prefix: {reason}", [])
        arrived = visit.ingest.has([own], ANSWERS_WITHIN_S)
        too_far = []
        if not visitor.publish(topic(), b"doctor").is_failure:
            too_far.append("a device may publish under the prefix of another")
        if not visitor.subscribe(f"{ROOT}/#").is_failure:
            too_far.append("a device may read what others send")
    return Trial("" if arrived else NOT_ARRIVED, too_far)


def answers(visit: Visit) -> Finding:
    way = "TLS" if visit.broker.tls else "no TLS"
    return ok(f"{visit.broker.host}:{visit.broker.port} lets ingest's account in, {way}")


def round_trip(visit: Visit) -> Finding:
    own = topic()
    if visit.ingest.subscribe(own).is_failure:
        return failed("ingest's account may not read inqube/v1/#", ALLOW)
    if settings.MQTT_ADMIN_URL:
        problem = visit.trial.problem
        return failed(problem, SYNC) if problem else ok("what a device published, ingest's account received")
    reason = visit.ingest.publish(own, b"doctor")
    if reason.is_failure:
        return skipped(f"ingest's account may not publish, which is right, and no other is known ({reason})")
    if not visit.ingest.has([own], ANSWERS_WITHIN_S):
        return failed(NOT_ARRIVED, "Look at the broker's log.")
    return ok("a message went out and came back")


def access(visit: Visit) -> Finding:
    """That the broker refuses who is nobody, and, where InQube keeps the accounts, what each may not."""
    too_far = list(_strangers(visit))
    if settings.MQTT_ADMIN_URL:
        too_far += visit.trial.too_far
        if not visit.ingest.publish(topic(), b"doctor").is_failure:
            too_far.append("ingest's account may publish")
    if too_far:
        return failed("; ".join(too_far), SYNC) if settings.MQTT_ADMIN_URL else warning("; ".join(too_far), CLOSE)
    if settings.MQTT_ADMIN_URL and not visit.trial.problem:
        return ok("nobody without a name is let in; a device publishes under its prefix alone; ingest only reads")
    return ok("nobody without a name is let in; what devices may do is for you to see to")


def _strangers(visit: Visit) -> Iterator[str]:
    try:
        with guest(visit.broker, client_id(), None, None) as stranger:
            if stranger.is_let_in:
                yield "a client without a name is let in"
    except GuestError:
        return  # refused without a word, which does as well


def dropped(visit: Visit) -> Finding:
    told = visit.system
    if DROPPED not in told:
        return skipped("the broker does not tell what it throws away")
    return ok(f"{int(told[DROPPED]):,} messages for all clients since the broker started; ingest notes each rise")


def held(visit: Visit) -> Finding:
    told = visit.system
    if HELD not in told:
        return skipped("the broker does not tell what it holds")
    count = int(told[HELD])
    if count > MANY_HELD:
        return warning(f"{count:,} messages wait on the broker", "See that ingest runs, and keeps up with them.")
    return ok(f"{count:,} messages on the broker, retained ones among them")


def answering(check: Check) -> Check:
    def checked(visit: Visit) -> Finding:
        try:
            return check(visit)
        except GuestError as error:
            return failed(f"{visit.broker.host}:{visit.broker.port}: {error}", REMEDY)
        except (BrokerError, ValueError) as error:
            return failed(str(error).rstrip("."), "MQTT_ADMIN_URL must name the admin of Mosquitto's plugin.")

    return checked


CHECKS: dict[str, Check] = {
    "broker": answers,
    "round-trip": round_trip,
    "access": access,
    "dropped": dropped,
    "queue": held,
}
AREA = Area({name: answering(check) for name, check in CHECKS.items()}, opened)

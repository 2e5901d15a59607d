"""Real servers for the whole test run, and the people and plants that tests speak of.

PostgreSQL and Valkey come from pip packages, once per run, unless DATABASE_URL or REDIS_URL point at others; an MQTT
broker once per test that asks for `broker_url`, unless MQTT_URL points at one.
Their addresses are chosen here, at import, because settings read them; they are started in `pytest_configure`
of the process that pytest-xdist's workers inherit their environment from.
pytest.ini therefore names no DJANGO_SETTINGS_MODULE: pytest-django would load the settings before this file.
"""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
import pytest

from inqube import embedded
from inqube.demo.chromium import chromium

if TYPE_CHECKING:
    from accounts.models import User
    from plants.models import Plant

pytest_plugins = ["telemetry.tests.browsing"]

ROOT = Path(__file__).resolve().parent
PASSWORD = "correct horse battery"
# A test database that is lost with the machine is no loss.
UNSAFE_BUT_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

# Nobody listens there. What is published to one broker reaches every ingest on it, so each test starts its own.
NO_BROKER = "mqtt://127.0.0.1:1"

OLDEST_NODE = 20  # the first with a WebSocket of its own

SERVERS: list[embedded.Server] = []
DIRECTORY: Path | None = None


def plan_servers() -> None:
    """Chooses the address of every server that the environment doesn't name."""
    global DIRECTORY
    missing = {name for name in ("DATABASE_URL", "REDIS_URL") if not os.environ.get(name)}
    if not missing:
        return
    DIRECTORY = Path(tempfile.mkdtemp(prefix="inqube-tests-"))
    atexit.register(shutil.rmtree, DIRECTORY, ignore_errors=True)  # also when pytest never gets to its tests
    if "DATABASE_URL" in missing:
        server = embedded.postgres(DIRECTORY / "postgres", options=UNSAFE_BUT_FAST)
        SERVERS.append(server)
        os.environ["DATABASE_URL"] = server.url
    if "REDIS_URL" in missing:
        server = embedded.valkey(DIRECTORY, embedded.free_port())
        SERVERS.append(server)
        os.environ["REDIS_URL"] = server.url


plan_servers()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inqube.settings")
os.environ.setdefault("MQTT_URL", NO_BROKER)
os.environ.setdefault("SECRET_KEY", "only-for-tests-secret-key-0123456789-0123456789-0123456789")
os.environ.setdefault("JWT_SIGNING_KEY", "only-for-tests-jwt-signing-key-0123456789-0123456789")
os.environ.setdefault("THROTTLE", "false")  # all tests come from one address; those about throttles turn them on
os.environ["CHANNEL_PREFIX"] = f"inqube-test-{os.getpid()}"  # workers share one Valkey, not their frames
django.setup()

RUNNING = ExitStack()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if DIRECTORY is None:
        return
    if config.option.help or config.option.version or config.option.collectonly:
        return
    try:
        for server in SERVERS:
            if server.name == "postgres":
                embedded.initialise_postgres(DIRECTORY / "postgres")
            RUNNING.enter_context(embedded.running(server, DIRECTORY / f"{server.name}.log"))
    except embedded.EmbeddedError as error:
        RUNNING.close()
        log = DIRECTORY / f"{server.name}.log"
        raise pytest.UsageError(f"{error}\n{log.read_text() if log.exists() else ''}") from None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first, or one worker would go on alone with one in the end."""
    slow = {item.path for item in items if any(map(item.get_closest_marker, ("timeout", "timescale", "browser")))}
    items.sort(key=lambda item: item.path not in slow)


def pytest_unconfigure(config: pytest.Config) -> None:
    RUNNING.close()


# --- What a machine may lack -----------------------------------------------------------------------------
@cache
def missing_programs() -> dict[str, str]:
    """Why the tests of a marker can't run here, by marker."""
    missing = {}
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    if shutil.which("mosquitto", path=path) is None:
        missing["mosquitto"] = "the mosquitto program is not installed (apt-get install mosquitto)"
    if not os.environ.get("TIMESCALE_TEST_URL") and shutil.which("npm") is None:
        missing["timescale"] = "there is no TimescaleDB: set TIMESCALE_TEST_URL, or install Node.js and npm"
    if chromium() is None:
        missing["browser"] = "Chromium is not installed (apt-get install chromium-headless-shell)"
    if (node := shutil.which("node")) is None or node_release(node) < OLDEST_NODE:
        missing["node"] = f"Node.js {OLDEST_NODE} or later is not installed (apt-get install nodejs)"
    return missing


def node_release(node: str) -> int:
    """`v20.20.2` → 20"""
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    return int(version.removeprefix("v").split(".")[0])


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker, reason in missing_programs().items():
        if item.get_closest_marker(marker) is None:
            continue
        if os.environ.get("CI") == "true":
            pytest.fail(f"under CI every test runs, but {reason}", pytrace=False)
        pytest.skip(reason)


# --- Database --------------------------------------------------------------------------------------------
KEPT = {"django_content_type", "auth_permission"}  # which migrations fill
JOBS = [f"procrastinate_{table}" for table in ("jobs", "workers", "events", "periodic_defers")]  # not Django's


def empty_tables(case: Any) -> None:
    """Takes the rows of a transactional test away: instead of `flush`, which takes most of a second.

    That truncates all tables, most of them empty, and makes content types and permissions anew. Procrastinate's tables
    are not Django's to empty: a job that a test's change deferred would be late in a test that runs minutes later.
    Without triggers also audit tables, which refuse it else, let their rows go.
    """
    from django.db import connection, transaction

    tables = sorted({*connection.introspection.django_table_names(only_existing=True), *JOBS} - KEPT)
    found = " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT FROM {table})" for table in tables)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(found)
        full = [table for (table,) in cursor.fetchall()]
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table in full:
            cursor.execute(f"DELETE FROM {table}")


@pytest.fixture(scope="session", autouse=True)
def quick_teardown() -> Iterator[None]:
    from django.test import TransactionTestCase

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty_tables)
        yield


@pytest.fixture(scope="session")
def password_hash() -> str:
    """PASSWORD, hashed once by the real hasher, which takes its time by design."""
    from django.contrib.auth.hashers import make_password

    return make_password(PASSWORD)


@pytest.fixture
def alice(db: None, password_hash: str) -> "User":
    """Admin."""
    from accounts.models import User

    return User.objects.create(email="alice@example.org", name="Alice", role="admin", password=password_hash)


@pytest.fixture
def bob(kandy: "Plant", password_hash: str) -> "User":
    """Operator, member of kandy."""
    return member(kandy, "Bob", "operator", password_hash)


@pytest.fixture
def vera(kandy: "Plant", password_hash: str) -> "User":
    """Viewer, member of kandy."""
    return member(kandy, "Vera", "viewer", password_hash)


@pytest.fixture
def charlie(rotterdam: "Plant", password_hash: str) -> "User":
    """Operator, member of rotterdam only: kandy must not exist for him."""
    return member(rotterdam, "Charlie", "operator", password_hash)


def member(plant: "Plant", name: str, role: str, password_hash: str) -> "User":
    from accounts.models import User
    from plants.models import Membership

    email = f"{name.lower()}@example.org"
    user = User.objects.create(email=email, name=name, role=role, password=password_hash)
    Membership.objects.create(plant=plant, user=user)
    return user


# --- Plants ----------------------------------------------------------------------------------------------
@pytest.fixture
def kandy(db: None) -> "Plant":
    """A tea factory: zone rolling, machine roller-2, sensors temp, rpm and state."""
    from plants.models import Machine, Plant, Sensor, Zone

    plant = Plant.objects.create(slug="kandy", name="Kandy", location="Sri Lanka", timezone="Asia/Colombo")
    zone = Zone.objects.create(plant=plant, slug="rolling", name="Rolling", kind="line")
    machine = Machine.objects.create(zone=zone, slug="roller-2", name="Roller 2", type="roller")
    Sensor.objects.create(machine=machine, slug="temp", name="Temperature", type="temperature", unit="°C")
    Sensor.objects.create(machine=machine, slug="rpm", name="Speed", type="speed", unit="rpm", position=1)
    states = {"0": "stopped", "1": "running", "2": "idle", "3": "fault"}
    Sensor.objects.create(machine=machine, slug="state", name="State", kind="state", states=states, position=2)
    return plant


@pytest.fixture
def rotterdam(db: None) -> "Plant":
    """Another plant, of other people: zone mixing, machine mixer-1, sensor power."""
    from plants.models import Machine, Plant, Sensor, Zone

    plant = Plant.objects.create(slug="rotterdam", name="Rotterdam", timezone="Europe/Amsterdam")
    zone = Zone.objects.create(plant=plant, slug="mixing", name="Mixing")
    machine = Machine.objects.create(zone=zone, slug="mixer-1", name="Mixer 1", type="mixer")
    Sensor.objects.create(machine=machine, slug="power", name="Power", type="power", unit="kW")
    return plant


# --- Processes -------------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def process_env(django_db_setup: None) -> dict[str, str]:
    """The environment of a child process that works on this worker's test database and hears its live frames.

    What a test writes is seen there if it is committed: such tests ask for `transactional_db`.
    """
    from django.conf import settings
    from django.db import connection
    from psycopg.conninfo import make_conninfo

    name = connection.settings_dict["NAME"]
    return {
        **os.environ,
        "DATABASE_URL": make_conninfo(os.environ["DATABASE_URL"], dbname=name),
        # A pytest-xdist worker has read its settings, with the controller's prefix, before this file is imported.
        "CHANNEL_PREFIX": settings.CHANNEL_PREFIX,
    }


@pytest.fixture
def broker_url(tmp_path: Path) -> Iterator[str]:
    """The broker that MQTT_URL names, or one of the test's own."""
    if os.environ["MQTT_URL"] != NO_BROKER:
        yield os.environ["MQTT_URL"]
        return
    server = embedded.broker(tmp_path, port_v5=embedded.free_port(), port_v311=embedded.free_port())
    with embedded.running(server, tmp_path / "broker.log"):
        yield server.url


Manage = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def manage(process_env: dict[str, str], transactional_db: None, tmp_path: Path) -> Iterator[Manage]:
    """Starts `manage.py …`; its log is `process.log` (a Path). Ended and reaped after the test.

    Keyword arguments are added to its environment: `manage("ingest", MQTT_CLIENT_ID="a")`.
    """
    started: list[subprocess.Popen[bytes]] = []

    def start(*args: str, **environment: str) -> subprocess.Popen[bytes]:
        log = tmp_path / f"{args[0]}-{len(started)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), *args],
                env=process_env | environment,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=embedded.end_with_parent(signal.SIGKILL),
            )
        process.log = log  # type: ignore[attr-defined]
        started.append(process)
        return process

    yield start
    for process in started:
        embedded.stop(process, signal.SIGTERM)

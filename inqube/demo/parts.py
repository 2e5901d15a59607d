"""The parts of the demo: servers that a pip package brings, and InQube's own processes."""

import sys
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

from inqube import embedded
from inqube.demo.directory import Directory
from inqube.demo.environment import Ports
from inqube.demo.supervision import Program

WEB_MESSAGE_BYTES = 64 * 1024  # a browser sends subscriptions and acknowledgements, nothing larger
OWN_START_S = 5  # Django's start, and a connection that is refused; ending sooner counts as a failed start


def embedded_servers(directory: Directory, ports: Ports, external: Mapping[str, str]) -> dict[str, embedded.Server]:
    """By variable, the servers to be started: those that the person's environment doesn't name."""
    servers = {}
    if "DATABASE_URL" not in external:
        servers["DATABASE_URL"] = embedded.postgres(directory.postgres)
    if "REDIS_URL" not in external:
        servers["REDIS_URL"] = embedded.valkey(directory.root, ports.valkey)
    if "MQTT_URL" not in external:
        servers["MQTT_URL"] = embedded.broker(directory.root, port_v5=ports.mqtt5, port_v311=ports.mqtt)
    return servers


def server_programs(servers: Mapping[str, embedded.Server], directory: Directory) -> list[Program]:
    return [
        Program(server.name, server.argv, directory.root, user=server.user, stop_signal=server.stop_signal)
        for server in servers.values()
    ]


def own_programs(ports: Ports, *, simulator: bool) -> list[Program]:
    """Web, ingest, worker and the simulator; started when the database is ready for them."""
    manage = str(Path(settings.BASE_DIR) / "manage.py")
    daphne = [sys.executable, "-m", "daphne", "-b", embedded.LOOPBACK, "-p", str(ports.web)]
    daphne += ["--websocket-max-message-size", str(WEB_MESSAGE_BYTES), "inqube.asgi:application"]
    argvs = {
        "web": daphne,
        "ingest": [sys.executable, manage, "ingest"],
        "worker": [sys.executable, manage, "procrastinate", "worker"],
    }
    if simulator:
        argvs["simulator"] = [sys.executable, manage, "simulate"]
    return [
        Program(name, argv, Path(settings.BASE_DIR), autostart=False, start_s=OWN_START_S)
        for name, argv in argvs.items()
    ]

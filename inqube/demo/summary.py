"""What the demo says once it is up: what to open, who may sign in, what to paste."""

import shlex
import sys
from urllib.parse import unquote, urlsplit

from django.conf import settings
from rich.console import Console
from rich.table import Table

from inqube.demo.directory import Directory
from inqube.demo.travel import Travelled

OPEN_BROKER = "takes connections of this machine only, and asks for no login: not for a plant"
EXAMPLE = Travelled("kandy/rolling/roller-1/bearing-temp", 48.5, "°C")  # where no reading has been waited for


def publish_line(broker: str, address: str, value: float) -> str:
    """A command that publishes one value to a sensor."""
    plant, zone, machine, sensor = address.split("/")
    url = urlsplit(broker)
    words = ["mosquitto_pub", "-h", url.hostname or "", "-p", str(url.port or 1883), "-q", "1"]
    if url.username:
        words += ["-u", unquote(url.username), "-P", unquote(url.password or "")]
    words += ["-t", f"inqube/v1/{plant}/{zone}/{machine}/t/{sensor}", "-m", f"{value:.10g}"]
    return shlex.join(words)


def latest_line(site: str, person: dict[str, str], plant: str) -> str:
    """A shell line that signs in and asks for the latest readings of a plant."""
    username = shlex.quote(f"username={person['email']}")
    password = shlex.quote(f"password={person['password']}")
    token = (
        f"curl -s {site}/api/v1/login/access-token --data-urlencode {username} --data-urlencode {password}"
        """ | sed 's/.*"access_token": *"\\([^"]*\\)".*/\\1/'"""
    )
    return f"curl -s '{site}/api/v1/telemetry/latest?plant={plant}' -H \"Authorization: Bearer $({token})\""


def command_line(directory: Directory) -> str:
    program = shlex.join([sys.executable, str(settings.BASE_DIR / "manage.py")])
    return f"(set -a; . {shlex.quote(str(directory.environment))}; {program} help)"


def show(
    console: Console,
    directory: Directory,
    site: str,
    broker: str,
    credentials: dict[str, dict[str, str]],
    travelled: Travelled | None,
    *,
    is_open: bool,
) -> None:
    """`is_open`: the broker is the embedded one, which asks nobody who they are."""
    reading = travelled if travelled and travelled.unit else EXAMPLE  # a state's 1 says little
    plant = reading.address.split("/")[0]
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("Live pages", f"{site}/")
    table.add_row("Admin", f"{site}/admin/")
    table.add_row("API", f"{site}/api/v1/docs")
    for role, person in credentials.items():
        table.add_row(role.capitalize(), f"{person['email']}  {person['password']}")
    table.add_row("", f"kept in {directory.credentials}")
    table.add_row("Broker", broker)
    if is_open:
        table.add_row("", OPEN_BROKER)
    table.add_row("Logs", f"{directory.logs}/")
    if travelled:
        table.add_row("First reading", f"{travelled.address} = {travelled.value:g} {travelled.unit}")
    console.print(table, highlight=False)
    for title, line in {
        "Publish a reading:": publish_line(broker, reading.address, reading.value),
        "Read the latest:": latest_line(site, credentials["viewer"], plant),
        "Run a command on this factory:": command_line(directory),
    }.items():
        console.print(f"\n{title}", style="bold")
        console.print(line, soft_wrap=True, markup=False, highlight=False)
    console.print()

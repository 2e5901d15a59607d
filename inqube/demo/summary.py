"""What the demo says once it is up: what to open, who may sign in, what to paste."""

import shlex

from rich.console import Console
from rich.table import Table

from inqube import embedded
from inqube.demo.directory import Directory
from inqube.demo.environment import Ports
from inqube.demo.travel import Travelled

EXAMPLE = Travelled("kandy/rolling/roller-1/temp", 31.5, "°C")  # where no reading has been waited for


def publish_line(port: int, address: str, value: float) -> str:
    """A command that publishes one value to a sensor."""
    plant, zone, machine, sensor = address.split("/")
    topic = f"inqube/v1/{plant}/{zone}/{machine}/t/{sensor}"
    return f"mosquitto_pub -h {embedded.LOOPBACK} -p {port} -q 1 -t {topic} -m {value:g}"


def latest_line(site: str, person: dict[str, str], plant: str) -> str:
    """A shell line that signs in and asks for the latest readings of a plant."""
    username = shlex.quote(f"username={person['email']}")
    password = shlex.quote(f"password={person['password']}")
    token = (
        f"curl -s {site}/api/v1/login/access-token --data-urlencode {username} --data-urlencode {password}"
        """ | sed 's/.*"access_token": *"\\([^"]*\\)".*/\\1/'"""
    )
    return f"curl -s '{site}/api/v1/telemetry/latest?plant={plant}' -H \"Authorization: Bearer $({token})\""


def show(
    console: Console,
    directory: Directory,
    ports: Ports,
    credentials: dict[str, dict[str, str]],
    travelled: Travelled | None,
) -> None:
    site = f"http://{embedded.LOOPBACK}:{ports.web}"
    reading = travelled or EXAMPLE
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
    table.add_row("Broker", f"mqtt://{embedded.LOOPBACK}:{ports.mqtt} (3.1.1), :{ports.mqtt5} (5)")
    table.add_row("Logs", f"{directory.logs}/")
    table.add_row("Commands", f"set -a; . {shlex.quote(str(directory.environment))}; set +a; python manage.py …")
    if travelled:
        table.add_row("First reading", f"{travelled.address} = {travelled.value:g} {travelled.unit}")
    console.print(table, highlight=False)
    for title, line in {
        "Publish a reading:": publish_line(ports.mqtt, reading.address, reading.value),
        "Read the latest:": latest_line(site, credentials["viewer"], plant),
    }.items():
        console.print(f"\n{title}", style="bold")
        console.print(line, soft_wrap=True, markup=False, highlight=False)
    console.print()

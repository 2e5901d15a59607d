"""All that the machine page reads: its sensors with an hour of sparkline each, its last hours, its open alarms."""

from dataclasses import dataclass, replace
from datetime import datetime

from alarms.models import Alarm
from plants.models import Machine, Sensor
from telemetry.alarm_rows import AlarmRow
from telemetry.queries.alarms import add_marks, marks_of, worst_open
from telemetry.queries.console import MachineView, sensor_views
from telemetry.queries.sparklines import sparklines
from telemetry.queries.state_changes import state_changes
from telemetry.queries.timeline import Stretch, timeline


@dataclass(frozen=True, slots=True)
class MachinePage:
    view: MachineView
    timeline: list[Stretch]
    open_alarms: list[AlarmRow]


def machine_view(machine: Machine, now: datetime) -> MachineView:
    """The machine with its active sensors, in their order on the page."""
    own = list(
        Sensor.objects.filter(machine=machine, is_active=True).select_related("latest").order_by("position", "name")
    )
    return MachineView(machine, sensor_views(own, own, now))


def timeline_of(view: MachineView, now: datetime) -> list[Stretch]:
    state = view.state_sensor
    return timeline(state.sensor if state else None, [each.sensor for each in view.sensors], now)


def machine_page(machine: Machine, now: datetime) -> MachinePage:
    """As many queries for many sensors as for one."""
    view = machine_view(machine, now)
    points = sparklines([each.sensor.number for each in view.sensors], now)
    view.sensors = [replace(each, points=points.get(each.sensor.number, [])) for each in view.sensors]
    if (state := view.state_sensor) is not None:
        view.since = state_changes([state.sensor.number]).get(state.sensor.number)
    alarms = Alarm.objects.filter(machine=machine)
    add_marks([view], marks_of(alarms, now))
    return MachinePage(view, timeline_of(view, now), worst_open(alarms, now))

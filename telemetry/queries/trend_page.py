"""All that the trend page reads: its sensors and their machines, their past as tables, and what may be added."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from accounts.models import User
from plants.models import Machine, Sensor
from telemetry.freshness import Freshness
from telemetry.queries.console import MachineView, SensorView, sensor_views
from telemetry.queries.history.answer import Question, Series, history
from telemetry.queries.history.limited import TooSlowError
from telemetry.queries.history.refused import RefusedError
from telemetry.queries.limits import Limit, limits_of
from telemetry.queries.neighbours import neighbours
from telemetry.queries.trend_alarms import Episode, episodes

TABLE_ROWS = 48  # of each sensor, before a script shows more
MOST_CHOICES = 1000  # sensors to add


@dataclass(frozen=True, slots=True)
class TrendSensor:
    view: SensorView
    series: Series | None  # None: the past was not read; `TrendPage.refused` says why
    limits: list[Limit] = field(default_factory=list)

    @property
    def sensor(self) -> Sensor:
        return self.view.sensor

    @property
    def freshness(self) -> Freshness:
        return self.view.freshness


@dataclass(frozen=True, slots=True)
class TrendPage:
    sensors: list[TrendSensor]
    choices: list[Sensor]
    machines: list[MachineView]
    alarms: list[Episode] = field(default_factory=list)
    refused: str = ""
    before: datetime | None = None  # the last readings before and the first after a range that has none
    after: datetime | None = None

    @property
    def is_empty(self) -> bool:
        return not self.refused and not any(each.series and each.series["points"] for each in self.sensors)


def sensors_named(user: User, names: Sequence[str]) -> list[Sensor] | None:
    """In the order of their names; None if the user sees no sensor of one of them."""
    visible = Sensor.objects.visible_to(user).named(names).select_related("machine__zone__plant", "latest")
    by_name = {key: sensor for sensor in visible for key in (str(sensor.pk), sensor.address)}
    if any(name not in by_name for name in names):
        return None
    return list(dict.fromkeys(by_name[name] for name in names))


def trend_page(user: User, sensors: Sequence[Sensor], start: datetime, end: datetime, now: datetime) -> TrendPage:
    """As many queries for many sensors as for one."""
    machines = machine_views(sensors, now)
    views = {each.sensor.pk: each for machine in machines for each in machine.sensors}
    found: list[Series] = []
    refused = ""
    tz = sensors[0].machine.zone.plant.tz if sensors else None
    try:
        found = history(sensors, Question(start, end, "auto", points=TABLE_ROWS, tz=tz), now) if sensors else []
    except RefusedError as error:
        refused = error.detail
    except TooSlowError:
        refused = "The answer would take too long: take a shorter range or fewer sensors."
    by_pk = {series["sensor_id"]: series for series in found}
    limits = limits_of(sensors)
    rows = [TrendSensor(views[sensor.pk], by_pk.get(sensor.pk), limits[sensor.pk]) for sensor in sensors]
    page = TrendPage(rows, choices(user, sensors), machines, episodes(sensors, start, end, now), refused)
    if sensors and page.is_empty:
        before, after = neighbours([each.number for each in sensors], start, end)
        page = replace(page, before=before, after=after)
    return page


def machine_views(sensors: Sequence[Sensor], now: datetime) -> list[MachineView]:
    """The sensors' machines with all of their sensors in use, which vouch for each other, and those asked for."""
    machines: dict[UUID, Machine] = {each.machine_id: each.machine for each in sensors}
    asked = {each.pk for each in sensors}
    found = Sensor.objects.filter(machine__in=machines).select_related("latest").order_by("position", "name")
    of_machine: dict[UUID, list[Sensor]] = {}
    for each in found:
        if each.is_active or each.pk in asked:
            each.machine = machines[each.machine_id]
            of_machine.setdefault(each.machine_id, []).append(each)
    views = []
    for key, machine in machines.items():
        own = of_machine.get(key, [])
        views.append(MachineView(machine, sensor_views(own, [each for each in own if each.is_active], now)))
    return views


def choices(user: User, shown: Sequence[Sensor]) -> list[Sensor]:
    """Sensors that may be added: of the first one's plant, or of all plants as long as there is none."""
    visible = Sensor.objects.visible_to(user).filter(is_active=True).select_related("machine__zone__plant")
    if shown:
        visible = visible.filter(machine__zone__plant=shown[0].machine.zone.plant_id)
    visible = visible.exclude(pk__in=[each.pk for each in shown])
    order = ("machine__zone__plant__name", "machine__zone__position", "machine__position", "machine__name", "position")
    return list(visible.order_by(*order, "name")[:MOST_CHOICES])

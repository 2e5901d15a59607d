"""All that the trend page reads: its sensors, their past as tables, and what may be added."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from plants.models import Sensor
from telemetry.freshness import Freshness
from telemetry.queries.console import SensorView, sensor_views
from telemetry.queries.history.answer import Question, Series, history
from telemetry.queries.history.limited import TooSlowError
from telemetry.queries.history.refused import RefusedError

TABLE_ROWS = 48  # of each sensor, before a script shows more
MOST_CHOICES = 1000  # sensors to add


@dataclass(frozen=True, slots=True)
class TrendSensor:
    view: SensorView
    series: Series | None  # None: the past was not read; `TrendPage.refused` says why

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
    refused: str = ""


def sensors_named(user: User, names: Sequence[str]) -> list[Sensor] | None:
    """In the order of their names; None if the user sees no sensor of one of them."""
    visible = Sensor.objects.visible_to(user).named(names).select_related("machine__zone__plant", "latest")
    by_name = {key: sensor for sensor in visible for key in (str(sensor.pk), sensor.address)}
    if any(name not in by_name for name in names):
        return None
    return list(dict.fromkeys(by_name[name] for name in names))


def trend_page(user: User, sensors: Sequence[Sensor], start: datetime, end: datetime, now: datetime) -> TrendPage:
    """As many queries for many sensors as for one."""
    own = list(
        Sensor.objects.filter(machine__in={each.machine_id for each in sensors}, is_active=True).select_related(
            "latest"
        )
    )
    views = [
        sensor_views([sensor], [each for each in own if each.machine_id == sensor.machine_id], now)[0]
        for sensor in sensors
    ]
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
    rows = [TrendSensor(view, by_pk.get(view.sensor.pk)) for view in views]
    return TrendPage(rows, choices(user, sensors), refused)


def choices(user: User, shown: Sequence[Sensor]) -> list[Sensor]:
    """Sensors that may be added: of the first one's plant, or of all plants as long as there is none."""
    visible = Sensor.objects.visible_to(user).filter(is_active=True).select_related("machine__zone__plant")
    if shown:
        visible = visible.filter(machine__zone__plant=shown[0].machine.zone.plant_id)
    visible = visible.exclude(pk__in=[each.pk for each in shown])
    order = ("machine__zone__plant__name", "machine__zone__position", "machine__position", "machine__name", "position")
    return list(visible.order_by(*order, "name")[:MOST_CHOICES])

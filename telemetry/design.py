"""Examples of everything that pages are made of, in every state: what the design page fills the real templates with."""

import math
from datetime import datetime, timedelta
from typing import Any

from plants.models import Machine, Plant, Sensor, Zone
from plants.scales import BAD, GOOD, UNCERTAIN
from telemetry.alarm_rows import AlarmBanner, AlarmList, AlarmMark, AlarmRow, Severity, ShelvedRow, Standing
from telemetry.freshness import Freshness
from telemetry.models import Latest
from telemetry.queries.console import MachineView, SensorView, ZoneView
from telemetry.queries.state_changes import Since
from telemetry.queries.timeline import Stretch

PLANT = Plant(slug="example", name="Kandy Tea", location="Kandy, Sri Lanka", timezone="Asia/Colombo")
ZONE = ZoneView(Zone(slug="rolling", name="Rolling", plant=PLANT), [])
ROLLER = "Kandy Tea / Rolling"


def sensor_view(
    now: datetime,
    name: str,
    value: float | None,
    *,
    age_s: float = 2,
    freshness: Freshness = "fresh",
    quality: int = GOOD,
    alarm: AlarmMark | None = None,
    **fields: Any,
) -> SensorView:
    """With an hour of readings that end at the value; None for a sensor that never had one."""
    sensor = Sensor(name=name, slug="example", **{"unit": "°C", "low": 0.0, "high": 120.0, "decimals": 1} | fields)
    if value is None:
        return SensorView(sensor, None, freshness)
    newest = now - timedelta(seconds=age_s)
    wave = (lambda step: step) if sensor.kind == "counter" else (lambda step: step % 7 - math.sin(step))
    points = [(newest - timedelta(minutes=2 * step), value - wave(step)) for step in range(29, 0, -1)]
    latest = Latest(time=newest, value=value, quality=quality, received_at=newest)
    return SensorView(sensor, latest, freshness, points, alarm)


def tiles(now: datetime) -> list[SensorView]:
    valve: dict[str, Any] = {
        "unit": "",
        "kind": "state",
        "states": {"0": "closed", "1": "open"},
        "low": None,
        "high": None,
    }
    counter: dict[str, Any] = {"unit": "", "kind": "counter", "decimals": 0, "low": None, "high": None}
    return [
        sensor_view(now, "Fresh", 57.8),
        sensor_view(now, "Late", 42.0, age_s=52, freshness="late"),
        sensor_view(now, "Stale", 51.8, age_s=840, freshness="stale"),
        sensor_view(now, "Bad quality", 64.1, quality=BAD),
        sensor_view(now, "Uncertain quality", 62.3, quality=UNCERTAIN),
        sensor_view(now, "No data yet", None, freshness="none"),
        sensor_view(now, "Counter", 12840, **counter),
        sensor_view(now, "State", 0, **valve),
        sensor_view(now, "Critical alarm", 96.4, alarm=AlarmMark("critical", "raised")),
        sensor_view(now, "High alarm, acknowledged", 87.1, alarm=AlarmMark("high", "acknowledged")),
        sensor_view(now, "Medium alarm", 34.2, alarm=AlarmMark("medium", "raised")),
        sensor_view(now, "Low alarm, cleared", 4.6, alarm=AlarmMark("low", "cleared"), unit="%", high=100.0),
    ]


def machine(now: datetime, name: str, state: int, sensors: list[SensorView], since_min: float) -> MachineView:
    labels = {"0": "stopped", "1": "running", "2": "idle", "3": "fault", "4": "maintenance"}
    said = sensor_view(now, "State", state, kind="state", states=labels)
    return MachineView(
        Machine(name=name, slug="example"), [*sensors, said], Since(now - timedelta(minutes=since_min), True)
    )


def machines(now: datetime) -> list[MachineView]:
    silent = [
        sensor_view(now, name, 25.0, age_s=4440, freshness="stale", unit="kg") for name in ("Bag weight", "Bags today")
    ]
    return [
        machine(
            now,
            "Rows in a card",
            1,
            [
                sensor_view(now, "Fresh", 42.6, unit="A"),
                sensor_view(now, "Late", 71.5, age_s=48, freshness="late", unit="%"),
                sensor_view(now, "Stale", 97.9, age_s=840, freshness="stale"),
            ],
            34,
        ),
        machine(
            now,
            "Machine in fault",
            3,
            [
                sensor_view(now, "In alarm", 96.4, alarm=AlarmMark("critical", "raised")),
                sensor_view(now, "Bad quality", 1.0, quality=BAD),
                sensor_view(now, "Uncertain", 62.0, quality=UNCERTAIN, unit="%", decimals=0),
            ],
            2,
        ),
        MachineView(Machine(name="Silent machine", slug="example"), silent),
        MachineView(Machine(name="Never heard", slug="example"), [sensor_view(now, "Speed", None, freshness="none")]),
    ]


def hours(now: datetime) -> list[Stretch]:
    """Eight of them, with everything a machine can be in."""
    courses = (
        ("running", "Running", 8.0),
        ("idle", "Idle", 5.2),
        ("maintenance", "Maintenance", 4.4),
        ("stopped", "Stopped", 3.4),
        ("silent", "No readings", 2.6),
        ("fault", "Fault", 1.9),
        ("running", "Running", 1.6),
    )
    ends = [hours for *_, hours in courses[1:]] + [0.0]
    at = now.timestamp()
    return [
        Stretch(at - 3600 * begin, at - 3600 * end, pictogram, word)  # type: ignore[arg-type]
        for (pictogram, word, begin), end in zip(courses, ends, strict=True)
    ]


def alarm(title: str, severity: Severity, standing: Standing, place: str = ROLLER, **said: Any) -> AlarmRow:
    id = title.lower().replace(" ", "-")
    return AlarmRow(id, severity, standing, title, place, **said)


HIGH_HIGH = alarm(
    "Roller 2: bearing temperature high-high",
    "critical",
    "raised",
    advice="Stop the batch. Check the grease line and cap pressure.",
    value="96.4 °C",
    limit="limit 95",
    clock="14:29:41",
    offset="+05:30",
    ago="2 min",
    said="not acknowledged",
    assigned="N. Perera",
)
TRIPPED = alarm(
    "Roller 2: motor tripped",
    "high",
    "raised",
    advice="Find the cause before reset.",
    value="Fault",
    clock="14:29:46",
    offset="+05:30",
    ago="2 min",
    said="not acknowledged",
)
ALARMS = AlarmList(
    waiting=[
        HIGH_HIGH,
        TRIPPED,
        alarm(
            "Roller 2: vibration high",
            "high",
            "cleared",
            advice="Compare with the free end.",
            value="peak 7.9 mm/s",
            limit="limit 7.1",
            clock="14:24:10",
            offset="+05:30",
            ago="lasted 52 s",
            said="14:25:02",
        ),
    ],
    acknowledged=[
        alarm(
            "Dryer 2: inlet and exhaust, no data",
            "medium",
            "acknowledged",
            place="Kandy Tea / Fermenting and drying",
            advice="Check thermocouple card 2.",
            value="no data",
            limit="expected every 5 s",
            clock="14:18:40",
            offset="+05:30",
            ago="13 min",
            said="N. Perera, 14:20",
        ),
        alarm(
            "Conveyor: speed stuck",
            "low",
            "acknowledged",
            place="Rotterdam / Packing",
            advice="Same value for 30 min.",
            value="1.20 m/s",
            clock="08:11:09",
            offset="+01:00",
            ago="1 h 51 min",
            said="J. de Vries, 08:15",
        ),
    ],
    shelved=[
        ShelvedRow(
            alarm("Fermenting drum: humidity high", "medium", "shelved", place="Kandy Tea / Fermenting and drying"),
            "Probe is being calibrated, ticket 4412",
            "N. Perera",
            "16:00 +05:30",
            "1 h 28 min left",
            62,
        ),
        ShelvedRow(
            alarm("Rinser: conductivity high", "low", "shelved", place="Rotterdam / Filling"),
            "New water softener settling",
            "J. de Vries",
            "12:00 +01:00",
            "1 h 58 min left",
            35,
        ),
    ],
)
BANNERS = [AlarmBanner(HIGH_HIGH, 3), AlarmBanner(TRIPPED, 1)]

"""A report for programs: as JSON, or an alarm a line."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from alarms.models import Rule
from plants.scales import SECOND_US, instant, microseconds
from telemetry.backtest.figures import Episode
from telemetry.backtest.report import Figures, Report, Result

COLUMNS = ("address", "start", "end", "duration_s", "trigger", "peak")


def as_json(report: Report) -> dict[str, Any]:
    """Times as ISO 8601 in UTC, durations in seconds; `end` of an alarm is null where it lasts at the end."""
    rule, advice = report.rule, report.advice
    return {
        "rule": {
            "kind": rule.kind,
            "setpoint": rule.setpoint,
            "deadband": rule.deadband,
            "on_delay_s": rule.on_delay_s,
            "off_delay_s": rule.off_delay_s,
        },
        "start": report.start.isoformat(),
        "end": report.end.isoformat(),
        "readings": report.readings,
        **figures(report, report.figures),
        "advice": {
            "deadband": advice.deadband,
            "on_delay_s": advice.on_delay_s,
            "off_delay_s": advice.off_delay_s,
            "reasons": advice.reasons,
            "after": None if advice.after is None else figures(report, advice.after),
        },
        "sensors": [_sensor(report, result) for result in report.results],
    }


def figures(report: Report, of: Figures) -> dict[str, Any]:
    return {
        "alarms": of.alarms,
        "alarms_a_day": round(report.a_day(of), 3),
        "chattering": of.chattering,
        "in_alarm_s": of.active_us / SECOND_US,
        "in_alarm_percent": round(of.percent, 4),
    }


def _sensor(report: Report, result: Result) -> dict[str, Any]:
    return {
        "address": result.sensor.address,
        "readings": result.readings,
        "bad": result.bad,
        "raw_from": None if result.raw_from is None else result.raw_from.isoformat(),
        **figures(report, result.figures),
        "are_all_listed": result.are_all_listed,
        "episodes": [dict(zip(COLUMNS[1:], row[1:], strict=True)) for row in _rows(report, result)],
    }


def rows(report: Report) -> Iterator[list[Any]]:
    """The values of COLUMNS for each alarm."""
    for result in report.results:
        yield from _rows(report, result)


def _rows(report: Report, result: Result) -> Iterator[list[Any]]:
    end_us, address = microseconds(report.end), result.sensor.address
    for episode in result.episodes:
        yield [address, *_episode(episode, end_us)]


def _episode(episode: Episode, end_us: int) -> list[Any]:
    return [
        instant(episode.start_us).isoformat(),
        None if episode.end_us is None else instant(episode.end_us).isoformat(),
        episode.lasts_us(end_us) / SECOND_US,
        *(None if math.isnan(value) else value for value in (episode.trigger, episode.peak)),
    ]


def command_of(rule: Rule, is_saved: bool, start: datetime) -> str:
    """The command that does the same; empty for a rule on all sensors of a type that is not saved."""
    if not is_saved and rule.sensor is None:
        return ""
    words = ["python manage.py backtest_rule"]
    if is_saved:
        words.append(str(rule.pk))
    elif rule.sensor is not None:
        words.append(f"--sensor {rule.sensor.address} --kind {rule.kind}")
        words += [f"--reference {rule.reference.address}"] if rule.reference is not None else []
    words += [f"--setpoint {rule.setpoint:g}"] if rule.setpoint is not None else []
    words.append(f"--deadband {rule.deadband:g} --on-delay {rule.on_delay_s:g} --off-delay {rule.off_delay_s:g}")
    return " ".join([*words, f"--start {start.astimezone(UTC):%Y-%m-%dT%H:%MZ}"])

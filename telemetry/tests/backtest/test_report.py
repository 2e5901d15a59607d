"""A backtest on stored readings; nothing is written."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

import pytest
from django.utils.timezone import now

from alarms.models import Alarm, Rule, RuleState
from plants.models import Machine, Plant, Sensor
from plants.scales import BAD, GOOD
from telemetry.backtest.report import backtest, size
from telemetry.tests.samples import TEMP, store_series, us, write

pytestmark = pytest.mark.django_db(transaction=True)

END = now().replace(microsecond=0)
START = END - timedelta(hours=1)


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def noisy() -> Iterator[tuple[datetime, float]]:
    """An hour of a value at 70 that rises beyond 80 for some minutes, slowly and with noise."""
    chance = Random(7)
    for second in range(3_600):
        bump = max(0.0, 13 - abs(second - 1_800) / 40)
        yield at(second), 70 + bump + chance.gauss(0, 0.5)


def high(kandy: Plant, **fields: object) -> Rule:
    """Not saved."""
    return Rule(plant=kandy, sensor=Sensor.objects.named([TEMP]).get(), **{"kind": "high", "setpoint": 80.0} | fields)


def test_it_tells_the_alarms_of_a_rule_that_is_not_saved(kandy: Plant) -> None:
    store_series(TEMP, [(at(0), 70), (at(600), 85), (at(700), 90), (at(960), 70)])
    report = backtest(high(kandy), START, END)
    [result] = report.results
    assert [(each.trigger, each.peak) for each in result.episodes] == [(85, 90)]
    figures = report.figures
    assert (figures.alarms, figures.active, figures.percent) == (1, timedelta(minutes=6), 10)
    assert report.a_day(figures) == pytest.approx(24)
    assert result.raw_from == START
    assert not Alarm.objects.exists()
    assert not RuleState.objects.exists()


def test_it_lets_the_clock_end_delays(kandy: Plant) -> None:
    store_series(TEMP, [(at(0), 85)])
    rule = high(kandy, on_delay_s=600)
    assert backtest(rule, START, at(599)).figures.alarms == 0
    assert backtest(rule, START, at(660)).figures.active == timedelta(minutes=1)


def test_it_leaves_bad_readings_out(kandy: Plant) -> None:
    number = Sensor.objects.named([TEMP]).get().number
    write([(number, us(at(0)), 70, GOOD), (number, us(at(1)), 99, BAD)])
    report = backtest(high(kandy), START, END)
    assert (report.figures.alarms, report.results[0].readings, report.results[0].bad) == (0, 2, 1)


def test_it_suggests_what_ends_the_chattering_and_has_tried_it(kandy: Plant) -> None:
    store_series(TEMP, noisy())
    report = backtest(high(kandy), START, END)
    advice = report.advice
    assert report.figures.chattering > 3
    assert advice.after is not None
    assert advice.after.chattering == 0
    assert 0 < advice.after.alarms < report.figures.alarms
    assert advice.deadband == pytest.approx(3, rel=0.3)
    again = backtest(
        high(kandy, deadband=advice.deadband, on_delay_s=advice.on_delay_s, off_delay_s=advice.off_delay_s), START, END
    )
    assert again.figures == advice.after
    assert again.advice.after is None


def test_it_looks_at_all_sensors_of_a_type_in_their_place(kandy: Plant) -> None:
    machine = Machine.objects.get()
    twin = Machine.objects.create(zone=machine.zone, slug="roller-3", name="Roller 3")
    Sensor.objects.create(machine=twin, slug="temp", name="Temperature", type="temperature")
    store_series(TEMP, [(at(0), 85)])
    store_series("kandy/rolling/roller-3/temp", [(at(0), 85), (at(60), 70)])
    everywhere = Rule(plant=kandy, sensor_type="temperature", kind="high", setpoint=80)
    assert [result.figures.alarms for result in backtest(everywhere, START, END).results] == [1, 1]
    assert size(everywhere, START, END) == 3
    one = Rule(plant=kandy, machine=twin, sensor_type="temperature", kind="high", setpoint=80)
    assert [result.sensor.machine for result in backtest(one, START, END).results] == [twin]


def test_it_measures_deviations_and_finds_silence(kandy: Plant) -> None:
    store_series(TEMP, [(at(0), 50), (at(100), 50), (at(200), 50)])
    other = store_series("kandy/rolling/roller-2/rpm", [(at(0), 50), (at(100), 80), (at(150), 50)])
    deviation = high(kandy, kind="deviation", reference=other, setpoint=10.0)
    assert backtest(deviation, START, END).figures.active == timedelta(seconds=100)
    silence = backtest(high(kandy, kind="no_data", setpoint=600.0), START, END)
    assert silence.figures.active == timedelta(seconds=3_600 - 800)
    assert silence.figures.watched_us == 3_600_000_000


def test_it_reads_page_after_page(kandy: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.backtest.history.PAGE_READINGS", 7)
    store_series(TEMP, [(at(second), 85 if second % 10 == 0 else 70) for second in range(100)])
    pages: list[int] = []
    report = backtest(high(kandy), START, END, pages.append)
    assert (report.figures.alarms, report.readings, sum(pages[:15])) == (10, 100, 100)

"""Answers about the past on TimescaleDB: the same questions, the same answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings

from plants.models import Machine, Plant, Sensor, Zone
from telemetry.queries.history import changes, qualities, raw, rollups
from telemetry.queries.history.answer import Question
from telemetry.tests.queries.history.questions import asked, assert_answers, questions, times
from telemetry.tests.storage.histories import START, History, histories, keep, moved, play
from telemetry.tests.timescale.test_rollups import insert

pytestmark = pytest.mark.timescale

NUMBERS = [11, 12, 13]
APART = timedelta(days=10)  # histories follow each other, since a continuous aggregate never goes back

number = count(100)


@pytest.fixture
def database(timescale_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection]:
    """TimescaleDB, which questions about the past are put to."""
    with psycopg.connect(timescale_url, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:

        @contextmanager
        def limited() -> Iterator[psycopg.Cursor]:
            with connection.transaction(), connection.cursor() as cursor:
                yield cursor

        for module in (rollups, changes, raw, qualities):
            monkeypatch.setattr(module, "limited", limited)
        yield connection


@pytest.fixture
def sensors() -> list[Sensor]:
    machine = Machine(zone=Zone(plant=Plant(slug="kandy"), slug="rolling"), slug="roller-2")
    states = {"0": "stopped", "1": "running"}
    return [
        Sensor(machine=machine, slug=kind, kind=kind, states=states if kind == "state" else {}, number=number)
        for kind, number in zip(("gauge", "counter", "state"), NUMBERS, strict=True)
    ]


@given(drawn=histories(NUMBERS), question=questions(), now=times)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_it_gives_what_a_plain_recomputation_gives(
    database: psycopg.Connection, sensors: list[Sensor], drawn: History, question: Question, now: datetime
) -> None:
    by = next(number) * APART
    for sensor in sensors:  # new ones: what an earlier history left would be what was before this one
        sensor.number += len(sensors)
    old, new = NUMBERS[0], sensors[0].number
    past: History = [
        step
        if isinstance(step, datetime)
        else [(n - old + new, time, value, quality) for n, time, value, quality in step]
        for step in moved(drawn, by)
    ]
    play(database, past, lambda readings: insert(database, readings), START + by)
    later = asked(question, start=question.start + by, end=question.end + by)
    assert_answers(sensors, keep(past), later, now + by)

"""What ingest writes into the journal is what the slow model says, however readings come: in any batches, again, late,
bad, through restarts, and with people who acknowledge in between.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from accounts.models import User
from alarms.models import Actor, Alarm, AlarmEvent, Rule, Source
from alarms.rule_set import Rules
from alarms.tests.conftest import START_US
from alarms.tests.histories import histories, rules
from alarms.tests.reference import Asked, Happened, Told, changes, episodes, peak
from alarms.watch.delays import end_delays
from plants.models import Machine, Sensor
from plants.scales import BAD, EPOCH, GOOD, SECOND_US, UNCERTAIN
from telemetry.ingest.ledger import Kind
from telemetry.ingest.store import Store

# Shrinking would take minutes; histories are short anyway.
ON_A_DATABASE = settings(
    deadline=None,
    print_blob=True,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
DUE = "UPDATE rule_state SET due_at = statement_timestamp() WHERE due_at IS NOT NULL"
Journal = list[tuple[str, int | None, float | None]]  # (kind, time since START_US, value); no time of what people do


class Scene:
    """One sensor, the one from which it deviates, and rules on it; all of it is new."""

    def __init__(self, asked: list[Asked]) -> None:
        machine = Machine.objects.get()
        self.sensor, self.other = (
            Sensor.objects.create(machine=machine, slug=slug, name=slug, stale_after_s=asked[0].stale_us / SECOND_US)
            for slug in ("one", "other")
        )
        self.rules = [self._rule(each) for each in asked]
        self._restart()

    def _rule(self, asked: Asked) -> Rule:
        return Rule.objects.create(
            plant=self.sensor.machine.zone.plant,
            sensor=self.sensor,
            kind=asked.kind,
            reference=self.other if asked.kind == "deviation" else None,
            setpoint=asked.setpoint,
            deadband=asked.deadband,
            on_delay_s=asked.on_us / SECOND_US,
            off_delay_s=asked.off_us / SECOND_US,
        )

    def _restart(self) -> None:
        self._store = Store(lambda: connection.connection, kind=Kind.HTTP)

    def write(self, batch: list[Told], chance: random.Random) -> None:
        if chance.random() < 0.2:
            self._restart()
        self._store.write(
            [
                (
                    (self.other if told.is_other else self.sensor).number,
                    START_US + told.time_us,
                    told.value,
                    BAD if told.is_bad else chance.choice([GOOD, UNCERTAIN]),
                )
                for told in batch
            ]
        )

    def end_delays(self) -> None:
        """As if all the time that the rules wait for went by."""
        with connection.cursor() as cursor:
            cursor.execute(DUE)
        now_us = START_US + 3_600 * SECOND_US
        with connection.connection.cursor() as cursor:
            end_delays(cursor, Rules().read(cursor), now_us)

    def journal(self, rule: Rule) -> Journal:
        rows = AlarmEvent.objects.filter(alarm__rule=rule).order_by("id").values_list("kind", "time", "value", "source")
        return [
            (kind, None if source == Source.PAGE else (time - EPOCH) // timedelta(microseconds=1) - START_US, value)
            for kind, time, value, source in rows
        ]


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def batches(history: list[Told], chance: random.Random) -> Iterator[list[Told]]:
    """Cut anywhere; now and then a batch comes again, or what is left of it with the next."""
    rest, again = list(history), list[Told]()
    while rest:
        size = chance.randint(1, len(rest))
        batch, rest = [*again, *rest[:size]], rest[size:]
        yield batch
        again = batch[chance.randrange(len(batch)) :] if chance.random() < 0.3 else []
        if chance.random() < 0.2:
            yield batch


def expected(asked: Asked, received: list[list[Told]], acknowledged: set[int]) -> list[Happened]:
    """The journal: after which batch somebody acknowledged counts, for a change is known with the batch that shows it.

    What is known after some readings is what the model says of these up to the last of them.
    """
    found: list[Happened] = []
    told: list[Told] = []
    said = 0
    for number, batch in enumerate(received):
        told += batch
        last_us = max((each.time_us for each in points_of(told)), default=0)
        now = changes(asked, told, last_us)
        found += now[said:]
        said = len(now)
        if number in acknowledged and any(each.state in ("raised", "cleared") for each in episodes(found)):
            found.append(Happened("acknowledged", 0, 0))
    return [*found, *changes(asked, told)[said:]]


def points_of(told: list[Told]) -> list[Told]:
    """Of the sensor itself, what is not bad and moves its time on."""
    newest, found = -1, []
    for each in told:
        if not each.is_other and each.time_us > newest:
            newest = each.time_us
            found += [] if each.is_bad else [each]
    return found


def acknowledge(rules: list[Rule], by: User) -> None:
    for alarm in Alarm.objects.filter(rule__in=rules).open().unacknowledged():
        assert alarm.acknowledge(Actor(by, Source.PAGE))


@settings(ON_A_DATABASE, max_examples=60)
@given(asked=st.lists(rules(), min_size=1, max_size=3), history=histories, seed=st.integers(0, 2**32))
def test_it_writes_the_journal_of_the_reference(bob: User, asked: list[Asked], history: list[Told], seed: int) -> None:
    asked = [Asked(**{**vars(each), "stale_us": asked[0].stale_us}) for each in asked]
    chance = random.Random(seed)
    with undone():
        scene = Scene(asked)
        received = list(batches(history, chance))
        acknowledged = {number for number in range(len(received)) if chance.random() < 0.2}
        for number, batch in enumerate(received):
            scene.write(batch, chance)
            if number in acknowledged:
                acknowledge(scene.rules, bob)
        scene.end_delays()
        told = [each for batch in received for each in batch]
        for rule, each in zip(scene.rules, asked, strict=True):
            happened = expected(each, received, acknowledged)
            assert scene.journal(rule) == [
                (what.kind, None, None) if what.kind == "acknowledged" else tuple(what) for what in happened
            ]
            alarms = list(Alarm.objects.filter(rule=rule).order_by("raised_at", "recorded_at"))
            lives = episodes(happened)
            assert sorted((alarm.state, alarm.occurrences, alarm.peak_value) for alarm in alarms) == sorted(
                (life.state, len(life.spans), peak(each, life, told)) for life in lives
            )


def journal_of(asked: list[Asked], received: list[list[Told]]) -> list[Journal]:
    with undone():
        scene = Scene(asked)
        for batch in received:
            scene.write(batch, random.Random(0))
        scene.end_delays()
        return [scene.journal(rule) for rule in scene.rules]


@settings(ON_A_DATABASE, max_examples=20)
@given(asked=st.lists(rules(), min_size=1, max_size=3), history=histories, seed=st.integers(0, 2**32))
def test_it_is_the_same_however_readings_are_cut_into_batches(
    bob: User, asked: list[Asked], history: list[Told], seed: int
) -> None:
    at_once = journal_of(asked, [history])
    assert at_once == journal_of(asked, [[each] for each in history])
    assert at_once == journal_of(asked, list(batches(history, random.Random(seed))))

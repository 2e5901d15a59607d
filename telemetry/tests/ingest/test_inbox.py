"""Dead letters in the store: with their neighbours, and each once, whatever fails and whatever comes again."""

import time
from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from django.db import connection

from plants.models import Plant
from telemetry.ingest.letters import Letter, Quota, letters
from telemetry.ingest.store import Store
from telemetry.models import DeadLetter, Reading
from telemetry.readings import Message, Reason, Rejected, Token
from telemetry.tests.samples import TEMP

pytestmark = pytest.mark.django_db(transaction=True)

NOW_US = time.time_ns() // 1000
MACHINE = "inqube/v1/kandy/rolling/roller-2/t"
SECOND = 1_000_000


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store(quota=Quota(60))
    yield store
    store.close()


def letter(
    payload: bytes = b"23,4", topic: str = f"{MACHINE}/temp", packet_id: int = 1, is_repeated: bool = False
) -> Letter:
    message = Message(topic, payload, NOW_US, Token(1, packet_id), is_repeated)
    (made,) = letters(message, [Rejected(TEMP, Reason.NOT_A_NUMBER, "Send a point.")], Quota(60))
    return made


def test_it_keeps_what_was_rejected_beside_what_is_stored(store: Store, number: int, kandy: Plant) -> None:
    result = store.write([(number, NOW_US, 1.0, 192)], [letter()])
    assert (result.stored, result.refused) == (1, {})
    kept = DeadLetter.objects.get()
    assert (kept.plant, kept.source, kept.address) == (kandy, "kandy/rolling/roller-2", TEMP)
    assert (bytes(kept.payload), kept.reason, kept.detail) == (b"23,4", "not_a_number", "Send a point.")
    assert (kept.state, kept.samples, kept.seen, kept.is_truncated) == ("new", 1, 1, False)


def test_it_keeps_letters_of_a_batch_without_readings(store: Store, kandy: Plant) -> None:
    store.write([], [letter(packet_id=1), letter(packet_id=2)])
    assert DeadLetter.objects.count() == 2


def test_it_keeps_letters_for_no_plant(store: Store, kandy: Plant) -> None:
    store.write([], [letter(topic="inqube/v1/ghost/a/b/t/c")])
    assert DeadLetter.objects.get().plant is None


def test_it_keeps_letters_beside_readings_that_come_again(store: Store, number: int) -> None:
    store.write([(number, NOW_US, 1.0, 192)])
    assert store.write([(number, NOW_US, 1.0, 192)], [letter()]).duplicate == 1
    assert DeadLetter.objects.count() == 1


def test_it_keeps_neither_where_the_transaction_fails(store: Store, number: int) -> None:
    execute("ALTER TABLE dead_letter RENAME TO away")
    try:
        with pytest.raises(psycopg.errors.UndefinedTable):
            store.write([(number, NOW_US, 1.0, 192)], [letter()])
    finally:
        execute("ALTER TABLE away RENAME TO dead_letter")
    assert not Reading.objects.exists()


def test_it_keeps_a_letter_once_that_is_written_again(store: Store, kandy: Plant) -> None:
    """As after a commit whose answer was lost."""
    again = letter()
    store.write([], [again])
    store.write([], [again])
    assert DeadLetter.objects.count() == 1


def test_it_counts_a_message_that_the_broker_delivers_again(store: Store, kandy: Plant) -> None:
    store.write([], [letter()])
    store.write([], [letter(is_repeated=True)])
    store.write([], [letter(is_repeated=True)])
    assert DeadLetter.objects.values_list("seen", flat=True).get() == 3


def test_it_counts_a_message_that_comes_again_in_one_batch(store: Store, kandy: Plant) -> None:
    store.write([], [letter(), letter(is_repeated=True)])
    assert DeadLetter.objects.values_list("seen", flat=True).get() == 2


def test_it_keeps_two_messages_that_look_alike(store: Store, kandy: Plant) -> None:
    store.write([], [letter(packet_id=1)])
    store.write([], [letter(packet_id=1)])  # the packet id has come round
    store.write([], [letter(packet_id=2, is_repeated=True)])
    assert DeadLetter.objects.count() == 3


def test_it_keeps_what_is_delivered_again_but_was_never_committed(store: Store, kandy: Plant) -> None:
    store.write([], [letter(is_repeated=True)])
    assert DeadLetter.objects.count() == 1


def test_it_keeps_letters_once_where_the_database_refuses_readings(store: Store, number: int) -> None:
    execute("ALTER TABLE reading ADD CONSTRAINT no_666 CHECK (value <> 666)")
    rows = [(number, NOW_US - i * SECOND, 666.0 if i in (0, 37) else float(i), 192) for i in range(100)]
    given = [letter(packet_id=1), letter(packet_id=2)]
    try:
        first = store.write(rows, given)
        second = store.write(rows, given)
    finally:
        execute("ALTER TABLE reading DROP CONSTRAINT no_666")
    assert (first.stored, second.stored, second.duplicate) == (98, 0, 98)
    assert sorted(DeadLetter.objects.values_list("reason", "seen")) == [
        ("database_rejected", 2),
        ("database_rejected", 2),
        ("not_a_number", 1),
        ("not_a_number", 1),
    ]


def test_it_keeps_a_reading_that_the_database_refuses_as_its_message(store: Store, number: int) -> None:
    execute("ALTER TABLE reading ADD CONSTRAINT no_666 CHECK (value <> 666)")
    try:
        store.write([(number, 1_733_904_005_123_456, 666.0, 64)])
    finally:
        execute("ALTER TABLE reading DROP CONSTRAINT no_666")
    kept = DeadLetter.objects.get()
    assert (kept.topic, kept.address) == (f"{MACHINE}/temp", TEMP)
    assert bytes(kept.payload) == b'{"v":666.0,"ts":"2024-12-11T08:00:05.123456+00:00","q":64}'


def test_it_keeps_the_letters_of_a_plant_that_is_deleted(store: Store, kandy: Plant) -> None:
    store.write([], [letter()])
    kandy.delete()
    assert DeadLetter.objects.get().plant is None


def test_it_keeps_any_text(store: Store, kandy: Plant) -> None:
    message = Message(MACHINE, b"\x00\xff", NOW_US, Token(1, 1))
    store.write([], letters(message, [Rejected("a\x00\ud800", Reason.UNKNOWN_SENSOR, "\x00\ud800")], Quota(1)))
    assert isinstance(DeadLetter.objects.get().pk, UUID)


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)

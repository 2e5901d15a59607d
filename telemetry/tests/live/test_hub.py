"""Hub: merging for slow clients, and what a new ingest process means."""

import uuid

from telemetry.live.frames import Frame
from telemetry.live.hub import BEAT_S, MAX_UNACKNOWLEDGED, SNAPSHOT_EVERY_S, Subscription, lost

PLANT = uuid.UUID(int=1)


def subscription(sensors: frozenset[int] | None = None) -> Subscription:
    made = Subscription(PLANT, "kandy", sensors, max_hz=2, wake=lambda: None)
    made.needs_snapshot = False
    made.epoch = "e"
    return made


def frame(seq: int, *rows: tuple[int, float], epoch: str = "e") -> Frame:
    return Frame(PLANT, epoch, seq, [[number, seq * 1000, value, 192] for number, value in rows])


def test_it_keeps_one_row_a_sensor_however_many_frames_come() -> None:
    slow = subscription()
    for seq in range(1, 1001):
        slow.merge(frame(seq, (17, float(seq)), (18, 0.0)), follows=True)
    assert slow.take() == [[17, 1_000_000, 1000.0, 192], [18, 1_000_000, 0.0, 192]]
    assert slow.seq == 1000
    assert slow.take() == []


def test_it_says_whether_a_frame_goes_out_with_an_earlier_one() -> None:
    client = subscription()
    assert not client.merge(frame(1, (17, 1.0)), follows=True)
    assert client.merge(frame(2, (17, 2.0)), follows=True)
    client.take()
    client.sent(now=0.0)
    assert not client.merge(frame(3), follows=True)


def test_it_knows_how_many_frames_were_lost_before_one() -> None:
    assert lost(("e", 4), frame(5)) == 0
    assert lost(("e", 4), frame(8)) == 3
    assert lost(None, frame(8)) == 0
    assert lost(("e", 4), frame(9, epoch="another")) == 0


def test_it_merges_only_the_sensors_that_were_asked_for() -> None:
    some = subscription(frozenset({18}))
    some.merge(frame(1, (17, 1.0)), follows=True)
    assert some.take() == []
    some.merge(frame(2, (17, 1.0), (18, 2.0)), follows=True)
    assert [row[0] for row in some.take()] == [18]


def test_it_sends_no_oftener_than_asked() -> None:
    client = subscription()
    assert client.due_at() is None
    client.sent(now=100.0)
    client.merge(frame(1, (17, 1.0)), follows=True)
    assert client.due_at() == 100.5


def test_it_says_now_and_then_that_the_feed_lives() -> None:
    client = subscription()
    client.sent(now=100.0)
    assert client.due_at() is None
    client.merge(frame(1), follows=True)
    assert client.due_at() == 100.0 + BEAT_S
    client.acknowledge(0)
    client.sent(now=103.0)
    assert client.due_at() is None  # until another frame comes: without one the feed may be dead


def test_it_waits_for_acknowledgements() -> None:
    client = subscription()
    for seq in range(1, MAX_UNACKNOWLEDGED + 1):
        client.merge(frame(seq, (17, 1.0)), follows=True)
        assert client.due_at() is not None
        client.take()
        client.sent(now=0.0)
    client.merge(frame(9, (17, 2.0)), follows=True)
    assert client.due_at() is None
    client.acknowledge(1)
    assert client.due_at() is not None


def test_it_takes_an_acknowledgement_for_all_frames_of_that_number() -> None:
    client = subscription()
    client.merge(frame(42, (17, 1.0)), follows=True)
    client.sent(now=0.0)  # a snapshot
    client.sent(now=0.0)  # and a delta, of the same number
    assert client.due_at() is None
    client.acknowledge(42)
    assert client.due_at() is not None


def test_it_ignores_acknowledgements_of_what_was_not_sent() -> None:
    client = subscription()
    for seq in (1, 2):
        client.merge(frame(seq, (17, 1.0)), follows=True)
        client.sent(now=0.0)
    client.acknowledge(99)
    assert client.due_at() is None


def test_it_wants_a_snapshot_where_frames_were_lost() -> None:
    client = subscription()
    client.merge(frame(5, (17, 1.0)), follows=True)
    assert not client.needs_snapshot
    client.merge(frame(1, (17, 2.0), epoch="other"), follows=False)
    assert client.needs_snapshot
    assert (client.epoch, client.seq) == ("other", 1)


def test_it_waits_between_snapshots_across_subscriptions() -> None:
    first = subscription()
    first.sent(now=100.0)
    again = Subscription(PLANT, "kandy", None, max_hz=10, wake=lambda: None, pace=first.pace)
    assert again.due_at() == 100.0 + SNAPSHOT_EVERY_S

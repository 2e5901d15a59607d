"""Hub: when a subscription is sent something, and what."""

import uuid
from typing import Any

import orjson

from telemetry.live.frames import Frame, Resume
from telemetry.live.hub import BEAT_S, MAX_UNACKNOWLEDGED, SNAPSHOT_EVERY_S, Subscription
from telemetry.live.track import SPAN, Track

PLANT = uuid.UUID(int=1)


def subscription(sensors: frozenset[int] | None = None) -> Subscription:
    """One that has had its snapshot, long ago."""
    made = Subscription(PLANT, "kandy", sensors, max_hz=2, wake=lambda: None)
    made.follow(Track())
    made.snapshot(made.snapshot_from(), [], now=0.0)
    made.pace.acknowledge(0)
    return made


def hear(client: Subscription, seq: int, *rows: tuple[int, float], epoch: str = "e") -> None:
    client.track.hear(Frame(PLANT, epoch, seq, [[number, seq * 1000, value, 192] for number, value in rows]))


def delta(client: Subscription, now: float = 0.0) -> Any:
    return orjson.loads(client.delta(now))


def test_it_sends_what_a_slow_client_has_missed_as_one() -> None:
    client = subscription()
    for seq in range(1, 1001):
        hear(client, seq, (17, float(seq)), (18, 0.0))
    heard = delta(client)
    assert heard["readings"] == [[17, 1_000_000, 1000.0, 192], [18, 1_000_000, 0.0, 192]]
    assert heard["seq"] == 1000 * SPAN
    assert delta(client)["readings"] == []


def test_it_says_whether_a_frame_goes_out_with_an_earlier_one() -> None:
    client = subscription()
    assert not client.waits
    hear(client, 1, (17, 1.0))
    assert client.waits
    client.delta(now=0.0)
    assert not client.waits


def test_it_sends_only_the_sensors_that_were_asked_for() -> None:
    client = subscription(frozenset({18}))
    hear(client, 1, (17, 1.0))
    assert client.due_at() == BEAT_S
    hear(client, 2, (17, 1.0), (18, 2.0))
    assert client.due_at() == 0.5
    assert [row[0] for row in delta(client)["readings"]] == [18]


def test_it_names_the_epoch_once() -> None:
    client = subscription()
    hear(client, 1)
    assert delta(client)["epoch"] == "e"
    hear(client, 2)
    assert "epoch" not in delta(client)


def test_it_sends_no_oftener_than_asked() -> None:
    client = subscription()
    assert client.due_at() is None
    hear(client, 1)
    client.delta(now=100.0)
    hear(client, 2, (17, 1.0))
    assert client.due_at() == 100.5


def test_it_says_now_and_then_that_the_feed_lives() -> None:
    client = subscription()
    hear(client, 1)
    client.delta(now=100.0)
    assert client.due_at() is None
    hear(client, 2)
    assert client.due_at() == 100.0 + BEAT_S
    client.delta(now=103.0)
    client.pace.acknowledge(2 * SPAN)
    assert client.due_at() is None  # until another frame comes: without one the feed may be dead


def test_it_waits_for_acknowledgements() -> None:
    client = subscription()
    for seq in range(1, MAX_UNACKNOWLEDGED + 1):
        hear(client, seq, (17, 1.0))
        assert client.due_at() is not None
        client.delta(now=0.0)
    hear(client, 9, (17, 2.0))
    assert client.due_at() is None
    client.pace.acknowledge(SPAN)
    assert client.due_at() is not None


def test_it_takes_an_acknowledgement_for_all_frames_of_that_number() -> None:
    client = subscription()
    hear(client, 42, (17, 1.0))
    client.snapshot(client.snapshot_from(), [], now=0.0)
    client.delta(now=0.0)
    hear(client, 43, (17, 1.0))
    assert client.due_at() is None
    client.pace.acknowledge(42 * SPAN)
    assert client.due_at() is not None


def test_it_ignores_acknowledgements_of_what_was_not_sent() -> None:
    client = subscription()
    for seq in (1, 2):
        hear(client, seq, (17, 1.0))
        client.delta(now=0.0)
    hear(client, 3, (17, 1.0))
    client.pace.acknowledge(99)
    assert client.due_at() is None


def test_it_wants_a_snapshot_where_frames_were_lost() -> None:
    client = subscription()
    hear(client, 5, (17, 1.0))
    assert not client.needs_snapshot
    hear(client, 1, (17, 2.0), epoch="other")
    assert client.needs_snapshot


def test_it_wants_another_snapshot_where_frames_were_lost_while_one_was_read() -> None:
    client = subscription()
    place = client.snapshot_from()
    hear(client, 5)
    hear(client, 7)
    client.snapshot(place, [], now=0.0)
    assert client.needs_snapshot


def test_it_sends_after_a_snapshot_what_came_while_that_was_read() -> None:
    client = subscription()
    place = client.snapshot_from()
    hear(client, 5, (17, 1.0))
    assert orjson.loads(client.snapshot(place, [], now=0.0))["seq"] == 0
    assert [row[0] for row in delta(client)["readings"]] == [17]


def test_it_waits_between_snapshots_across_subscriptions() -> None:
    first = subscription()
    hear(first, 1)
    first.delta(now=100.0)
    again = Subscription(PLANT, "kandy", None, max_hz=10, wake=lambda: None, pace=first.pace)
    again.follow(first.track)
    assert again.due_at() == 100.0 + SNAPSHOT_EVERY_S


def test_it_answers_who_resumes_at_once_and_with_what_was_missed() -> None:
    before = subscription()
    for seq in (1, 2, 3):
        hear(before, seq, (16 + seq, 0.0))
    again = Subscription(PLANT, "kandy", None, max_hz=2, wake=lambda: None)
    again.follow(before.track, Resume("e", 2 * SPAN))
    assert not again.needs_snapshot
    heard = delta(again)
    assert [row[0] for row in heard["readings"]] == [19]
    assert "epoch" not in heard


def test_it_answers_also_who_has_missed_nothing() -> None:
    before = subscription()
    hear(before, 1, (17, 1.0))
    again = Subscription(PLANT, "kandy", None, max_hz=2, wake=lambda: None)
    again.follow(before.track, Resume("e", SPAN))
    assert again.due_at() is not None
    assert delta(again)["readings"] == []
    assert again.due_at() is None

"""Track: what a client that returns has missed, and when nobody can say so any more."""

import uuid

import pytest

from telemetry.live.frames import Frame
from telemetry.live.track import RESUMABLE, SPAN, Track

PLANT = uuid.UUID(int=1)


def frame(seq: int, *rows: tuple[int, float], epoch: str = "e", leads: bool = True, time_ms: int = 0) -> Frame:
    return Frame(PLANT, epoch, seq, [[number, time_ms or seq * 1000, value, 192] for number, value in rows], leads)


def by_http(seq: int, *rows: tuple[int, float], epoch: str = "http", time_ms: int = 0) -> Frame:
    return frame(seq, *rows, epoch=epoch, leads=False, time_ms=time_ms)


def track(*frames: Frame) -> Track:
    made = Track()
    for each in frames:
        made.hear(each)
    return made


def values(made: Track, position: int) -> dict[int, float]:
    return {number: value for number, _, value, _ in made.since(position)}


def test_it_keeps_one_row_a_sensor_however_many_frames_come() -> None:
    made = track(*(frame(seq, (17, float(seq)), (18, 0.0)) for seq in range(1, 1001)))
    assert made.since(0) == [[17, 1_000_000, 1000.0, 192], [18, 1_000_000, 0.0, 192]]


def test_it_gives_what_has_changed_since() -> None:
    made = track(frame(1, (17, 1.0), (18, 1.0)), frame(2, (18, 2.0)), frame(3, (19, 3.0)))
    assert values(made, 1) == {18: 2.0, 19: 3.0}
    assert values(made, 3) == {}
    assert [row[0] for row in made.since(0, frozenset({17, 19}))] == [17, 19]


def test_it_knows_where_a_client_stands_that_has_seen_a_frame() -> None:
    made = track(*(frame(seq, (17, float(seq))) for seq in (5, 6, 7)))
    assert made.where("e", 6 * SPAN) == 2
    assert made.where("e", 7 * SPAN) == 3


@pytest.mark.parametrize(("epoch", "seq"), [("other", 6), ("", 6), ("e", 4), ("e", 8), ("e", -1)])
def test_it_knows_nothing_of_what_it_has_not_heard(epoch: str, seq: int) -> None:
    assert track(frame(5), frame(6)).where(epoch, seq * SPAN) is None


def test_it_remembers_so_many_frames_only() -> None:
    made = track(*(frame(seq) for seq in range(1, RESUMABLE + 2)))
    assert made.where("e", SPAN) is None
    assert made.where("e", 2 * SPAN) == 2


def test_it_follows_ingest_and_requests_at_once() -> None:
    made = track(frame(1, (17, 1.0)), by_http(1, (18, 2.0)), frame(2, (17, 3.0)), by_http(2, (18, 4.0)))
    assert made.is_whole_from(0)
    assert (made.epoch, made.seq) == ("e", 2 * SPAN + 1)
    assert values(made, 0) == {17: 3.0, 18: 4.0}


def test_it_calls_a_frame_the_same_in_every_process_whenever_that_began_to_listen() -> None:
    said = [frame(1), by_http(1), by_http(2), frame(2), by_http(3), by_http(1, epoch="another"), frame(3), by_http(4)]
    first, second = track(*said[:2]), track()
    for each in said[2:]:
        first.hear(each)
        second.hear(each)
        if second.epoch:
            assert (second.epoch, second.seq) == (first.epoch, first.seq)


def test_it_resumes_in_any_process_that_has_heard_the_frames_since() -> None:
    said = [frame(1), frame(2), by_http(1, (17, 1.0)), by_http(2, (18, 2.0))]
    first, second, later = track(*said[:3]), track(*said[1:]), track(*said[3:], frame(3))
    position = second.where(first.epoch, first.seq)
    assert position is not None
    assert values(second, position) == {18: 2.0}
    assert later.where(first.epoch, first.seq) is None


@pytest.mark.parametrize("next_frame", [frame(3), frame(1, epoch="new"), by_http(3), by_http(7, epoch="unheard")])
def test_it_is_not_whole_where_frames_may_be_lost(next_frame: Frame) -> None:
    made = track(frame(1), by_http(1))
    seen = made.epoch, made.seq
    made.hear(next_frame)
    assert not made.is_whole_from(2)
    assert made.is_whole_from(3)
    assert made.where(*seen) is None


def test_it_knows_how_many_frames_were_lost_before_one() -> None:
    made = Track()
    assert [made.hear(frame(seq)) for seq in (4, 5, 8)] == [0, 0, 2]
    assert [made.hear(each) for each in (by_http(7), by_http(9), frame(9))] == [0, 1, 0]


def test_it_is_whole_from_the_first_frame_of_ingest_that_it_hears() -> None:
    made = track(by_http(1, (17, 1.0)), frame(500, (18, 2.0)))
    assert made.is_whole_from(0)
    assert values(made, 0) == {17: 1.0, 18: 2.0}


def test_it_keeps_the_newer_of_two_readings_that_have_crossed() -> None:
    made = track(frame(1, (17, 2.0), time_ms=2000), by_http(1, (17, 1.0), time_ms=1000))
    assert values(made, 0) == {17: 2.0}


def test_it_writes_a_delta_once_for_all_who_stand_and_ask_alike() -> None:
    made = track(frame(1, (17, 1.0)))
    assert made.delta("kandy", 0, None, None) is made.delta("kandy", 0, None, None)
    assert '"readings":[]' in made.delta("kandy", 1, None, None)
    made.hear(frame(2, (17, 2.0)))
    assert "2.0" in made.delta("kandy", 0, None, None)

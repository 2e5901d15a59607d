import orjson
import pytest

from telemetry.ingest.decode import decode
from telemetry.readings import Message, Reason, Sample
from telemetry.simulator.drafts import Draft, Measured, Publication
from telemetry.simulator.faults import AHEAD, GAP, STUCK
from telemetry.simulator.forms import FORMS, publications

MACHINE = "kandy/rolling/roller-2"
TOPIC = f"inqube/v1/{MACHINE}/t"
T = 1733904005124
MEASURED = (
    Measured("temp", T, 23.4),
    Measured("rpm", T, 1480, "uncertain"),
    Measured("temp", T + 1000, 23.5),
    Measured("rpm", T + 1000, 1490),
)


def written(form: str | None, *measured: Measured, own: str = "object") -> list[Publication]:
    return list(publications([Draft(1.0, MACHINE, own, measured)], form))


def bodies(form: str, *measured: Measured) -> list[tuple[str, object]]:
    return [(p.topic.removeprefix(TOPIC), orjson.loads(p.payload or b"")) for p in written(form, *measured)]


def samples(form: str) -> set[Sample]:
    found = [decode(Message(p.topic, p.payload or b"", 0, None)) for p in written(form, *MEASURED)]
    assert not any(rejected for _, rejected in found)
    return {sample for of_message, _ in found for sample in of_message}


def test_it_writes_bare_numbers() -> None:
    assert bodies("number", *MEASURED[:2]) == [("/temp", 23.4), ("/rpm", 1480)]


def test_it_writes_objects_with_a_quality_that_is_not_good() -> None:
    assert bodies("object", *MEASURED[:2]) == [
        ("/temp", {"v": 23.4, "ts": T}),
        ("/rpm", {"v": 1480, "ts": T, "q": "uncertain"}),
    ]


def test_it_writes_lists_of_one_sensor() -> None:
    assert bodies("list", *MEASURED) == [
        ("/rpm", [{"v": 1480, "ts": T, "q": "uncertain"}, {"v": 1490, "ts": T + 1000}]),
        ("/temp", [{"v": 23.4, "ts": T}, {"v": 23.5, "ts": T + 1000}]),
    ]


def test_it_writes_the_values_of_a_machine() -> None:
    first = {"ts": T, "values": {"temp": 23.4, "rpm": {"v": 1480, "q": "uncertain"}}}
    assert bodies("machine", *MEASURED[:2]) == [("", first)]
    assert bodies("machine", *MEASURED) == [("", [first, {"ts": T + 1000, "values": {"temp": 23.5, "rpm": 1490}}])]


@pytest.mark.parametrize("form", ["object", "list", "machine"])
def test_it_says_the_same_in_each_form_that_has_times(form: str) -> None:
    assert samples(form) == {
        (f"{MACHINE}/temp", T * 1000, 23.4, 192),
        (f"{MACHINE}/rpm", T * 1000, 1480.0, 64),
        (f"{MACHINE}/temp", (T + 1000) * 1000, 23.5, 192),
        (f"{MACHINE}/rpm", (T + 1000) * 1000, 1490.0, 192),
    }


@pytest.mark.parametrize("form", FORMS)
def test_it_counts_the_samples_of_each_message(form: str) -> None:
    for publication in written(form, *MEASURED):
        found, _ = decode(Message(publication.topic, publication.payload or b"", 0, None))
        assert publication.samples == len(found)


def test_it_writes_as_the_device_does_where_no_form_is_asked_for() -> None:
    assert written(None, *MEASURED, own="machine") == written("machine", *MEASURED)


def test_it_knows_that_bare_numbers_have_no_time() -> None:
    assert [[p.is_timed for p in written(form, MEASURED[0])] for form in FORMS] == [[False], [True], [True], [True]]


def test_it_tells_the_faults_and_that_a_clock_ahead_is_refused() -> None:
    stuck, ahead = (MEASURED[0]._replace(faults=faults) for faults in ((STUCK,), (STUCK, AHEAD)))

    assert [(p.faults, p.reason) for p in written("machine", stuck, MEASURED[1])] == [(((STUCK, 1),), None)]
    assert [(p.faults, p.reason) for p in written("list", ahead)] == [
        (((STUCK, 1), (AHEAD, 1)), Reason.TIMESTAMP_OUT_OF_RANGE)
    ]


def test_it_sends_nothing_of_what_is_withheld_but_counts_it() -> None:
    (nothing,) = publications([Draft(1.0, MACHINE, "object", (), withheld=3)])

    assert (nothing.payload, nothing.samples, nothing.faults) == (None, 0, ((GAP, 3),))

from typing import Any

from telemetry.readings import Reason
from telemetry.simulator.drafts import Publication
from telemetry.simulator.tally import Tally


def publication(samples: int = 1, **fields: Any) -> Publication:
    return Publication(1.0, "inqube/v1/a/b/c/t", b"{}", samples)._replace(**fields)


def tally(*publications: Publication) -> Tally:
    counted = Tally()
    for each in publications:
        counted.count(each)
    return counted


COUNTED = tally(
    publication(20, faults=(("stuck", 3), ("drift", 2))),
    publication(20, is_repeated=True, faults=(("duplicates", 1),)),
    publication(5, reason=Reason.TIMESTAMP_OUT_OF_RANGE, faults=(("clock ahead", 5),)),
    publication(5, reason=Reason.TIMESTAMP_OUT_OF_RANGE, is_repeated=True, faults=(("duplicates", 1),)),
    publication(1, reason=Reason.INVALID_JSON, faults=(("malformed", 1),)),
    Publication(1.0, "", None, 0, faults=(("gap", 7),)),
)


def test_it_knows_what_the_ledger_should_gain() -> None:
    assert COUNTED.as_dict()["ledger"] == {"received": 51, "stored": 20, "duplicate": 20, "conflict": 0, "dead": 11}
    assert COUNTED.as_dict()["dead"] == {"invalid_json": 1, "timestamp_out_of_range": 10}


def test_it_counts_faults_in_values_or_messages_and_nothing_else_of_a_gap() -> None:
    assert COUNTED.as_dict()["faults"] == {
        "drift": 2,
        "stuck": 3,
        "clock ahead": 5,
        "clock behind": 0,
        "gap": 7,
        "malformed": 1,
        "duplicates": 2,
        "reordering": 0,
    }
    assert COUNTED.messages == 5


def test_it_takes_a_repeated_message_without_times_for_another_reading() -> None:
    twice = tally(publication(is_timed=False), publication(is_timed=False, is_repeated=True))

    assert (twice.stored, twice.duplicate) == (2, 0)
    assert "Bare numbers have no time" in twice.words()


def test_it_says_so_in_words() -> None:
    assert COUNTED.words() == (
        "Faults: 2 values drifted, 3 values stuck, 5 values of clocks ahead, 7 values not sent in gaps, "
        "1 messages malformed, 2 messages sent twice.\n"
        "Where all sensors exist, the ledger gains 51 received = 20 stored + 20 duplicate + 0 conflict + 11 dead "
        "(1 invalid_json, 10 timestamp_out_of_range)."
    )
    assert tally(publication()).words() == (
        "Where all sensors exist, the ledger gains 1 received = 1 stored + 0 duplicate + 0 conflict + 0 dead."
    )

"""Letters: one a message and reason, bounded by size and by source and minute."""

import pytest

from telemetry.ingest.letters import KEPT_BYTES, NO_MACHINE, SOURCES_A_MINUTE, Letter, Quota, letters
from telemetry.readings import Message, Reason, Rejected, Token

TOPIC = "inqube/v1/kandy/rolling/roller-2/t"
ADDRESS = "kandy/rolling/roller-2/temp"
MINUTE_US = 60_000_000


def message(payload: bytes = b"{}", topic: str = TOPIC, packet_id: int = 1, at_us: int = 0) -> Message:
    return Message(topic, payload, at_us, Token(1, packet_id))


def of(given: Message, *reasons: Reason, quota: Quota | None = None) -> list[Letter]:
    return letters(given, [Rejected(ADDRESS, reason, "Mend it.") for reason in reasons], quota or Quota(60))


def test_it_makes_one_letter_a_reason() -> None:
    found = of(message(), Reason.BAD_QUALITY, Reason.NOT_A_NUMBER, Reason.BAD_QUALITY)
    assert [(each.reason, each.samples, each.address) for each in found] == [
        (Reason.BAD_QUALITY, 2, ADDRESS),
        (Reason.NOT_A_NUMBER, 1, ADDRESS),
    ]


def test_it_names_the_machine_of_the_topic_as_the_source() -> None:
    assert of(message(), Reason.INVALID_JSON)[0].source == "kandy/rolling/roller-2"
    assert of(message(topic="inqube/v1/Kandy/t"), Reason.INVALID_TOPIC)[0].source == NO_MACHINE


def test_it_has_no_address_where_the_whole_message_was_rejected() -> None:
    (letter,) = letters(message(), [Rejected(TOPIC, Reason.INVALID_JSON, "Send JSON.")], Quota(60))
    assert letter.address == ""


def test_it_keeps_the_beginning_of_a_large_payload() -> None:
    (letter,) = of(message(b"x" * (KEPT_BYTES + 1)), Reason.TOO_LARGE)
    assert (len(letter.payload), letter.payload_bytes) == (KEPT_BYTES, KEPT_BYTES + 1)


def test_it_leaves_no_more_than_the_quota_of_a_source_in_a_minute() -> None:
    quota = Quota(2)
    kept = [of(message(at_us=second * 1_000_000), Reason.INVALID_JSON, quota=quota) for second in range(61)]
    assert [second for second, found in enumerate(kept) if found] == [0, 1, 60]


def test_it_leaves_the_quota_of_one_source_to_itself() -> None:
    quota = Quota(1)
    assert of(message(), Reason.INVALID_JSON, quota=quota)
    assert of(message(topic=TOPIC.replace("roller-2", "roller-1")), Reason.INVALID_JSON, quota=quota)


def test_it_bounds_all_sources_together() -> None:
    quota = Quota(1)
    found = [of(message(topic=f"inqube/v1/a/b/c{n}/t"), Reason.UNKNOWN_PLANT, quota=quota) for n in range(1000)]
    assert sum(map(len, found)) == SOURCES_A_MINUTE


@pytest.mark.parametrize("other", [message(b"[]"), message(topic=TOPIC + "/x"), message(packet_id=2)])
def test_it_tells_messages_apart_by_topic_payload_and_packet_id(other: Message) -> None:
    assert of(message(), Reason.INVALID_JSON)[0].digest != of(other, Reason.INVALID_JSON)[0].digest


def test_it_knows_a_message_again_whatever_the_connection() -> None:
    again = Message(TOPIC, b"{}", 5, Token(2, 1), is_repeated=True)
    assert of(message(), Reason.INVALID_JSON)[0].digest == of(again, Reason.INVALID_JSON)[0].digest


def test_it_writes_what_no_text_can_hold_in_other_words() -> None:
    (letter,) = letters(message(), [Rejected("a/b/c/\x00\ud800", Reason.UNKNOWN_SENSOR, "\x00" * 5000)], Quota(60))
    assert letter.address == "a/b/c/\\0\\ud800"
    assert "\x00" not in letter.detail

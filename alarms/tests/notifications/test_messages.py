import json
from typing import Any

import pytest

from alarms.notifications.messages import AlarmWords, Notice, html, subject, text
from alarms.notifications.payloads import body

URL = "https://inqube.example/alarms/"
ALARM = AlarmWords(
    id="11111111-1111-1111-1111-111111111111",
    severity="high",
    title="Roller 2: bearing temperature high-high",
    state="raised",
    place="Kandy / Rolling / Roller 2",
    address="kandy/rolling/roller-2/temp",
    value="96.4 °C",
    limit="limit 95 °C",
    raised_at="2026-11-30 14:29:41 +05:30",
    cleared_at="",
    occurrences=1,
    advice="Open the damper.\nCall Nuwan.",
    url=f"{URL}#alarm",
)
NOTICE = Notice("22222222-2222-2222-2222-222222222222", "raised", "Kandy", "Duty", 0, (ALARM,), URL)
AGAIN = ALARM._replace(occurrences=3, cleared_at="2026-11-30 14:31:00 +05:30", state="cleared")
DIGEST = NOTICE._replace(kind="digest", alarms=(ALARM, AGAIN))
TEST = NOTICE._replace(kind="test", alarms=())


@pytest.mark.parametrize(
    ("notice", "words"),
    [
        (NOTICE, "[High] Roller 2: bearing temperature high-high"),
        (NOTICE._replace(after_min=15), "[High] Roller 2: bearing temperature high-high"),
        (NOTICE._replace(kind="cleared"), "[Cleared] Roller 2: bearing temperature high-high"),
        (DIGEST, "[Digest] Kandy: 2 alarms"),
        (TEST, "[Test] Kandy: this channel works"),
        (NOTICE._replace(alarms=(ALARM._replace(title="a\r\nBcc: x@y.z"),)), "[High] a Bcc: x@y.z"),
    ],
)
def test_it_has_a_subject_of_one_line(notice: Notice, words: str) -> None:
    assert subject(notice) == words


def test_it_says_all_there_is_to_know() -> None:
    assert text(NOTICE) == (
        "Roller 2: bearing temperature high-high\n\n"
        "Severity: High\nValue: 96.4 °C, limit 95 °C\nRaised: 2026-11-30 14:29:41 +05:30\n"
        "Place: Kandy / Rolling / Roller 2\nSensor: kandy/rolling/roller-2/temp\n\n"
        "What to do:\nOpen the damper.\nCall Nuwan.\n\n"
        f"{URL}#alarm\n"
    )


def test_it_says_why_it_comes_now() -> None:
    words = text(NOTICE._replace(after_min=15, alarms=(AGAIN,)))
    assert "Nobody has acknowledged it for 15 min: now Duty hears of it." in words
    assert "It has been raised 3 times since somebody acknowledged it." in words
    assert "It cleared at 2026-11-30 14:31:00 +05:30, but nobody has acknowledged it." in words


def test_it_leaves_out_what_is_not_known() -> None:
    bare = ALARM._replace(value="", limit="", address="", advice="", url="")
    words = text(NOTICE._replace(alarms=(bare,)))
    assert "Value" not in words
    assert "What to do" not in words
    assert "http" not in words + html(NOTICE._replace(alarms=(bare,)))


def test_it_lists_the_first_alarms_of_a_digest_and_counts_the_others() -> None:
    words = text(DIGEST._replace(alarms=(ALARM, AGAIN) * 30))
    assert words.count("[High] Roller 2") == 50
    assert "96.4 °C, raised 2026-11-30 14:29:41 +05:30, cleared\n" in words
    assert "And 10 more." in words


def test_it_escapes_html() -> None:
    evil = ALARM._replace(title="<script>x</script>", advice="<b>&", url='https://x/"><i>')
    page = html(NOTICE._replace(alarms=(evil,)))
    for tag in ("<script", "<b>", '"><i'):
        assert tag not in page


def read(notice: Notice, form: str) -> Any:
    return json.loads(body(notice, form, "2026-11-30T09:00:00+00:00"))


def test_it_gives_programs_all_fields() -> None:
    message = read(NOTICE, "json")
    assert (message["id"], message["kind"], message["after_minutes"]) == (NOTICE.id, "raised", 0)
    assert message["alarms"][0]["value"] == "96.4 °C"
    assert message["text"] == text(NOTICE)


def test_it_gives_slack_blocks_of_plain_text() -> None:
    message = read(NOTICE._replace(alarms=(ALARM._replace(title="<!channel> & co"),)), "slack")
    assert message["text"] == "[High] &lt;!channel&gt; &amp; co"
    assert {block["text"]["type"] for block in message["blocks"]} == {"plain_text"}
    assert "Value: 96.4 °C, limit 95 °C" in message["blocks"][1]["text"]["text"]
    assert all(0 < len(block["text"]["text"]) <= 3000 for block in message["blocks"])


def test_it_gives_teams_a_card_with_a_way_to_the_alarm() -> None:
    (attachment,) = read(NOTICE, "teams")["attachments"]
    card = attachment["content"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert card["body"][0]["text"] == "[High] Roller 2: bearing temperature high-high"
    assert {"title": "Severity", "value": "High"} in card["body"][1]["facts"]
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "Open in InQube", "url": f"{URL}#alarm"}]


@pytest.mark.parametrize("form", ["json", "slack", "teams"])
@pytest.mark.parametrize("notice", [DIGEST, TEST, NOTICE._replace(kind="cleared")])
def test_it_puts_every_message_into_each_form(notice: Notice, form: str) -> None:
    assert subject(notice).replace("&", "") in json.dumps(read(notice, form), ensure_ascii=False)

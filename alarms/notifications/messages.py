"""What a notification says, in words. Pure.

Titles, names and advice are whatever people and devices have written: a subject has one line, HTML is escaped.
"""

from html import escape
from typing import NamedTuple

LONGEST_SUBJECT = 180  # beyond it mail programs show no more
MOST_LISTED = 50  # alarms in a digest; the rest is counted


class AlarmWords(NamedTuple):
    """An alarm, ready to be read; what is not known is empty."""

    id: str
    severity: str  # "high"
    title: str  # "Roller 2: bearing temperature high-high"
    state: str  # "raised", "acknowledged", "cleared" or "closed"
    place: str  # "Kandy / Rolling / Roller 2"
    address: str  # "kandy/rolling/roller-2/temp"
    value: str  # "96.4 °C"
    limit: str  # "limit 95 °C"
    raised_at: str  # "2026-11-30 14:29:41 +05:30", by the plant's clock
    cleared_at: str
    occurrences: int
    advice: str
    url: str


class Notice(NamedTuple):
    """A message: about one alarm, a digest of several, or a test about none."""

    id: str  # the delivery's: the same in each attempt
    kind: str  # "raised", "cleared", "digest" or "test"
    plant: str  # its name
    channel: str
    after_min: int  # of the step
    alarms: tuple[AlarmWords, ...] = ()
    url: str = ""  # of the list of alarms


def subject(notice: Notice) -> str:
    """`[High] Roller 2: bearing temperature high-high`"""
    return " ".join(_subject(notice).split())[:LONGEST_SUBJECT]


def _subject(notice: Notice) -> str:
    match notice.kind:
        case "test":
            return f"[Test] {notice.plant}: this channel works"
        case "digest":
            return f"[Digest] {notice.plant}: {_alarms(len(notice.alarms))}"
        case "cleared":
            return f"[Cleared] {notice.alarms[0].title}"
    return f"[{notice.alarms[0].severity.capitalize()}] {notice.alarms[0].title}"


def _alarms(number: int) -> str:
    return "1 alarm" if number == 1 else f"{number} alarms"


def why(notice: Notice) -> str:
    """The sentence after the facts: why this message comes, and why now."""
    match notice.kind:
        case "test":
            return f"A test of the channel {notice.channel} of {notice.plant}. No alarm has been raised."
        case "digest":
            return (
                f"More messages came for {notice.channel} than it takes in ten minutes: these are the others, the "
                "worst first."
            )
        case "cleared":
            return "It has cleared."
    return _why_raised(notice)


def _why_raised(notice: Notice) -> str:
    alarm = notice.alarms[0]
    words = []
    if notice.after_min:
        words.append(f"Nobody has acknowledged it for {notice.after_min} min: now {notice.channel} hears of it.")
    if alarm.occurrences > 1:
        words.append(f"It has been raised {alarm.occurrences} times since somebody acknowledged it.")
    if alarm.cleared_at:
        words.append(f"It cleared at {alarm.cleared_at}, but nobody has acknowledged it.")
    return " ".join(words)


def facts(alarm: AlarmWords) -> list[tuple[str, str]]:
    """What is known of an alarm, as name and value; the advice comes apart."""
    named = [
        ("Severity", alarm.severity.capitalize()),
        ("Value", ", ".join(filter(None, (alarm.value, alarm.limit)))),
        ("Raised", alarm.raised_at),
        ("Cleared", alarm.cleared_at),
        ("Place", alarm.place),
        ("Sensor", alarm.address),
    ]
    return [(name, value) for name, value in named if value]


def line(alarm: AlarmWords) -> str:
    """One of a digest: `[High] Roller 2: temperature high, 96.4 °C, raised 2026-11-30 14:29:41 +05:30, cleared`"""
    parts = [alarm.title, alarm.value, f"raised {alarm.raised_at}"]
    if alarm.state != "raised":
        parts.append({"closed": "over"}.get(alarm.state, alarm.state))
    return f"[{alarm.severity.capitalize()}] {', '.join(filter(None, parts))}"


def more(notice: Notice) -> str:
    left = len(notice.alarms) - MOST_LISTED
    return f"And {left} more." if left > 0 else ""


def text(notice: Notice) -> str:
    """The message as plain text."""
    if notice.kind == "digest":
        blocks = [why(notice), "\n".join(line(alarm) for alarm in notice.alarms[:MOST_LISTED]), more(notice)]
    elif not notice.alarms:
        blocks = [why(notice)]
    else:
        alarm = notice.alarms[0]
        blocks = [
            alarm.title,
            "\n".join(f"{name}: {value}" for name, value in facts(alarm)),
            why(notice),
            alarm.advice and f"What to do:\n{alarm.advice}",
        ]
    return "\n\n".join(filter(None, [*blocks, link(notice)])) + "\n"


def link(notice: Notice) -> str:
    return notice.alarms[0].url if notice.kind in ("raised", "cleared") else notice.url


def html(notice: Notice) -> str:
    """The same as HTML, without style: mail programs bring their own."""
    parts = [f"<h2>{escape(subject(notice))}</h2>"]
    if notice.kind in ("raised", "cleared"):
        rows = "".join(
            f"<tr><th align='left'>{escape(name)}</th><td>{escape(value)}</td></tr>"
            for name, value in facts(notice.alarms[0])
        )
        parts.append(f"<table>{rows}</table>")
    if sentence := why(notice):
        parts.append(f"<p>{escape(sentence)}</p>")
    if notice.kind == "digest":
        lines = "".join(f"<li>{escape(line(alarm))}</li>" for alarm in notice.alarms[:MOST_LISTED])
        parts.append(f"<ul>{lines}</ul>" + (f"<p>{more(notice)}</p>" if more(notice) else ""))
    elif notice.alarms and notice.alarms[0].advice:
        advice = escape(notice.alarms[0].advice).replace("\n", "<br>")
        parts.append(f"<p><strong>What to do:</strong><br>{advice}</p>")
    if url := link(notice):
        parts.append(f'<p><a href="{escape(url)}">{escape(url)}</a></p>')
    return "\n".join(parts) + "\n"

"""A notification as the body of a webhook: JSON for programs, or what Slack and Microsoft Teams show. Pure."""

import json
from typing import Any

from alarms.notifications.messages import MOST_LISTED, Notice, facts, line, link, more, subject, text, why

SLACK_TEXT = 3000  # characters that a section takes
CARD_VERSION = "1.4"  # of Adaptive Cards, which Teams shows everywhere


def body(notice: Notice, form: str, sent_at: str) -> bytes:
    """In UTF-8; `form` is one of NotificationChannel.Format, `sent_at` an ISO 8601 time."""
    match form:
        case "slack":
            message = _slack(notice)
        case "teams":
            message = _teams(notice)
        case _:
            message = _generic(notice, sent_at)
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def _generic(notice: Notice, sent_at: str) -> dict[str, Any]:
    return {
        "version": 1,
        "id": notice.id,
        "kind": notice.kind,
        "sent_at": sent_at,
        "plant": notice.plant,
        "channel": notice.channel,
        "after_minutes": notice.after_min,
        "subject": subject(notice),
        "text": text(notice),
        "alarms": [alarm._asdict() for alarm in notice.alarms],
    }


def _slack(notice: Notice) -> dict[str, Any]:
    """https://api.slack.com/reference/block-kit; all of it plain text, in which nothing has a meaning."""
    sections = [subject(notice), _facts(notice), _list(notice), why(notice), _advice(notice), link(notice)]
    return {
        "text": _escaped(subject(notice)),
        "blocks": [
            {"type": "section", "text": {"type": "plain_text", "text": section[:SLACK_TEXT], "emoji": False}}
            for section in sections
            if section
        ],
    }


def _escaped(words: str) -> str:
    """For Slack's own markup, where these three have a meaning."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _facts(notice: Notice) -> str:
    if notice.kind not in ("raised", "cleared"):
        return ""
    return "\n".join(f"{name}: {value}" for name, value in facts(notice.alarms[0]))


def _list(notice: Notice) -> str:
    if notice.kind != "digest":
        return ""
    lines = [line(alarm) for alarm in notice.alarms[:MOST_LISTED]]
    return "\n".join(filter(None, [*lines, more(notice)]))


def _advice(notice: Notice) -> str:
    is_of_one = notice.kind in ("raised", "cleared")
    return f"What to do: {notice.alarms[0].advice}" if is_of_one and notice.alarms[0].advice else ""


def _teams(notice: Notice) -> dict[str, Any]:
    """https://adaptivecards.io/explorer, in the envelope that a workflow's webhook takes."""
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": CARD_VERSION,
        "body": [_block(subject(notice), weight="Bolder", size="Medium")],
    }
    if notice.kind in ("raised", "cleared"):
        rows = [{"title": name, "value": value} for name, value in facts(notice.alarms[0])]
        card["body"].append({"type": "FactSet", "facts": rows})
    card["body"] += [_block(words) for words in (_list(notice), why(notice), _advice(notice)) if words]
    if url := link(notice):
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open in InQube", "url": url}]
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
    }


def _block(words: str, **style: str) -> dict[str, Any]:
    """Teams reads Markdown in it; a line alone ends none."""
    return {"type": "TextBlock", "text": words.replace("\n", "\n\n"), "wrap": True, **style}

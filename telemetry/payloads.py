"""Payloads as people read them: JSON indented, other text as it is, the rest as hex. Pure."""

import json
import re
from codecs import getincrementaldecoder
from typing import Literal, NamedTuple

MAX_INDENTED_DEPTH = 16  # deeper, indenting makes more blanks than text
MAX_HEX_BYTES = 4096
INDENT = "  "
OPENING, CLOSING = {"[", "{"}, {"]", "}"}
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}:,]|[^\s\[\]{}:,"]+')
UNREADABLE = re.compile(r"[^\x20-\x7e\xa0-\U0010ffff\t\r\n]")  # control characters


class Shown(NamedTuple):
    kind: Literal["json", "text", "hex"]
    text: str
    cut: int = 0  # bytes that are not shown


def shown(payload: bytes, is_truncated: bool = False) -> Shown:
    try:
        # Of a beginning the last character may be cut in two.
        text = getincrementaldecoder("utf-8")().decode(payload, final=not is_truncated)
    except UnicodeDecodeError:
        return _hex(payload)
    if UNREADABLE.search(text):
        return _hex(payload)
    return Shown("json", _indented(text)) if _is_json(text) else Shown("text", text)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _indented(text: str) -> str:
    """The same tokens on lines of their own: numbers keep their digits, and names that come twice come twice."""
    parts: list[str] = []
    depth, previous = 0, ""
    for token in TOKEN.findall(text):
        depth -= token in CLOSING
        is_empty = previous in OPENING and token in CLOSING
        if (previous in OPENING or previous == "," or token in CLOSING) and not is_empty:
            parts.append("\n" + INDENT * depth)
        parts.append(": " if token == ":" else token)
        depth += token in OPENING
        if depth > MAX_INDENTED_DEPTH:
            return text
        previous = token
    return "".join(parts)


def _hex(payload: bytes) -> Shown:
    """Sixteen bytes a line: their place, their values, and what of them is ASCII."""
    lines = []
    for start in range(0, min(len(payload), MAX_HEX_BYTES), 16):
        part = payload[start : start + 16]
        ascii = "".join(chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in part)
        lines.append(f"{start:06x}  {part.hex(' '):47}  {ascii}")
    return Shown("hex", "\n".join(lines), max(0, len(payload) - MAX_HEX_BYTES))

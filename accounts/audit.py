"""The audit trail: configuration changes and security events as one list, newest first.

The tables are found by themselves: every model that keeps its history, of whichever app, is part of the list.
"""

import base64
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import pghistory
from django.db import connection, models

from accounts.history import BASELINE, CREATED, DELETED, PASSWORD_CHANGED, UPDATED
from accounts.models import User
from accounts.security_events import Kind

NO_CURSOR = "This is no cursor of ours."
MAX_NUMBER = 2**63 - 1  # what bigint holds
SECURITY = "security"  # the source of security events; those of history are called like their model

HISTORY_ROWS = f"""
SELECT '{{source}}' AS source, pgh_id AS number, pgh_created_at AS at, pgh_label AS action, '{{source}}' AS object_type,
    pgh_obj_id AS object_id, pgh_context->>'user' AS actor, pgh_context AS context, to_jsonb({{table}}) AS data
FROM {{table}} WHERE pgh_label <> '{BASELINE}'
"""
# Whoever signs in or out acts, though the request was nobody's before or after.
SECURITY_ROWS = f"""
SELECT '{SECURITY}' AS source, id AS number, at, kind AS action, 'user' AS object_type, user_id AS object_id,
    coalesce(context->>'user', CASE WHEN kind IN ('{Kind.LOGIN}', '{Kind.LOGOUT}') THEN user_id::text END) AS actor,
    context, jsonb_build_object('email', email, 'detail', detail) AS data
FROM accounts_securityevent
"""
# In the values of the row, not in what is kept about its change: that has filters.
SEARCH = """EXISTS (
    SELECT FROM jsonb_each_text(data - 'pgh_context' - 'pgh_label') cell
    WHERE strpos(lower(cell.value), lower(%s)) > 0
)"""
# Each table gives a page at most, which its index on time serves; so the length of the trail does not matter.
PART = "(SELECT * FROM ({rows}) entry WHERE {where} ORDER BY at {way}, number {way} LIMIT {limit})"
# The row as it was: the newest older event. That of a changed password comes between the two where one statement
# changes more than the password, and holds what is new already.
BEFORE = f"""
WHEN '{{source}}' THEN (
    SELECT to_jsonb(old) FROM {{table}} old
    WHERE old.pgh_obj_id = page.object_id AND old.pgh_id < page.number AND old.pgh_label <> '{PASSWORD_CHANGED}'
    ORDER BY old.pgh_id DESC LIMIT 1
)
"""
PAGE = f"""
WITH page AS MATERIALIZED (
    SELECT * FROM ({{parts}}) part ORDER BY at {{way}}, source {{way}}, number {{way}} LIMIT {{limit}}
)
SELECT page.*, CASE action WHEN '{UPDATED}' THEN CASE source {{before}} END END
FROM page ORDER BY at {{way}}, source {{way}}, number {{way}}
"""
LABELS = """
SELECT DISTINCT ON (pgh_obj_id) pgh_obj_id, {label} FROM {table}
WHERE pgh_obj_id = ANY(%s) ORDER BY pgh_obj_id, pgh_id DESC
"""


class Position(NamedTuple):
    """Where in the list an entry stands."""

    at: datetime
    source: str
    number: int

    def cursor(self) -> str:
        """The position for a URL: `[at, source, number]` as JSON in base64."""
        parts = [self.at.isoformat(), self.source, self.number]
        return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()

    @classmethod
    def of_cursor(cls, cursor: str) -> "Position":
        """Raises ValueError for what `cursor` never gave."""
        try:
            at, source, number = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii")))
            position = cls(datetime.fromisoformat(at), source, int(number))
        except (ValueError, TypeError, RecursionError, OverflowError):
            raise ValueError(NO_CURSOR) from None
        if (
            position.at.tzinfo is None
            or position.source not in (SECURITY, *sources())
            or abs(position.number) > MAX_NUMBER
        ):
            raise ValueError(NO_CURSOR)
        return position


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries are asked for; None asks for all."""

    actor: UUID | None = None
    action: str | None = None
    object_type: str | None = None
    object_id: UUID | None = None
    start: datetime | None = None  # at or after it
    end: datetime | None = None  # before it
    request_id: str | None = None
    search: str | None = None  # part of a value that the row held
    reference: tuple[str, UUID] | None = None  # a column of the row, and what it refers to

    def conditions(self) -> list[tuple[str, Any]]:
        wanted = [
            ("actor = %s", str(self.actor) if self.actor else None),
            ("action = %s", self.action),
            ("object_type = %s", self.object_type),
            ("object_id = %s", self.object_id),
            ("at >= %s", self.start),
            ("at < %s", self.end),
            ("context->>'request_id' = %s", self.request_id),
            (SEARCH, self.search),
        ]
        found: list[tuple[str, Any]] = [(condition, value) for condition, value in wanted if value is not None]
        if self.reference is not None:
            column, key = self.reference
            found += [("data ->> %s = %s", (column, str(key)))]
        return found


@dataclass(frozen=True, slots=True)
class Change:
    """One field before and after, as the database wrote them; None where there was or is no row or no value."""

    field: str
    before: Any
    after: Any
    is_reference: bool = False


@dataclass(slots=True)
class Entry:
    source: str
    number: int
    at: datetime
    action: str
    object_type: str
    object_id: UUID | None
    actor_id: str  # empty for commands, SQL, and whoever had not signed in
    context: dict[str, Any]
    data: dict[str, Any]
    changes: list[Change]
    object_label: str = ""
    actor_label: str = ""
    names: dict[str, str] = field(default_factory=dict)  # of the rows that the changes refer to, by their ids

    @property
    def id(self) -> str:
        return f"{self.source}-{self.number}"

    @property
    def position(self) -> Position:
        return Position(self.at, self.source, self.number)

    @property
    def address(self) -> str:
        return self.context.get("address", "")

    @property
    def request_id(self) -> str:
        return self.context.get("request_id", "")

    @property
    def command(self) -> str:
        return self.context.get("command", "")

    @property
    def detail(self) -> str:
        return self.data.get("detail", "") if self.source == SECURITY else ""


def sources() -> dict[str, type[models.Model]]:
    """The history tables by the name of what they follow: `{"plant": PlantEvent, …}`."""
    history: list[Any] = pghistory.core.event_models()
    return {model.pgh_tracked_model._meta.model_name: model for model in history}


def entries(wanted: Filter, limit: int, *, after: Position | None = None, oldest_first: bool = False) -> list[Entry]:
    """Up to `limit` entries from the beginning of the list, or after one; the number of queries is bounded."""
    conditions = wanted.conditions()
    if after is not None:
        # The first is what an index can serve, the second what is exact among entries of one moment.
        beyond = ">" if oldest_first else "<"
        conditions += [(f"at {beyond}= %s", after.at), (f"(at, source, number) {beyond} (%s, %s, %s)", after)]
    values = [each for _, value in conditions for each in (value if isinstance(value, tuple) else [value])]
    query = _query([condition for condition, _ in conditions], limit, oldest_first)
    with connection.cursor() as cursor:
        cursor.execute(query, values * (len(sources()) + 1))
        found = [_entry(*row) for row in cursor.fetchall()]
    _name(found)
    return found


def _query(conditions: Sequence[str], limit: int, oldest_first: bool) -> str:
    """The SQL of a page; it takes the values of the conditions once for each table."""
    tables = {name: model._meta.db_table for name, model in sources().items()}
    rows = [HISTORY_ROWS.format(source=name, table=table) for name, table in tables.items()] + [SECURITY_ROWS]
    words: dict[str, Any] = {"way": "ASC" if oldest_first else "DESC", "limit": limit}
    where = " AND ".join(conditions) or "true"
    return PAGE.format(
        parts=" UNION ALL ".join(PART.format(rows=part, where=where, **words) for part in rows),
        before="".join(BEFORE.format(source=name, table=table) for name, table in tables.items()),
        **words,
    )


def _entry(
    source: str,
    number: int,
    at: datetime,
    action: str,
    object_type: str,
    object_id: UUID | None,
    actor: str | None,
    context: str | None,
    data: str,
    before: str | None,
) -> Entry:
    """JSON comes as text: Django's connections leave it to its JSONField."""
    row = json.loads(data)
    old = json.loads(before) if before else {}
    changes = [] if source == SECURITY else _changes(sources()[source], action, row, old)
    known = json.loads(context) if context else {}
    return Entry(source, number, at, action, object_type, object_id, actor or "", known, row, changes)


def _changes(model: type[models.Model], action: str, data: dict[str, Any], before: dict[str, Any]) -> list[Change]:
    """What differs between two rows; for a row that is new or gone, all that it holds."""
    if action == PASSWORD_CHANGED:
        return []
    old = data if action == DELETED else {} if action == CREATED else before
    new = {} if action == DELETED else data
    return [
        Change(column.name, old.get(key), new.get(key), column.is_relation)
        for column, key in _columns(model)
        if key != "id" and old.get(key) != new.get(key)
    ]


def _columns(model: type[models.Model]) -> list[tuple[Any, str]]:
    """The fields that a history table copies, with their names in the row."""
    return [(f, str(f.column)) for f in model._meta.concrete_fields if not f.name.startswith("pgh_")]


def _name(found: Sequence[Entry]) -> None:
    """Labels actors, objects and references by the newest name that history knows: they may be gone by now."""
    ids: dict[type[models.Model], set[Any]] = defaultdict(set)
    for entry in found:
        ids[User].add(entry.actor_id)
        if entry.source == SECURITY:
            ids[User].add(entry.object_id)
        else:
            for column, reference in _references(entry):
                ids[column.related_model].add(reference)
                ids[column.related_model].update(c.before for c in entry.changes if c.field == column.name)
    names: dict[str, str] = {}
    for model, keys in ids.items():
        names |= labels(model, [key for key in keys if key])
    for entry in found:
        entry.actor_label = names.get(entry.actor_id, "")
        entry.object_label = _label(entry, names)
        entry.names = names


def _references(entry: Entry) -> Iterable[tuple[Any, Any]]:
    for column, key in _columns(sources()[entry.source]):
        if column.is_relation:
            yield column, entry.data[key]


def _label(entry: Entry, names: dict[str, str]) -> str:
    if entry.source == SECURITY:
        return names.get(str(entry.object_id), "") or entry.data["email"]
    own = entry.data.get("email") or entry.data.get("name") or entry.data.get("message")
    # What has no name of its own joins others: `bob@example.org, Kandy`.
    return own or ", ".join(names.get(reference, "?") for _, reference in _references(entry) if reference)


def labels(model: type[models.Model], keys: Sequence[Any]) -> dict[str, str]:
    """The newest known names of rows of a model that keeps its history, by id; of users the email."""
    if not keys:
        return {}
    column = "email" if model is User else "name"
    table = sources()[model._meta.model_name or ""]._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(LABELS.format(label=column, table=table), [[UUID(str(key)) for key in keys]])
        return {str(key): label for key, label in cursor.fetchall()}

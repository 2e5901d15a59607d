"""Drafts written as MQTT messages, in each form of payload that docs/mqtt.md knows."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any

import orjson

from telemetry.readings import Reason
from telemetry.simulator.drafts import Draft, Measured, Publication
from telemetry.simulator.faults import AHEAD, GAP

FORMS = ("number", "object", "list", "machine")


def publications(drafts: Iterable[Draft], form: str | None = None) -> Iterator[Publication]:
    """The messages of the drafts, in their order; `form` is one of FORMS, None is each device's own."""
    for draft in drafts:
        if draft.withheld:
            yield Publication(draft.due, "", None, 0, faults=((GAP, draft.withheld),))
        if draft.measured:
            yield from _written(draft, form or draft.form)


def _written(draft: Draft, form: str) -> Iterator[Publication]:
    topic = f"inqube/v1/{draft.machine}/t"
    if form == "machine":
        yield _publication(draft, topic, _machine_body(draft.measured), draft.measured)
    elif form == "list":
        for sensor, of_sensor in groupby(sorted(draft.measured, key=attrgetter("sensor")), attrgetter("sensor")):
            measured = tuple(of_sensor)
            yield _publication(draft, f"{topic}/{sensor}", [_object(each) for each in measured], measured)
    else:
        for each in draft.measured:
            body = _object(each) if form == "object" else each.value
            yield _publication(draft, f"{topic}/{each.sensor}", body, (each,), is_timed=form == "object")


def _publication(
    draft: Draft, topic: str, body: Any, measured: tuple[Measured, ...], *, is_timed: bool = True
) -> Publication:
    faults = Counter(fault for each in measured for fault in each.faults)
    reason = Reason.TIMESTAMP_OUT_OF_RANGE if AHEAD in faults else None  # a clock is wrong for a whole message
    payload = orjson.dumps(body)
    return Publication(draft.due, topic, payload, len(measured), reason, tuple(faults.items()), is_timed)


def _machine_body(measured: tuple[Measured, ...]) -> Any:
    """`{"ts": …, "values": {sensor: value}}`, or a list of such where times differ."""
    bodies = [
        {"ts": time_ms, "values": {each.sensor: _value(each) for each in at_once}}
        for time_ms, at_once in groupby(measured, attrgetter("time_ms"))
    ]
    return bodies if len(bodies) > 1 else bodies[0]


def _object(measured: Measured) -> dict[str, Any]:
    """`{"v": …, "ts": …}`, with `q` where the quality isn't good."""
    body: dict[str, Any] = {"v": measured.value, "ts": measured.time_ms}
    return body if measured.quality is None else {**body, "q": measured.quality}


def _value(measured: Measured) -> Any:
    return measured.value if measured.quality is None else {"v": measured.value, "q": measured.quality}

"""The states of an alarm, and what leads from one to another (ISA-18.2, figure "Alarm state transition diagram"). Pure.

`normal` is a rule and sensor without an open alarm. Shelving and holding back are beside these states: they say whether
an alarm calls for anybody, not how it stands.
"""

from enum import StrEnum


class State(StrEnum):
    RAISED = "raised"  # active, and nobody has acknowledged it
    ACKNOWLEDGED = "acknowledged"  # active
    CLEARED = "cleared"  # over, but nobody has acknowledged it
    CLOSED = "closed"


class Kind(StrEnum):
    """What happens to an alarm: a row of its journal."""

    RAISED = "raised"
    CLEARED = "cleared"  # the condition is over
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"  # by force: its rule is switched off or gone, or its sensor is
    SHELVED = "shelved"
    UNSHELVED = "unshelved"  # by somebody, or since its time has come
    COMMENTED = "commented"
    ASSIGNED = "assigned"
    HELD = "held"  # under the alarm of a whole machine or device
    RELEASED = "released"
    ESCALATED = "escalated"  # a further step of its notification


ACTIVE = frozenset({State.RAISED, State.ACKNOWLEDGED})
UNACKNOWLEDGED = frozenset({State.RAISED, State.CLEARED})

TRANSITIONS: dict[tuple[State, Kind], State] = {
    (State.CLEARED, Kind.RAISED): State.RAISED,  # again, before anybody has seen it
    (State.RAISED, Kind.CLEARED): State.CLEARED,
    (State.ACKNOWLEDGED, Kind.CLEARED): State.CLOSED,
    (State.RAISED, Kind.ACKNOWLEDGED): State.ACKNOWLEDGED,
    (State.CLEARED, Kind.ACKNOWLEDGED): State.CLOSED,
    (State.RAISED, Kind.CLOSED): State.CLOSED,
    (State.ACKNOWLEDGED, Kind.CLOSED): State.CLOSED,
    (State.CLEARED, Kind.CLOSED): State.CLOSED,
}
STAYS = frozenset(
    {
        Kind.SHELVED,
        Kind.UNSHELVED,
        Kind.COMMENTED,
        Kind.ASSIGNED,
        Kind.HELD,
        Kind.RELEASED,
        Kind.ESCALATED,
    }
)


def follows(state: State, kind: Kind) -> State | None:
    """The state after it; None where it can't happen in this state, such as a second acknowledgement."""
    if kind in STAYS:
        return None if state is State.CLOSED and kind is not Kind.COMMENTED else state
    return TRANSITIONS.get((state, kind))

"""How much a counter grew within its sparkline's points; `inqube/static/inqube/increase.js` tells the same."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from telemetry.queries.sparklines import BUCKET, SPAN


class Increase(NamedTuple):
    amount: float
    since: datetime


def increase(points: Sequence[tuple[datetime, float]], now: datetime) -> Increase | None:
    """Of points oldest first, the last the latest value itself; None where there is too little or a reset within.

    A mean of two minutes holds for their middle. One in which a counter began anew is neither of what was before nor
    of what came after, so no increase follows from it.
    """
    visible = [(time, value) for time, value in points if time >= now - SPAN]
    if not visible or visible[-1][0] - visible[0][0] < BUCKET:
        return None
    values = [value for _, value in visible]
    if values != sorted(values):
        return None
    return Increase(values[-1] - values[0], visible[0][0] + BUCKET / 2)

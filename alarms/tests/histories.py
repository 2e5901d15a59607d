"""Random rules, and random histories that they watch, for the comparison with the reference."""

from hypothesis import strategies as st

from alarms.tests.reference import Asked, Told
from plants.scales import SECOND_US

KINDS = ("high_high", "high", "low", "low_low", "rate", "deviation", "stuck", "state")
LAST_S = 40

seconds = st.integers(0, LAST_S)
values = st.integers(0, 9).map(float)
delays = st.sampled_from([0, 0, 1, 3, 8, 20]).map(lambda delay: delay * SECOND_US)
told = st.builds(
    Told,
    time_us=seconds.map(lambda second: second * SECOND_US),
    value=values,
    is_bad=st.sampled_from([False, False, False, True]),
    is_other=st.sampled_from([False, False, True]),
)


def in_order(history: list[Told]) -> list[Told]:
    """Mostly so, for otherwise most would be late: each ten together are."""
    return [each for start in range(0, len(history), 10) for each in sorted(history[start : start + 10])]


histories = st.lists(told, max_size=24).flatmap(lambda history: st.sampled_from([history, sorted(history)])) | st.lists(
    told, max_size=24
).map(in_order)


@st.composite
def rules(draw: st.DrawFn, has_hours: bool = False) -> Asked:
    kind = draw(st.sampled_from(KINDS))
    # No rate of these readings is just so: a float's last bit decides nothing.
    setpoint = {"rate": draw(st.integers(20, 300)) + 0.7, "stuck": draw(st.sampled_from([1.0, 3.0, 8.0]))}.get(kind)
    hours = draw(st.none() | st.tuples(seconds, seconds)) if has_hours else None
    return Asked(
        kind=kind,
        setpoint=float(draw(st.integers(1, 7))) if setpoint is None else setpoint,
        deadband=float(draw(st.integers(0, 3))),
        on_us=draw(delays),
        off_us=draw(delays),
        hours=hours and (hours[0] * SECOND_US, hours[1] * SECOND_US),
        stale_us=draw(st.sampled_from([3, 10, 60])) * SECOND_US,
    )

"""How far another machine's clock is from this one's."""

from datetime import datetime, timedelta

from inqube.doctor.findings import Finding, failed, ok, warning

# Freshness, alarms and the ledger compare times of several machines; devices are refused from five minutes ahead on.
NOTICED = timedelta(seconds=2)
TOO_FAR = timedelta(seconds=60)
REMEDY = "Let chrony or systemd-timesyncd set both clocks."


def compare(whose: str, theirs: datetime, before: datetime, after: datetime, grain: timedelta = timedelta()) -> Finding:
    """Their time was read between two moments of ours; `grain` is how coarsely they tell it."""
    if before - grain <= theirs <= after:
        return ok(f"{whose} has the same time as this machine")
    skew = theirs - after if theirs > after else theirs + grain - before
    seconds = abs(skew) / timedelta(seconds=1)
    detail = f"{whose} is {seconds:.1f} s {'ahead of' if skew > timedelta() else 'behind'} this machine"
    if abs(skew) > TOO_FAR:
        return failed(detail, REMEDY)
    return warning(detail, REMEDY) if abs(skew) > NOTICED else ok(detail)

"""The web server, where people and programs reach it."""

import http.client
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from django.conf import settings

from inqube.doctor import clocks
from inqube.doctor.findings import Area, Finding, UnavailableError, failed, ok, skipped

WITHIN_S = 4.0
PATH = "/readyz"
SECOND = timedelta(seconds=1)  # what a Date header tells
REMEDY = "Look whether daphne and the proxy run, and whether PUBLIC_URL is right."


class Answer(NamedTuple):
    status: int
    date: str
    before: datetime
    after: datetime


@contextmanager
def opened() -> Iterator[Answer]:
    if not settings.PUBLIC_URL:
        raise UnavailableError(skipped("PUBLIC_URL is not set, so where it is reached is not known"))
    before = datetime.now(UTC)
    try:
        with urllib.request.urlopen(settings.PUBLIC_URL + PATH, timeout=WITHIN_S) as response:
            status, headers = response.status, response.headers
    except urllib.error.HTTPError as error:
        status, headers = error.code, error.headers
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        words = reason.verify_message if isinstance(reason, ssl.SSLCertVerificationError) else str(reason)
        raise UnavailableError(failed(f"{settings.PUBLIC_URL} does not answer: {words}", REMEDY)) from None
    yield Answer(status, headers.get("Date", ""), before, datetime.now(UTC))


def ready(answer: Answer) -> Finding:
    if answer.status != 200:
        detail = f"{settings.PUBLIC_URL}{PATH} answers {answer.status}"
        return failed(detail, f"{settings.PUBLIC_URL}/health says what it lacks; a 404 is a proxy's.")
    return ok(f"{settings.PUBLIC_URL} answers, and is ready")


def clock(answer: Answer) -> Finding:
    try:
        theirs = parsedate_to_datetime(answer.date)
    except ValueError:
        return skipped("its answer has no date")
    return clocks.compare("the web server", theirs, answer.before, answer.after, SECOND)


AREA = Area({"web": ready, "web-clock": clock}, opened)

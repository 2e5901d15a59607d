"""A statement that ends in time: no question about the past may keep the database busy for long."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg.errors import QueryCanceled


class TooSlowError(Exception):
    """The answer takes longer than HISTORY_TIMEOUT_S."""


@contextmanager
def limited() -> Iterator[CursorWrapper]:
    """A cursor whose statements end after HISTORY_TIMEOUT_S.

    Raises:
        TooSlowError: one did.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{settings.HISTORY_TIMEOUT_S}s"])
            yield cursor
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TooSlowError from error
        raise

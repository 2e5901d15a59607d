"""What a query finds, as the bytes of PostgreSQL's COPY: many rows at a time, none kept."""

from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import asynccontextmanager
from typing import NamedTuple

import psycopg
from psycopg import pq, sql
from psycopg.errors import error_from_result
from psycopg.waiting import Ready, Wait

from telemetry.storage import connection_params

BLOCK_BYTES = 64 * 1024  # what the ASGI handler sends at once; about half a millisecond of work
APPLICATION_NAME = "inqube export"  # as pg_stat_activity shows it

# Times come in UTC and numbers exactly, whatever the server's defaults; workers would help no reader that wants order.
SETTINGS = """
SET TIME ZONE 'UTC'; SET extra_float_digits = 1; SET statement_timeout = 0; SET max_parallel_workers_per_gather = 0;
SET default_transaction_read_only = on
"""


class Block(NamedTuple):
    data: bytes
    rows: int
    is_last: bool


@asynccontextmanager
async def export_connection() -> AsyncIterator[psycopg.AsyncConnection]:
    """A connection outside the pool, which an export would keep from everybody else for as long as it runs."""
    params = connection_params() | {"application_name": APPLICATION_NAME, "client_encoding": "UTF8"}
    async with await psycopg.AsyncConnection.connect(**params, autocommit=True) as connection:
        await connection.execute(SETTINGS)
        yield connection


async def copy_out(connection: psycopg.AsyncConnection, copy: sql.Composed) -> AsyncGenerator[Block, None]:
    """The output of `COPY (…) TO STDOUT`, whole rows to a block.

    psycopg's own iteration takes a trip through the event loop for each row, three times as long as all the rest.
    Leaving early, by whatever exception, cancels the query on the server: psycopg's context does so.
    """
    async with connection.cursor() as cursor, cursor.copy(copy):
        is_last = False
        while not is_last:
            block = await connection.wait(_block(connection.pgconn))
            is_last = block.is_last
            yield block


def _block(pgconn: pq.abc.PGconn) -> Generator[Wait, Ready | int, Block]:
    """What has arrived, BLOCK_BYTES or a row more at most; waits only where that is nothing."""
    rows: list[bytes] = []
    size = 0
    while size < BLOCK_BYTES:
        length, data = pgconn.get_copy_data(1)
        if length > 0:
            rows.append(bytes(data))
            size += length
        elif length == 0:
            if rows:
                break
            while not (yield Wait.R):
                continue
            pgconn.consume_input()
        else:
            yield from _finish(pgconn)
            return Block(b"".join(rows), len(rows), is_last=True)
    return Block(b"".join(rows), len(rows), is_last=False)


def _finish(pgconn: pq.abc.PGconn) -> Generator[Wait, Ready | int, None]:
    """Takes the result of a COPY that has ended, which is where a failure in its middle shows."""
    failure = None
    while True:
        while pgconn.is_busy():
            while not (yield Wait.R):
                continue
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:
            break
        if result.status == pq.ExecStatus.FATAL_ERROR:
            failure = error_from_result(result)
    if failure is not None:
        raise failure

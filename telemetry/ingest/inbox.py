"""Stage 6 of 8 — store: letters into the inbox of dead letters, in the transaction of their neighbours."""

from collections.abc import Sequence

import psycopg

from plants.scales import instant
from telemetry.ingest.letters import KEPT_BYTES, Letter

# What the broker delivers again is counted where the letter is there: the acknowledgement was lost, not the commit.
# `id <> %s`: the letter itself, where this is a second try after a commit of which nobody knew.
SEEN_AGAIN = """
UPDATE dead_letter SET seen = seen + 1
WHERE id = (
    SELECT id FROM dead_letter WHERE digest = %s AND reason = %s AND id <> %s ORDER BY received_at DESC LIMIT 1
)
"""

# The lock is that of the foreign key's own check: taken first, a plant that is being deleted can't fail us.
INSERT = """
WITH plant AS (SELECT id FROM plants_plant WHERE slug = %(plant)s FOR KEY SHARE)
INSERT INTO dead_letter (id, received_at, source, topic, plant_id, address, payload, payload_bytes, is_truncated,
                         reason, detail, samples, digest, seen, state)
SELECT %(id)s, %(received_at)s, %(source)s, %(topic)s, (SELECT id FROM plant), %(address)s, %(payload)s,
       %(payload_bytes)s, %(is_truncated)s, %(reason)s, %(detail)s, %(samples)s, %(digest)s, 1, 'new'
ON CONFLICT (id) DO NOTHING
"""


def put(cursor: psycopg.Cursor, letters: Sequence[Letter]) -> None:
    """Puts each letter into the inbox once, however often its message is delivered or its batch is tried."""
    new: list[dict[str, object]] = []
    for letter in letters:
        if letter.is_repeated:
            _insert(cursor, new)  # a message may come again before its first batch is written
            cursor.execute(SEEN_AGAIN, [letter.digest, str(letter.reason), letter.id])
            if cursor.rowcount:
                continue
        new.append(_row(letter))
    _insert(cursor, new)


def _insert(cursor: psycopg.Cursor, rows: list[dict[str, object]]) -> None:
    if rows:
        cursor.executemany(INSERT, rows)
        rows.clear()


def _row(letter: Letter) -> dict[str, object]:
    return {
        "id": letter.id,
        "received_at": instant(letter.received_us),
        "source": letter.source,
        "plant": letter.plant,
        "topic": letter.topic,
        "address": letter.address,
        "payload": letter.payload,
        "payload_bytes": letter.payload_bytes,
        "is_truncated": letter.payload_bytes > KEPT_BYTES,
        "reason": str(letter.reason),
        "detail": letter.detail,
        "samples": letter.samples,
        "digest": letter.digest,
    }

"""Dead letters for tests, as ingest leaves them."""

import uuid
from typing import Any

from django.utils.timezone import now

from plants.models import Plant
from telemetry.models import DeadLetter


def make_letter(plant: Plant | None, payload: bytes = b"1.5", **fields: Any) -> DeadLetter:
    letter = unsaved_letter(plant, payload, **fields)
    letter.save(force_insert=True)
    return letter


def unsaved_letter(plant: Plant | None, payload: bytes = b"1.5", **fields: Any) -> DeadLetter:
    """Of roller-2's temperature, since the sensor is inactive; every field can be another."""
    return DeadLetter(
        **{
            "received_at": now(),
            "source": "kandy/rolling/roller-2",
            "topic": "inqube/v1/kandy/rolling/roller-2/t/temp",
            "address": "kandy/rolling/roller-2/temp",
            "plant": plant,
            "payload": payload,
            "payload_bytes": len(payload),
            "reason": "sensor_inactive",
            "detail": "The sensor is switched off in InQube. Activate it to store.",
            "samples": 1,
            "digest": uuid.uuid4().bytes,
        }
        | fields
    )

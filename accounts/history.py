"""The history of configuration: the database's triggers copy every changed row, whoever changed it."""

from collections.abc import Callable
from typing import TypeVar

import pghistory
import pgtrigger
from django.db import models

M = TypeVar("M", bound=models.Model)

CREATED = "created"
UPDATED = "updated"
DELETED = "deleted"
PASSWORD_CHANGED = "password_changed"
BASELINE = "baseline"  # the row as it was when its history began


def keep_history(exclude: tuple[str, ...] = (), secret: str | None = None) -> Callable[[type[M]], type[M]]:
    """Class decorator: a `<Model>Event` table with a row for each insert, each real change, and each delete.

    Columns in `exclude` are not copied, and their changes are no events. That `secret`, one of them, changed is
    an event of its own, without its value. The table's migration must also add triggers that call
    `accounts_audit_refuse`, which keep the table append-only; a test holds that.
    """
    trackers: list[pghistory.Tracker] = [
        pghistory.InsertEvent(CREATED),
        pghistory.UpdateEvent(UPDATED),
        pghistory.DeleteEvent(DELETED),
    ]
    if secret:
        trackers.append(pghistory.UpdateEvent(PASSWORD_CHANGED, condition=pgtrigger.AnyChange(secret)))
    return pghistory.track(
        *trackers,
        exclude=list(exclude),
        obj_field=pghistory.ObjForeignKey(related_name="+", db_index=False),
        context_field=pghistory.ContextJSONField(),
        context_id_field=None,  # type: ignore[arg-type]  # its documentation allows it
        meta={
            "indexes": [models.Index(fields=["pgh_created_at"]), models.Index(fields=["pgh_obj", "pgh_id"])],
            "default_permissions": (),
        },
    )

"""Tells the database who acts, from where, and in which request or command, so that its triggers can write it down."""

import json
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.http import HttpRequest
from pghistory.middleware import HistoryMiddleware

from accounts.addresses import client_address

SESSION_CONTEXT = "SELECT set_config('pghistory.context_metadata', %s, false)"


class AuditMiddleware(HistoryMiddleware):
    """Every change that a request makes carries the user, the address, the path and the request's id.

    The parent notices when a view sets another user (REST knows the bearer of a token only there). The query
    string stays out: it may hold what nobody should keep.
    """

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        return {
            **super().get_context(request),
            "address": client_address(request) or "",
            "method": request.method,
            "request_id": getattr(request, "request_id", ""),
        }


def act_as_command(name: str) -> None:
    """From now on, what this process changes outside requests was done by the command of this name.

    It is said once for each database connection and not with each statement, of which ingest sends many.
    """

    def tell(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(SESSION_CONTEXT, [json.dumps({"command": name})])

    connection_created.connect(tell, weak=False, dispatch_uid="accounts.audit_context")

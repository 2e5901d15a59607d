"""What every page's side bar needs of the inbox."""

from functools import cache, partial

from django.http import HttpRequest

from telemetry.queries.dead_letters import waiting


def inbox_of_user(request: HttpRequest) -> dict[str, object]:
    """Context processor: `nav_waiting`, asked once a page, and only by pages that show it."""
    return {"nav_waiting": cache(partial(waiting, request.user))}

"""Actions of the admin that ask first, on a page that says what will come of them."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse


def ask_first(
    admin: ModelAdmin,
    request: HttpRequest,
    rows: QuerySet[Any],
    *,
    verb: str,
    consequence: str,
    describe: Callable[[Any], str],
    act: Callable[[], None],
) -> HttpResponse | None:
    """Does it where the page that asks has been answered, else shows that page."""
    if "confirmed" in request.POST:
        act()
        return None
    context = {
        **admin.admin_site.each_context(request),
        "title": f"{verb}: are you sure?",
        "verb": verb,
        "consequence": consequence,
        "rows": [(row.pk, describe(row)) for row in rows],
        "action": request.POST["action"],
        "checkbox": ACTION_CHECKBOX_NAME,
        "opts": admin.opts,
    }
    return TemplateResponse(request, "admin/confirm.html", context)

"""Actions of the admin that ask first, on a page that says what will come of them."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse


def is_answered(request: HttpRequest) -> bool:
    return "confirmed" in request.POST


def ask_first(
    admin: ModelAdmin,
    request: HttpRequest,
    rows: QuerySet[Any],
    *,
    verb: str,
    consequence: str,
    describe: Callable[[Any], str],
    act: Callable[[], None],
    form: Form | None = None,
) -> HttpResponse | None:
    """Does it where the page that asks has been answered, and its form, if there is one, is valid; else shows it.

    The form is bound where `is_answered` says so; `act` finds there what was entered.
    """
    if is_answered(request) and (form is None or form.is_valid()):
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
        "form": form,
    }
    return TemplateResponse(request, "admin/confirm.html", context)

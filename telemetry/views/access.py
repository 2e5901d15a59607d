"""Who may see a page, beside those that are for everybody who is signed in."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse

from accounts.models import User

View = Callable[..., HttpResponse]


def for_admins(view: View) -> View:
    """For other people there is no such page."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not cast(User, request.user).is_superuser:
            raise Http404
        return view(request, *args, **kwargs)

    return login_required(checked)


def for_operators(view: View) -> View:
    """Admins and operators; for other people there is no such page."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not cast(User, request.user).may_operate:
            raise Http404
        return view(request, *args, **kwargs)

    return login_required(checked)

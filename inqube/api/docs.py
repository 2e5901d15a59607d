"""Descriptions of the interfaces, from this server's own files: Swagger UI for REST, AsyncAPI for messages."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from drf_spectacular.views import SpectacularSwaggerSplitView


class DocsView(SpectacularSwaggerSplitView):
    """The page and, with `?script`, its start-up script; nothing is inline, so our policy need not be relaxed."""

    authentication_classes: list[type] = []  # open to anyone, also with a token that is over
    template_name = "api/docs.html"


@require_safe
def asyncapi(request: HttpRequest) -> HttpResponse:
    """What devices send and what the live feed says."""
    document = settings.BASE_DIR / "docs" / "asyncapi.yaml"
    return HttpResponse(document.read_bytes(), content_type="application/yaml")  # RFC 9512

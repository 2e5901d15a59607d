"""Swagger UI from this server's own files."""

from drf_spectacular.views import SpectacularSwaggerSplitView


class DocsView(SpectacularSwaggerSplitView):
    """The page and, with `?script`, its start-up script; nothing is inline, so our policy need not be relaxed."""

    authentication_classes: list[type] = []  # open to anyone, also with a token that is over
    template_name = "api/docs.html"

"""Pages go compressed over the wire; static files are compressed when they are collected."""

from django.http import HttpRequest, HttpResponseBase
from django.middleware.gzip import GZipMiddleware


class PageCompressionMiddleware(GZipMiddleware):
    """Django's, which pads each answer at random against BREACH, for HTML alone.

    A page repeats itself and shrinks to a tenth. Answers of the API and exports, whose length is not for this
    process to spend time on, are left to a proxy.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not response.get("Content-Type", "").startswith("text/html"):
            return response
        return super().process_response(request, response)

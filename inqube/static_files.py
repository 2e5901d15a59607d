"""Static files: in production compressed, and under names that carry their content's hash."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.templatetags.static import static
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(CompressedManifestStaticFilesStorage):
    """Rewrites the imports between ES modules too; without it a page would load modules of two releases at once."""

    support_js_module_import_aggregation = True


@require_safe
@cache_control(public=True, max_age=86_400)  # seconds; the browser asks for each new origin, not for each page
def favicon(request: HttpRequest) -> HttpResponse:
    """Where browsers look when what they show names no icon: JSON, plain errors, files."""
    return HttpResponseRedirect(static("inqube/favicon.svg"))

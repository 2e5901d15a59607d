"""Which code answers which path."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

from accounts import views as people
from inqube import health, metrics
from inqube.api.docs import DocsView, asyncapi
from inqube.static_files import favicon

api: list[URLPattern | URLResolver] = [
    path("", include("accounts.api.urls")),
    path("", include("plants.api.urls")),
    path("", include("alarms.api.urls")),
    path("", include("telemetry.api.urls")),
    path("schema/", SpectacularAPIView.as_view(authentication_classes=[]), name="schema"),
    path("docs", DocsView.as_view(), name="docs"),
    path("asyncapi.yaml", asyncapi, name="asyncapi"),
]

# The browsable API finds its "Log in" link by this name; it has no page of its own here.
browsable_api = [path("login/", people.login, name="login")]

urlpatterns = [
    path("", include("accounts.urls")),
    path("", include("telemetry.urls")),
    path("", include((browsable_api, "rest_framework"))),
    path("admin/", admin.site.urls),
    path("api/v1/", include(api)),
    path("favicon.ico", favicon),
    path("health", health.health),
    path("readyz", health.ready),
    path("livez", health.live),
    path("metrics", metrics.metrics, name="metrics"),
]

handler400 = "inqube.api.problems.bad_request"
handler403 = "inqube.api.problems.permission_denied"
handler404 = "inqube.api.problems.page_not_found"
handler500 = "inqube.api.problems.server_error"

"""Which code answers which path."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

from inqube import health
from inqube.api.docs import DocsView

api: list[URLPattern | URLResolver] = [
    path("", include("accounts.api.urls")),
    path("", include("plants.api.urls")),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs", DocsView.as_view(), name="docs"),
]

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v1/", include(api)),
    path("health", health.health),
    path("readyz", health.health),
    path("livez", health.live),
]

handler400 = "inqube.api.problems.bad_request"
handler403 = "inqube.api.problems.permission_denied"
handler404 = "inqube.api.problems.page_not_found"
handler500 = "inqube.api.problems.server_error"

from django.urls import path

from telemetry.api.views import HistoryView, LatestView

urlpatterns = [
    path("telemetry/latest", LatestView.as_view(), name="telemetry_latest"),
    path("telemetry/history", HistoryView.as_view(), name="telemetry_history"),
]

from django.urls import path
from rest_framework.routers import SimpleRouter

from telemetry.api.dead_letters import DeadLetterViewSet
from telemetry.api.discovered_sensors import DiscoveredSensorViewSet
from telemetry.api.effects import EffectView
from telemetry.api.export import ExportView
from telemetry.api.ingest import IngestView
from telemetry.api.tester import TestView
from telemetry.api.views import HistoryView, LatestView

router = SimpleRouter()
router.register("dead-letters", DeadLetterViewSet)
router.register("discovered-sensors", DiscoveredSensorViewSet)

urlpatterns = [
    *router.urls,
    path("decisions/<uuid:pk>/effect/", EffectView.as_view(), name="decision_effect"),
    path("telemetry/", IngestView.as_view(), name="telemetry_ingest"),
    path("telemetry/test", TestView.as_view(), name="telemetry_test"),
    path("telemetry/latest", LatestView.as_view(), name="telemetry_latest"),
    path("telemetry/history", HistoryView.as_view(), name="telemetry_history"),
    path("telemetry/export", ExportView.as_view(), name="telemetry_export"),
]

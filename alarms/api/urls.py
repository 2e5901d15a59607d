from rest_framework.routers import SimpleRouter

from alarms.api.alarms import AlarmViewSet
from alarms.api.decisions import DecisionViewSet
from alarms.api.rules import RuleViewSet

router = SimpleRouter()
router.register("alarms", AlarmViewSet)
router.register("rules", RuleViewSet)
router.register("decisions", DecisionViewSet)

urlpatterns = router.urls

from rest_framework.routers import SimpleRouter

from alarms.api.alarms import AlarmViewSet

router = SimpleRouter()
router.register("alarms", AlarmViewSet)

urlpatterns = router.urls

from rest_framework.routers import SimpleRouter

from plants.api.devices import DeviceViewSet
from plants.api.memberships import MembershipViewSet
from plants.api.views import MachineViewSet, PlantViewSet, SensorViewSet, ZoneViewSet

router = SimpleRouter()
router.register("plants", PlantViewSet)
router.register("memberships", MembershipViewSet)
router.register("devices", DeviceViewSet)
router.register("zones", ZoneViewSet)
router.register("machines", MachineViewSet)
router.register("sensors", SensorViewSet)

urlpatterns = router.urls

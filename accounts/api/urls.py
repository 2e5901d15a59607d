from django.urls import path
from rest_framework.routers import SimpleRouter

import accounts.api.schema  # noqa: F401 drf-spectacular finds extensions that have been imported
from accounts.api.audit import AuditView
from accounts.api.users import UserViewSet
from accounts.api.views import AccessTokenView, LogoutView, MeView, MyPasswordView, RefreshView

router = SimpleRouter()
router.register("users", UserViewSet)

urlpatterns = [
    path("login/access-token", AccessTokenView.as_view(), name="login-access-token"),
    path("login/refresh", RefreshView.as_view(), name="login-refresh"),
    path("logout", LogoutView.as_view(), name="logout-token"),
    path("users/me", MeView.as_view(), name="users-me"),
    path("users/me/password", MyPasswordView.as_view(), name="users-me-password"),
    path("audit/", AuditView.as_view(), name="audit"),
    *router.urls,
]

from django.urls import path

import accounts.api.schema  # noqa: F401 drf-spectacular finds extensions that have been imported
from accounts.api.views import AccessTokenView, MeView

urlpatterns = [
    path("login/access-token", AccessTokenView.as_view(), name="login-access-token"),
    path("users/me", MeView.as_view(), name="users-me"),
]

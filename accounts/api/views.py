"""Signing in, and the signed-in user."""

from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import ValidationError
from rest_framework.generics import RetrieveUpdateAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.serializers import AccessSerializer, CredentialsSerializer, UserSerializer
from accounts.models import User
from accounts.tokens import issue_access_token

# The same words whether the user is unknown or inactive, or the password wrong: it must not tell who exists.
# `authenticate` spends a password hash in each of the cases, so the time does not tell either.
WRONG_CREDENTIALS = "The email address or the password is wrong."


class AccessTokenView(APIView):
    """Sign in with email address and password, for an access token."""

    authentication_classes: list[type[BaseAuthentication]] = []  # a stale token must not stop a new sign-in
    permission_classes = [AllowAny]
    serializer_class = CredentialsSerializer

    @extend_schema(
        operation_id="login_access_token",
        tags=["login"],
        request={"application/x-www-form-urlencoded": CredentialsSerializer},
        responses={200: AccessSerializer},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        credentials = CredentialsSerializer(data=request.data)
        credentials.is_valid(raise_exception=True)
        user = authenticate(request._request, **credentials.validated_data)
        if not isinstance(user, User):
            raise ValidationError(WRONG_CREDENTIALS, code="invalid_grant")
        access: dict[str, Any] = {
            "access_token": issue_access_token(user),
            "token_type": "bearer",
            "expires_in": settings.ACCESS_TOKEN_MINUTES * 60,
            "user": user,
        }
        return Response(AccessSerializer(access).data, headers={"Cache-Control": "no-store"})


class MeView(RetrieveUpdateAPIView[User]):
    """The signed-in user; their name is theirs to change."""

    serializer_class = UserSerializer
    http_method_names = ["get", "patch", "head", "options"]

    def get_object(self) -> User:
        assert isinstance(self.request.user, User)
        return self.request.user

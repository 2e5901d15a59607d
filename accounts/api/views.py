"""Signing in, and the signed-in user."""

from typing import Any

from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, Throttled, ValidationError
from rest_framework.generics import RetrieveUpdateAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.serializers import (
    AccessSerializer,
    CredentialsSerializer,
    NewPasswordSerializer,
    PairSerializer,
    RefreshTokenSerializer,
    UserSerializer,
)
from accounts.lockout import Lock, authenticate_in_turn, lock_met, signed_in
from accounts.models import User
from accounts.tokens import INVALID, InvalidRefreshTokenError, Pair, refresh, sign_in, sign_out

# The same words whether the user is unknown or inactive, or the password wrong: it must not tell who exists.
# Django's `authenticate` spends a password hash in each of the cases, so the time does not tell either.
WRONG_CREDENTIALS = "The email address or the password is wrong."

SIGN_IN_EXAMPLES = [
    OpenApiExample(
        "Credentials",
        {"username": "viewer@inqube.example", "password": "correct horse battery"},
        request_only=True,
        media_type="application/x-www-form-urlencoded",
    ),
    OpenApiExample(
        "Signed in",
        {
            "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0eXAiOiJhY2Nlc3MifQ.c2lnbmF0dXJl",
            "refresh_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0eXAiOiJyZWZyZXNoIn0.c2lnbmF0dXJl",
            "token_type": "bearer",
            "expires_in": 1800,
            "user": {
                "id": "0b8f7d5e-6a0c-4c1d-9f55-0f0f6a7f1c11",
                "email": "viewer@inqube.example",
                "name": "V. Perera",
                "role": "viewer",
            },
        },
        response_only=True,
        status_codes=["200"],
    ),
]


class LockedError(Throttled):
    """Too many wrong tries; like a throttle, but it says why and for how long in its own words."""

    def __init__(self, lock: Lock) -> None:
        super().__init__(detail=f"{lock} {lock.reason}", code="locked")
        self.wait = lock.seconds


class AccessTokenView(APIView):
    """Sign in with email address and password, for an access token and a refresh token."""

    authentication_classes: list[type[BaseAuthentication]] = []  # a stale token must not stop a new sign-in
    permission_classes = [AllowAny]
    serializer_class = CredentialsSerializer
    throttle_scope = "login"

    @extend_schema(
        operation_id="login_access_token",
        tags=["login"],
        request={"application/x-www-form-urlencoded": CredentialsSerializer},
        responses={200: AccessSerializer},
        examples=SIGN_IN_EXAMPLES,
        auth=[],
    )
    def post(self, request: Request) -> Response:
        credentials = CredentialsSerializer(data=request.data)
        credentials.is_valid(raise_exception=True)
        user = authenticate_in_turn(request._request, **credentials.validated_data)
        if lock := lock_met(request._request):
            raise LockedError(lock)
        if user is None:
            raise ValidationError(WRONG_CREDENTIALS, code="invalid_grant")
        signed_in(request._request, user)
        return _answer(AccessSerializer, sign_in(user, request._request))


class HolderView(APIView):
    """What the holder of a refresh token may do; the token in the body is all the proof that it takes."""

    authentication_classes: list[type[BaseAuthentication]] = []  # the access token has mostly expired by now
    permission_classes = [AllowAny]
    serializer_class = RefreshTokenSerializer
    throttle_scope = "refresh"

    def get_authenticate_header(self, request: Request) -> str:
        return INVALID

    def refresh_token(self) -> str:
        body = RefreshTokenSerializer(data=self.request.data)
        body.is_valid(raise_exception=True)
        return str(body.validated_data["refresh_token"])


class RefreshView(HolderView):
    """Exchange a refresh token for the next pair.

    A refresh token is good once. One that was exchanged before ends the sign-in: all its tokens are refused since.
    """

    @extend_schema(operation_id="login_refresh", tags=["login"], responses={200: PairSerializer}, auth=[])
    def post(self, request: Request) -> Response:
        try:
            pair = refresh(self.refresh_token())
        except InvalidRefreshTokenError as error:
            raise AuthenticationFailed(str(error)) from None
        return _answer(PairSerializer, pair)


class LogoutView(HolderView):
    """Sign out: ends the refresh token's whole sign-in, its access tokens and sockets included."""

    @extend_schema(operation_id="logout", tags=["login"], responses={204: None}, auth=[])
    def post(self, request: Request) -> Response:
        try:
            sign_out(self.refresh_token())
        except InvalidRefreshTokenError as error:
            raise AuthenticationFailed(str(error)) from None
        return Response(status=204)


def _answer(serializer: type[PairSerializer], pair: Pair) -> Response:
    answer: dict[str, Any] = {
        "access_token": pair.access,
        "refresh_token": pair.refresh,
        "token_type": "bearer",
        "expires_in": settings.ACCESS_TOKEN_MINUTES * 60,
        "user": pair.user,
    }
    return Response(serializer(answer).data, headers={"Cache-Control": "no-store"})


class MeView(RetrieveUpdateAPIView[User]):
    """The signed-in user; their name is theirs to change."""

    serializer_class = UserSerializer
    http_method_names = ["get", "patch", "head", "options"]

    def get_object(self) -> User:
        assert isinstance(self.request.user, User)
        return self.request.user


class MyPasswordView(APIView):
    """Change your own password, which ends everything else that you are signed in with.

    A browser stays signed in; a program signs in anew, because its token ends too.
    """

    serializer_class = NewPasswordSerializer
    throttle_scope = "password"

    @extend_schema(operation_id="users_me_password", responses={204: None})
    def post(self, request: Request) -> Response:
        user = request.user
        assert isinstance(user, User)
        passwords = NewPasswordSerializer(data=request.data, context={"request": request._request, "user": user})
        is_valid = passwords.is_valid()
        if lock := lock_met(request._request):
            raise LockedError(lock)
        if not is_valid:
            raise ValidationError(passwords.errors)
        user.change_password(passwords.validated_data["new_password"])
        if isinstance(request.successful_authenticator, SessionAuthentication):
            update_session_auth_hash(request._request, user)
        return Response(status=204)

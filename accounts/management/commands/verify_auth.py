"""`manage.py verify_auth`: whether a running server lets in whom it should, as an outside client finds out."""

import secrets
import signal
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NoReturn

from axes.models import AccessAttempt
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils.timezone import now
from rest_framework_simplejwt.tokens import AccessToken

from accounts.models import Role, User
from accounts.outside import Answer, Server, UnreachableError

LOGIN, REFRESH, LOGOUT = "/api/v1/login/access-token", "/api/v1/login/refresh", "/api/v1/logout"
ME, SOCKET = "/api/v1/users/me", "/api/v1/ws/telemetry"
UNAUTHENTICATED = 4401
PREFIX, DOMAIN = "verify-auth-", "@inqube.invalid"  # RFC 2606: no mail ever arrives there
LEFT_BEHIND = timedelta(hours=1)  # temporary users this old belong to a run that was killed


class FailedError(Exception):
    """A step found something else than it should; the text says what."""


class SkippedError(Exception):
    """A step cannot be done here; the text says why."""


class Stopped(BaseException):
    """SIGTERM."""


def expect(answer: Answer, status: int, *, problem: bool = False) -> Any:
    """The body of the answer, if it is the one that is expected."""
    if answer.status != status:
        where = f" to {answer.headers['location']}" if "location" in answer.headers else ""
        detail = answer.body.get("detail", "") if isinstance(answer.body, dict) else ""
        raise FailedError(f"expected {status}, got {answer.status}{where} {detail}".rstrip())
    if problem and answer.headers.get("content-type") != "application/problem+json":
        raise FailedError(f"expected a problem, got {answer.headers.get('content-type')}")
    if status != 204 and not isinstance(answer.body, dict):
        raise FailedError("the answer is not a JSON object")
    return answer.body


class Client:
    """What an outside client tries, in this order; each method is a step and its docstring the step's name."""

    def __init__(self, server: Server, email: str, password: str) -> None:
        self.server, self.email, self.password = server, email, password
        self.access = self.refresh = self.used = ""
        self.open_refresh_tokens: list[str] = []

    def steps(self) -> list[Callable[[], None]]:
        return [
            self.login,
            self.wrong_password,
            self.unknown_user,
            self.without_token,
            self.broken_token,
            self.unsigned_token,
            self.expired_token,
            self.good_token,
            self.lower_case,
            self.refresh_as_access,
            self.access_as_refresh,
            self.socket_without_token,
            self.socket_with_token,
            self.exchange,
            self.exchange_again,
            self.logout,
        ]

    def login(self) -> None:
        """login gives the user and a pair of tokens"""
        body = expect(self.server.post_form(LOGIN, self._form()), 200)
        user = body.get("user") or {}
        if user.get("email") != self.email.lower() or body.get("token_type") != "bearer":
            raise FailedError("the answer does not name the user and the token type bearer")
        self._keep(body)

    def wrong_password(self) -> None:
        """a wrong password is refused"""
        form = self._form() | {"password": f"{self.password}-not"}
        self.refusal = expect(self.server.post_form(LOGIN, form), 400, problem=True)["detail"]

    def unknown_user(self) -> None:
        """an unknown user is refused in the same words"""
        form = self._form() | {"username": f"{PREFIX}nobody-{secrets.token_hex(4)}{DOMAIN}"}
        said = expect(self.server.post_form(LOGIN, form), 400, problem=True)["detail"]
        if said != getattr(self, "refusal", said):
            raise FailedError(f"“{said}” tells an unknown user from a wrong password")

    def without_token(self) -> None:
        """the protected endpoint is closed without a token"""
        self._refused(None)

    def broken_token(self) -> None:
        """… with a broken one"""
        head, body, signature = self._access().split(".")
        self._refused(f"{head}.{body}.{signature[::-1]}")

    def unsigned_token(self) -> None:
        """… with an unsigned one (algorithm none)"""
        body = self._access().split(".")[1]
        self._refused(f"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{body}.")

    def expired_token(self) -> None:
        """… with an expired one"""
        token = AccessToken(self._access(), verify=False)  # type: ignore[arg-type]
        if self.server.get(ME, f"Bearer {token}").status != 200:
            raise SkippedError("JWT_SIGNING_KEY here is not the server's, so no expired token can be signed")
        token.set_exp(lifetime=-timedelta(seconds=1))
        self._refused(str(token))

    def good_token(self) -> None:
        """… and open with a good one"""
        self._welcome(self._access())

    def lower_case(self) -> None:
        """`bearer` counts in lower case too"""
        expect(self.server.get(ME, f"bearer {self._access()}"), 200)

    def refresh_as_access(self) -> None:
        """a refresh token is no access token"""
        self._access()
        self._refused(self.refresh)

    def access_as_refresh(self) -> None:
        """an access token is no refresh token"""
        expect(self.server.post(REFRESH, {"refresh_token": self._access()}), 401, problem=True)

    def socket_without_token(self) -> None:
        """the WebSocket closes without a token"""
        heard = self.server.hear(SOCKET)
        if heard.code != UNAUTHENTICATED:
            raise FailedError(f"expected close code {UNAUTHENTICATED}, got {heard.code or heard.message}")

    def socket_with_token(self) -> None:
        """… and is ready with one"""
        heard = self.server.hear(SOCKET, token=self._access())
        if not isinstance(heard.message, dict) or heard.message.get("type") != "ready":
            raise FailedError(f"expected ready, got {heard.message or heard.code}")

    def exchange(self) -> None:
        """a refresh token is exchanged for a pair that works"""
        self._access()
        self.used = self.refresh
        self._keep(expect(self.server.post(REFRESH, {"refresh_token": self.used}), 200))
        self._welcome(self.access)

    def exchange_again(self) -> None:
        """exchanging it again is refused, and ends the sign-in"""
        if not self.used or self.used == self.refresh:
            raise FailedError("there is no exchanged token")
        expect(self.server.post(REFRESH, {"refresh_token": self.used}), 401, problem=True)
        expect(self.server.post(REFRESH, {"refresh_token": self.refresh}), 401, problem=True)
        self._refused(self.access)

    def logout(self) -> None:
        """logout ends the tokens"""
        self._keep(expect(self.server.post_form(LOGIN, self._form()), 200))
        self._welcome(self.access)
        expect(self.server.post(LOGOUT, {"refresh_token": self.refresh}), 204)
        expect(self.server.post(REFRESH, {"refresh_token": self.refresh}), 401, problem=True)
        self._refused(self.access)

    def sign_out_everywhere(self) -> None:
        """Ends what this client signed in with, as far as that has not happened in a step."""
        for token in self.open_refresh_tokens:
            try:
                self.server.post(LOGOUT, {"refresh_token": token})
            except UnreachableError:
                return

    def _form(self) -> dict[str, str]:
        return {"grant_type": "password", "username": self.email, "password": self.password}

    def _keep(self, body: dict[str, Any]) -> None:
        pair = body.get("access_token"), body.get("refresh_token")
        if not all(isinstance(token, str) and token.count(".") == 2 for token in pair):
            raise FailedError("the answer holds no pair of tokens")
        self.access, self.refresh = map(str, pair)
        self.open_refresh_tokens.append(self.refresh)

    def _access(self) -> str:
        if not self.access:
            raise FailedError("there is no token, because login failed")
        return self.access

    def _welcome(self, token: str) -> None:
        email = expect(self.server.get(ME, f"Bearer {token}"), 200).get("email")
        if email != self.email.lower():
            raise FailedError(f"the token speaks for {email}")

    def _refused(self, token: str | None) -> None:
        answer = self.server.get(ME, None if token is None else f"Bearer {token}")
        expect(answer, 401, problem=True)
        if not answer.headers.get("www-authenticate", "").startswith("Bearer"):
            raise FailedError("the 401 carries no WWW-Authenticate: Bearer")


class Command(BaseCommand):
    help = (
        "Checks from outside whether a running InQube lets in whom it should: login, tokens, refresh, logout, "
        "WebSocket. Uses a temporary user, made through the database and removed again, unless --email and --password "
        "are given. It tries one wrong password, which the sign-in after it makes good."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--base-url", default="http://127.0.0.1:8000", metavar="URL", help="Default %(default)s.")
        parser.add_argument("--email", help="Of a user there; all that is signed in with is ended again.")
        parser.add_argument("--password", help="Theirs.")

    def handle(self, *args: Any, base_url: str, email: str | None, password: str | None, **options: Any) -> None:
        if (email is None) != (password is None):
            raise CommandError("Give --email and --password together, or neither.")
        try:
            server = Server(base_url)
        except ValueError as error:
            raise CommandError(str(error)) from None
        signal.signal(signal.SIGTERM, self.stop)
        try:
            with temporary_user() if email is None else given(email, str(password)) as (name, word):
                failed, tried = self.try_all(Client(server, name, word))
        except (KeyboardInterrupt, Stopped):
            raise CommandError("Stopped before all steps were done; nothing is left behind.", returncode=130) from None
        if failed:
            raise CommandError(f"{failed} of {tried} steps failed.")
        self.stdout.write(self.style.SUCCESS("Everything is as it should be."))

    def try_all(self, client: Client) -> tuple[int, int]:
        """How many steps failed, of how many."""
        self.stdout.write(f"Checking {client.server.origin} as {client.email}")
        self.stdout.flush()
        steps = client.steps()
        try:
            return sum(self.fails(step) for step in steps), len(steps)
        finally:
            client.sign_out_everywhere()

    def fails(self, step: Callable[[], None]) -> bool:
        """Does one step and says how it went."""
        started = time.monotonic()
        result, remark = "ok", ""
        try:
            step()
        except SkippedError as error:
            result, remark = "skipped", f": {error}"
        except (FailedError, UnreachableError) as error:
            result, remark = "failed", f": {error}"
        except (AttributeError, KeyError, TypeError, ValueError) as error:  # what no InQube would answer
            result, remark = "failed", f": the answer has another shape ({error!r})"
        self.stdout.write(f"{result:8}{step.__doc__}{remark} ({time.monotonic() - started:.2f} s)")
        self.stdout.flush()
        return result == "failed"

    @staticmethod
    def stop(*_: object) -> NoReturn:
        raise Stopped


@contextmanager
def given(email: str, password: str) -> Iterator[tuple[str, str]]:
    yield email, password


@contextmanager
def temporary_user() -> Iterator[tuple[str, str]]:
    """A viewer without plants, who is gone afterwards, whatever happens."""
    email, password = f"{PREFIX}{secrets.token_hex(8)}{DOMAIN}", secrets.token_urlsafe(24)
    temporary = User.objects.filter(email__startswith=PREFIX, email__endswith=DOMAIN)
    try:
        temporary.filter(created_at__lt=now() - LEFT_BEHIND).delete()
        User.objects.create_user(email, password, name="verify_auth", role=Role.VIEWER)
    except DatabaseError as error:
        reason = str(error).strip().partition("\n")[0]
        raise CommandError(f"No temporary user could be made ({reason}): give --email and --password.") from None
    try:
        yield email, password
    finally:
        temporary.filter(email=email).delete()
        # Wrong tries at users that never were would count towards the lockout of this address.
        AccessAttempt.objects.filter(username__startswith=PREFIX, username__endswith=DOMAIN).delete()

"""Settings for production, as `HTTPS=true` makes them."""

import os
import subprocess
import sys

from django.conf import settings

from inqube.checks import SHORTEST

PRODUCTION = {
    "HTTPS": "true",
    "TRUSTED_PROXIES": "1",
    "DEBUG": "false",
    "ALLOWED_HOSTS": "inqube.example.org",
    "SECRET_KEY": "8m2Yp0c6JxwQv4nE1sKfT7hRzLbD3uGaXo9iWtPyNqCe5rVjB2kM7xQd",
    "JWT_SIGNING_KEY": "Zk4tH8bWq1yLs6vRj0mXc3dNf7gPa2eUo5iTzQxKwYhEnBrC",
}
ASK = """
from django.conf import settings
for name in ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS"):
    print(getattr(settings, name))
print(getattr(settings, "SECURE_PROXY_SSL_HEADER", None))
"""


def manage(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(settings.BASE_DIR / "manage.py"), *args],
        env=os.environ | PRODUCTION | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_passes_django_s_checks_for_production() -> None:
    shortest = PRODUCTION["SECRET_KEY"][: SHORTEST["SECRET_KEY"][1]]
    said = manage("check", "--deploy", "--fail-level", "WARNING", SECRET_KEY=shortest)
    assert said.returncode == 0, said.stderr
    assert "no issues" in said.stdout + said.stderr


def test_it_fails_them_without_https() -> None:
    assert manage("check", "--deploy", "--fail-level", "WARNING", HTTPS="false").returncode == 1


def test_it_secures_all_by_one_variable() -> None:
    said = manage("shell", "--no-imports", "-c", ASK)
    assert said.stdout.split("\n")[:5] == [
        "True",
        "True",
        "True",
        str(365 * 86400),
        "('HTTP_X_FORWARDED_PROTO', 'https')",
    ], said.stderr


def test_it_believes_no_proxy_unless_told_so() -> None:
    assert manage("shell", "--no-imports", "-c", ASK, TRUSTED_PROXIES="0").stdout.split("\n")[4] == "None"

"""Versions, and the settings as far as they can be judged without asking anybody."""

import platform
import warnings

import django
import psycopg
from django.conf import settings
from django.core import checks

from inqube.checks import check_settings
from inqube.doctor.findings import Area, Finding, failed, ok, warning

# What Django's checks for production say of a site without HTTPS, in four ways.
WITHOUT_HTTPS = {"security.W004", "security.W008", "security.W012", "security.W016"}


def versions(_: None) -> Finding:
    return ok(
        f"InQube {settings.VERSION}, Python {platform.python_version()}, Django {django.__version__}, "
        f"psycopg {psycopg.__version__}, {platform.system()} {platform.machine()}"
    )


def environment(_: None) -> Finding:
    """InQube's own checks, which commands make before they begin."""
    found = check_settings()
    if not found:
        return ok("what InQube needs is set, and makes sense")
    return failed(_together(found), found[0].hint or "")


def django_checks(_: None) -> Finding:
    """Django's, with those for production, but for what InQube's checks and `https` say."""
    with warnings.catch_warnings():  # urls and models may be imported for the first time
        warnings.simplefilter("ignore")
        found = checks.run_checks(include_deployment_checks=not settings.DEBUG)
    found = [each for each in found if each.level >= checks.WARNING and not each.is_silenced()]
    found = [each for each in found if each.id not in WITHOUT_HTTPS and not (each.id or "").startswith("inqube.")]
    if not found:
        return ok("nothing to add")
    found.sort(key=lambda each: -each.level)
    judge = failed if found[0].level >= checks.ERROR else warning
    return judge(_together(found), found[0].hint or "python manage.py check --deploy says more.")


def https(_: None) -> Finding:
    if settings.DEBUG:
        return warning("DEBUG is on: whoever causes an error sees the program and its settings", "Set DEBUG=false.")
    if not settings.HTTPS:
        remedy = "Put a proxy with TLS in front, and set HTTPS=true and TRUSTED_PROXIES."
        return warning("people may come without HTTPS: passwords and sessions cross the network as they are", remedy)
    return ok("people reach the server by HTTPS only")


def _together(found: list[checks.CheckMessage]) -> str:
    return " ".join(" ".join(str(each.msg).split()) for each in found)


AREA = Area({"versions": versions, "settings": environment, "checks": django_checks, "https": https})

"""Puts our own admin site in place of Django's."""

from django.contrib.admin.apps import AdminConfig


class ConsoleConfig(AdminConfig):
    default_site = "inqube.admin_site.Console"

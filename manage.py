#!/usr/bin/env python
"""Runs InQube's commands; `manage.py help` lists them."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inqube.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from accounts.audit_context import act_as_command

    act_as_command(sys.argv[1] if len(sys.argv) > 1 else "help")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        if sys.argv[1:2] == ["doctor"]:
            from inqube.doctor.report import of_broken_settings

            sys.exit(of_broken_settings(str(error), sys.argv))
        sys.exit(str(error))  # says all; a traceback through Django adds nothing


if __name__ == "__main__":
    main()

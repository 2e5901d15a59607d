"""`manage.py procrastinate`: its own commands, but that a `worker` outlives its database, and has a port for probes."""

import asyncio
from typing import Any

from procrastinate.app import WorkerOptions
from procrastinate.contrib.django import app
from procrastinate.contrib.django.management.commands import procrastinate

from telemetry.worker import work


class Command(procrastinate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        if options["command"] != "worker":
            super().handle(*args, **options)
            return
        chosen: Any = {name: options[name] for name in WorkerOptions.__annotations__ if name in options}
        connector: Any = app.connector  # Django's, whose worker works without Django's connections
        with app.replace_connector(connector.get_worker_connector()):
            asyncio.run(work(chosen))

"""The life of a worker: it runs jobs until it is told to stop, and answers on its port meanwhile."""

import asyncio
import signal

import psycopg
import structlog
from django.conf import settings
from procrastinate.app import WorkerOptions
from procrastinate.contrib.django import app
from procrastinate.exceptions import ConnectorException

from telemetry import jobs
from telemetry.probes.port import beside
from telemetry.probes.worker import JobTally, probed

AGAIN_AFTER_S = 1.0

log = structlog.get_logger("inqube.worker")


async def work(options: WorkerOptions) -> None:
    """Runs jobs until SIGTERM or Ctrl-C; then lets those that run finish, for a few seconds."""
    tally = JobTally()
    await beside(_run(options, tally), probed(tally), settings.WORKER_HEALTH_PORT)


async def _run(options: WorkerOptions, tally: JobTally) -> None:
    """Begins again whenever procrastinate gives up, as it does when it loses the database, or does not find it."""
    loop = asyncio.get_running_loop()
    work = asyncio.current_task()
    assert work is not None

    def stop(number: signal.Signals) -> None:
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(each)  # who sends a second one does not want to wait
        log.info("worker stops", signal=number.name)
        jobs.ENDING.set()  # before procrastinate waits for the job that goes on and on
        work.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    options = {**options, "install_signal_handlers": False, "worker_middleware": [tally.count]}
    try:
        while True:
            log.info("worker starts", tasks=len(app.tasks))
            try:
                async with app.open_async():
                    await app.run_worker_async(**options)
                if not options.get("wait", True):
                    return
                log.warning("worker lost the database; beginning again")
            except (ConnectorException, psycopg.Error) as error:
                log.warning("worker has no database; beginning again", error=str(error.__cause__ or error).strip())
            tally.worker_id = None
            await asyncio.sleep(AGAIN_AFTER_S)
    except asyncio.CancelledError:
        if not jobs.ENDING.is_set():
            raise

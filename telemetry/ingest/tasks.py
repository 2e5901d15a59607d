"""Waits for the first of several tasks, then ends those that only it was waiting for."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def first(*work: Coroutine[Any, Any, Any] | asyncio.Task[Any]) -> None:
    """Waits until one of these is done; stops the coroutines among the others, not the tasks."""
    tasks = {each: asyncio.ensure_future(each) for each in work}
    await asyncio.wait(tasks.values(), return_when=asyncio.FIRST_COMPLETED)
    await end(*(task for given, task in tasks.items() if given is not task))


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancels those that still run; what they raise is not swallowed if they ended by themselves before."""
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result

"""Run a function in a process of its own, so that its memory can be measured."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any


def alone(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Call a function in a process of its own.

    The process comes from a fork server that has loaded nothing: for a spawned child and its children, Linux would
    count the peak memory of the parent.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload([])
    with ProcessPoolExecutor(1, mp_context=context) as process:
        return process.submit(function, *arguments, **options).result()

"""Work in a process of its own, so that its memory is its own."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any


def alone(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Call a function in a process of its own.

    From a fork server that has loaded nothing: in a spawned child, and in what that starts, Linux would count the
    peak of its parent.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload([])
    with ProcessPoolExecutor(1, mp_context=context) as process:
        return process.submit(function, *arguments, **options).result()

"""Progress: a function of yours, a bar of tqdm where it is installed, or nothing."""

from __future__ import annotations

import importlib
from contextlib import contextmanager
from typing import Any, Callable, Iterator, Union

from ._arguments import refused

#: Called with the number of updates or trials so far, the loss, and after an evaluation
#: the accuracy.
Callback = Callable[[int, float, Union[float, None]], None]
Progress = Union[bool, None, Callback]


@contextmanager
def shown(progress: Progress, total: int | None, what: str) -> Iterator[Callback | None]:
    """The function to call as the work goes on. ``total`` is the number of steps."""
    if callable(progress):
        yield progress
        return
    if progress is not None and not isinstance(progress, bool):
        raise refused("progress", progress, "True, False, or a function")
    tqdm = _tqdm() if progress else None
    if tqdm is None:
        yield None
        return
    with tqdm(total=total, desc=what, leave=False) as bar:

        def show(done: int, loss: float, accuracy: float | None) -> None:
            bar.update(done - bar.n)
            if accuracy is not None:
                bar.set_postfix(loss=f"{loss:.2f}", accuracy=f"{accuracy:.2f}")

        yield show


def _tqdm() -> Any:
    """The bar of tqdm, or ``None`` where tqdm is not installed."""
    try:
        return importlib.import_module("tqdm.auto").tqdm
    except ImportError:
        return None

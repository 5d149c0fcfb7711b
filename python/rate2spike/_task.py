"""Tasks from names, files and arrays, and their trials."""

from __future__ import annotations

import io
import json
import os
from typing import Any, Sequence, Union

import numpy as np
from numpy.typing import ArrayLike

from . import _arguments, _native
from ._arguments import optional, whole
from ._errors import InvalidValue
from ._native import Task
from ._results import Trials

Path = Union[str, "os.PathLike[str]"]
TaskLike = Union[Task, Path]


def task(name: TaskLike) -> Task:
    """The task that the command line calls ``name``.

    ``name`` is one of go-nogo, xor, mante, delayed-match and oscillation, or a file: a task
    of your own in TOML (docs/tasks.md), or a data set (docs/data.md).

    Raises ``MissingFile`` if the file is not there, ``InvalidValue`` if it is no task.
    """
    return _native.task(name)


def data(
    inputs: ArrayLike,
    labels: ArrayLike | None = None,
    *,
    targets: ArrayLike | None = None,
    masks: ArrayLike | None = None,
    lengths: ArrayLike | None = None,
    split: ArrayLike | None = None,
    classes: Sequence[str] | None = None,
    channels: Sequence[str] | None = None,
    sample_ms: float | None = None,
    scaling: str | Sequence[str] | None = None,
    tail_ms: float | None = None,
    window_ms: float | None = None,
    name: str = "arrays",
    seed: int = 1,
) -> Task:
    """The task of a data set in arrays.

    Parameters
    ----------
    inputs
        The recorded numbers: trials × channels × samples; with one channel, trials × samples.
    labels
        The class of each trial, or in each sample (trials × samples, −1 for no class): whole
        numbers from 0.
    targets
        In place of ``labels``, what the outputs follow: trials × outputs × samples.
    masks
        Weight of each target in the loss: as ``targets``, or trials × samples.
    lengths
        Samples of each trial, where they differ.
    split
        The part of each trial: "train", "validation" or "test". Where it is absent, ``seed``
        draws the parts.
    classes, channels
        Names.
    sample_ms
        Time that the network gives to a sample: a whole number of ms; 5 if absent.
    scaling, tail_ms, window_ms
        As in docs/data.md.
    name
        The name of the task, and of the data set in errors.

    The task is the same as that of an ``.npz`` with these arrays (docs/data.md; the axes of a
    file are trials × samples × channels): training and scores have the same bits.

    Raises ``InvalidValue`` with the array, the place and the value.
    """
    arrays: dict[str, Any] = {}
    arrays["inputs"] = _samples_before_channels("inputs", inputs, (2, 3))
    if labels is not None:
        arrays["labels"] = _arguments.array("labels", labels)
    if targets is not None:
        arrays["targets"] = _samples_before_channels("targets", targets, (3,))
    if masks is not None:
        arrays["mask"] = _samples_before_channels("masks", masks, (2, 3))
    if lengths is not None:
        arrays["lengths"] = _arguments.array("lengths", lengths)
    if split is not None:
        arrays["split"] = _arguments.array("split", split)
    if channels is not None:
        arrays["channel_names"] = _arguments.array("channels", channels, str)
    if classes is not None:
        arrays["class_names"] = _arguments.array("classes", classes, str)
    for array, values in arrays.items():
        if values.dtype.kind == "O":
            raise InvalidValue(f"{array} holds Python objects; give an array of numbers")
    archive = io.BytesIO()
    np.savez(archive, **arrays)
    words = {
        "sample_ms": optional(_arguments.number, "sample_ms", sample_ms),
        "scaling": optional(_scaling, "scaling", scaling),
        "tail_ms": optional(_arguments.number, "tail_ms", tail_ms),
        "window_ms": optional(_arguments.number, "window_ms", window_ms),
    }
    # Words and numbers have the same form in JSON and in TOML.
    lines = [f"{key} = {json.dumps(value)}" for key, value in words.items() if value is not None]
    settings = "\n".join(lines)
    name = _arguments.word("name", name)
    return _native.data_set(name, archive.getvalue(), settings, whole("seed", seed))


def _scaling(name: str, value: Any) -> str | list[str]:
    if isinstance(value, str):
        return value
    return _arguments.each(name, value, _arguments.word)


def _samples_before_channels(name: str, values: ArrayLike, axes: tuple[int, ...]) -> Any:
    """The array with the axes of a file."""
    array = _arguments.array(name, values)
    if array.ndim not in axes:
        wanted = {2: "trials x samples", 3: "trials x channels x samples"}
        raise InvalidValue(
            f"{name} has the shape {array.shape}; give "
            + " or ".join(wanted[axis] for axis in axes)
        )
    return array.transpose(0, 2, 1) if array.ndim == 3 else array


def trials(
    task: TaskLike, n: int = 100, seed: int = 1, *, first: int = 0, part: str | None = None
) -> Trials:
    """``n`` trials of a task: those on which spiking networks are scored with this seed.

    ``first`` is the number of the first one. ``part`` is the part of a data set: "train",
    "validation" or "test" (if absent).
    """
    drawn = _native.task(task)._draw(
        whole("n", n),
        whole("seed", seed),
        whole("first", first),
        optional(_arguments.word, "part", part),
    )
    return Trials(**drawn)

"""Deployed networks: the fixed-point core, on the desktop."""

from __future__ import annotations

import os
from typing import Any, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from . import _native
from ._native import Board
from ._progress import Progress, shown
from ._results import Spikes
from ._task import Path, TaskLike

class Network:
    """A network in fixed point, as a board has it: the same bytes, the same spikes.

    ``Model.quantize`` and ``load_network`` make one.
    """

    __slots__ = ("_native",)

    def __init__(self, native: _native.Network) -> None:
        self._native = native

    @property
    def units(self) -> int:
        """Number of units."""
        return self._native.units

    @property
    def channels(self) -> int:
        """Number of input channels."""
        return self._native.channels

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return self._native.outputs

    @property
    def synapses(self) -> int:
        """Number of synapses."""
        return self._native.synapses

    @property
    def dt_ms(self) -> float:
        """Length of a time step, ms."""
        return self._native.dt_ms

    @property
    def steps_per_sample(self) -> int:
        """Time steps of an input sample."""
        return self._native.steps_per_sample

    @property
    def steps(self) -> int:
        """Time steps of a trial of the task."""
        return self._native.steps

    @property
    def scaling_factor(self) -> float:
        """λ, to a thousandth."""
        return self._native.scaling_factor

    @property
    def task_name(self) -> str:
        """The name of the task."""
        return self._native.task_name

    @property
    def class_names(self) -> list[str]:
        """The names of the classes, in the order of their numbers; empty without classes."""
        return self._native.class_names

    @property
    def bytes(self) -> bytes:
        """The bytes of the ``.snn``, as they lie in a board's flash."""
        return self._native.bytes

    @property
    def losses(self) -> dict[str, tuple[float, float, str]] | None:
        """The errors of the quantization: for each quantity its largest error, the root mean
        square, and the unit. ``None`` for a network from a file."""
        return self._native.losses

    def __repr__(self) -> str:
        return repr(self._native)

    def save(self, path: Path) -> os.PathLike[str]:
        """Writes the network to ``path``, which ends in ``.snn``; ``rate2spike deploy`` and the
        C library take the file. Returns the path."""
        return self._native.save(path)

    def self_test(self) -> bool:
        """Runs the trial that the network carries, and says whether its spikes are those that
        are stored with it."""
        return self._native.self_test()

    def run(
        self,
        inputs: ArrayLike | None = None,
        *,
        trials: int | None = None,
        seed: int = 1,
        scale: Mapping[str, float] | None = None,
        no_autapses: bool = False,
        silence: Sequence[int] = (),
        progress: Progress = True,
    ) -> Spikes:
        """Runs trials, as ``rate2spike run`` does: the same seed gives the same spikes, here
        and on a board.

        Parameters
        ----------
        inputs
            Inputs in place of the trials of the task: channels × samples, or trials × channels
            × samples, each value within −8 and 8. A trial lasts as long as its samples.
        trials
            Number of trials: 100 of the task, and each of the inputs, if absent.
        seed
            Seed of the trials and of everything random in them.
        scale, no_autapses, silence
            As in ``Model.simulate``; a factor of ``scale`` is at most 1.
        """
        perturbation = {
            "scale": [(name, float(factor)) for name, factor in (scale or {}).items()],
            "no_autapses": no_autapses,
            "shuffle": False,
            "silence": [int(unit) for unit in np.ravel(silence)],
        }
        with shown(progress, trials, "run") as callback:
            return self._native._run(inputs, trials, seed, perturbation, callback)

    def start(self, seed: int = 1, trial: int = 0) -> Board:
        """Starts a trial that goes step by step, with input that you set as it comes: the twin
        of a board, and of the C library. ``trial`` is the number of the trial, which has a
        noise of its own."""
        return self._native.start(seed, trial)


def load_network(path: Path, *, task: TaskLike | None = None) -> Network:
    """Reads a deployed network (``.snn``) and runs its self-test.

    ``task`` is the network's task, if it is one of your own; without it the network runs with
    inputs alone.

    Raises ``MissingFile`` if the file is not there, ``InvalidValue`` if it is no network.
    """
    return Network(_native.load_network(path, task))

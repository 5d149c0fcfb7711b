"""Deployed networks: the fixed-point core, on the desktop."""

from __future__ import annotations

import os
from typing import Any, Mapping, Sequence

from numpy.typing import ArrayLike

from . import _native
from ._arguments import each, mapping, number, optional, path as path_of, truth, whole
from ._native import Board
from ._progress import Progress, shown
from ._results import Spikes
from ._sizes import Sizes
from ._task import Path, TaskLike

class Network(Sizes[_native.Network]):
    """A network in fixed point, as a board has it: the same bytes, the same spikes.

    ``Model.quantize`` and ``load_network`` make one.
    """

    __slots__ = ()

    @property
    def sensors(self) -> int:
        """Number of integers of a sensor's sample, which ``Board.set_sample`` takes; 0 for a
        network without a preprocessing."""
        return self._native.sensors

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
        return self._native.save(path_of("path", path))

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
        with shown(progress, trials, "run") as callback:
            return self._native._run(
                inputs,
                optional(whole, "trials", trials),
                whole("seed", seed),
                perturbation(scale, no_autapses, False, silence),
                callback,
            )

    def start(self, seed: int = 1, trial: int = 0) -> Board:
        """Starts a trial that goes step by step, with input that you set as it comes: the twin
        of a board, and of the C library. ``trial`` is the number of the trial, which has a
        noise of its own."""
        return self._native.start(whole("seed", seed), whole("trial", trial))


def load_network(path: Path, *, task: TaskLike | None = None) -> Network:
    """Reads a deployed network (``.snn``) and runs its self-test.

    ``task`` is the network's task, if it is one of your own; without it the network runs with
    inputs alone.

    Raises ``MissingFile`` if the file is not there, ``InvalidValue`` if it is no network.
    """
    return Network(_native.load_network(path_of("path", path), task))


def perturbation(
    scale: Mapping[str, float] | None, no_autapses: bool, shuffle: bool, silence: Sequence[int]
) -> dict[str, Any]:
    """A perturbation as the compiled part takes it."""
    factors = {} if scale is None else mapping("scale", scale)
    return {
        "scale": [(str(name), number("scale", factor)) for name, factor in factors.items()],
        "no_autapses": truth("no_autapses", no_autapses),
        "shuffle": truth("shuffle", shuffle),
        "silence": each("silence", silence, whole),
    }

"""Results as data classes. Units, steps and trials count from 0, as in NumPy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterator

import numpy as np
from numpy.typing import NDArray

from ._errors import InvalidValue

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Truths = NDArray[np.bool_]


@dataclass(frozen=True)
class Trials:
    """Trials of a task.

    Shapes: ``inputs`` is trials × channels × samples; ``targets`` is trials × outputs ×
    samples, and so is ``masks``, the weight of each target in the loss, which is ``None``
    where all weigh the same; ``labels`` is trials.
    """

    inputs: NDArray[np.float32]
    targets: NDArray[np.float32]
    masks: NDArray[np.float32] | None
    labels: Integers

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Rates:
    """A rate network's answer to inputs, without noise and from x = 0.

    Shapes: ``x``, the synaptic current, and ``r``, the firing rate between 0 and 1, are
    trials × units × samples; ``output`` is trials × outputs × (samples − 1), since the
    output of a sample is read one sample later, as in the published code.
    """

    x: Floats
    r: Floats
    output: Floats


@dataclass(frozen=True)
class Conversion:
    """The result of ``Model.convert``, with an entry for each λ.

    ``lambdas, accuracies = model.convert()`` takes the first two.
    """

    lambdas: Floats
    accuracies: Floats
    #: Accuracy by the strict criterion.
    strict: Floats
    #: Mean firing rate of a unit, Hz.
    mean_rate_hz: Floats
    #: Root mean square of the output's distance from the target.
    output_error: Floats
    #: Trials that each λ met; in a race, fewer for one that left.
    trials: Integers
    #: The best λ, or the median of the units after a calibration.
    best_lambda: float
    #: True if each unit has a scale, a current and a λ of its own.
    calibrated: bool = False

    def __iter__(self) -> Iterator[Floats]:
        return iter((self.lambdas, self.accuracies))


@dataclass(frozen=True)
class Spikes:
    """Simulated trials.

    Spike ``k`` is one of ``unit[k]`` in step ``step[k]`` of trial ``trial[k]``, in the
    order of trials, steps and units. A step lasts ``dt_ms``; step 0 ends at ``dt_ms``.
    """

    unit: Integers
    step: Integers
    trial: Integers
    #: The outputs at the end of each step: trials × outputs × steps.
    output: Floats
    #: The answer to each trial: the label of the task, or the number of the class.
    answers: Integers
    #: The right answers; ``None`` for inputs of your own.
    labels: Integers | None
    #: Whether each answer is right, by the published and by the strict criterion.
    correct: Truths | None
    strictly_correct: Truths | None
    #: Membrane potentials, mV, 30 in a spike: trials × units × recorded steps.
    potentials: Floats | None
    #: Filtered spikes, Hz: trials × units × recorded steps.
    rates: Floats | None
    #: Synaptic currents, mV: trials × units × recorded steps.
    currents: Floats | None
    #: The steps that were recorded, by ``record_every``.
    recorded_steps: Integers | None
    units: int
    steps: int
    dt_ms: float
    scaling_factor: float
    #: Mean firing rate of a unit, Hz.
    mean_rate_hz: float
    #: Hash of all spikes, which the command prints too.
    spike_hash: str
    _drawings: Any = field(default=None, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.unit)

    def __repr__(self) -> str:
        score = "" if self.correct is None else f", accuracy {self.accuracy:.3f}"
        return (
            f"Spikes({len(self.answers)} trials of {self.steps} steps of {self.dt_ms} ms, "
            f"{len(self)} spikes, {self.mean_rate_hz:.1f} Hz{score}, hash {self.spike_hash})"
        )

    @property
    def times_ms(self) -> Floats:
        """The time of each spike from the start of its trial, ms."""
        return ((self.step + 1) * self.dt_ms).astype(np.float64)

    @property
    def accuracy(self) -> float:
        """Share of right answers by the published criterion."""
        return float(np.mean(self._of_task(self.correct)))

    @property
    def strict_accuracy(self) -> float:
        """Share of right answers by the strict criterion."""
        return float(np.mean(self._of_task(self.strictly_correct)))

    def counts(self) -> Integers:
        """Number of spikes: trials × units."""
        counts = np.zeros((len(self.answers), self.units), np.int64)
        np.add.at(counts, (self.trial, self.unit), 1)
        return counts

    def rates_hz(self) -> Floats:
        """Firing rates, Hz: trials × units."""
        return (self.counts() / (self.steps * self.dt_ms / 1000)).astype(np.float64)

    def raster(self) -> Any:
        """A ``Figure`` of the spikes in the first trial of each answer."""
        return self._drawn().raster()

    def outputs_figure(self) -> Any:
        """A ``Figure`` of the first output over time, mean and spread by answer."""
        return self._drawn().outputs()

    def _drawn(self) -> Any:
        if self._drawings is None:
            raise InvalidValue(
                "figures show trials of a task in their own time; simulate without inputs "
                "and without downsample"
            )
        return self._drawings

    def _of_task(self, values: Truths | None) -> Truths:
        if values is None:
            raise InvalidValue("inputs of your own have no right answers; compare answers yourself")
        return values

"""Rate models: trained or read, and the ways to spikes."""

from __future__ import annotations

import os
from typing import Any, Iterator, Mapping, NamedTuple, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _arguments, _native
from ._arguments import optional, path as path_of, refused, truth, whole
from ._native import Report, Task
from ._network import Network, perturbation
from ._progress import Progress, shown
from ._results import Conversion, Rates, Spikes
from ._sizes import Sizes
from ._task import Path, TaskLike

class Stimulation(NamedTuple):
    """An artificial stimulation: in each step from ``start_ms`` to before ``end_ms``, with
    probability ½, the potentials of ``units`` (counted from 0) move by 0.5 mV together, up
    with the mode "exc" and down with "inh"."""

    mode: str
    start_ms: float
    end_ms: float
    units: Sequence[int]


class Model(Sizes[_native.Model]):
    """A rate network with its variables under the published names.

    ``train``, ``load`` and ``model_from_weights`` make one. ``model["w"]`` and ``model.w`` are
    the variable ``w`` of the ``.mat``, in the type and shape of the file; ``list(model)`` has
    the names of all.
    """

    __slots__ = ()

    @property
    def sample_ms(self) -> float:
        """Length of an input sample, ms."""
        return self._native.sample_ms

    @property
    def path(self) -> os.PathLike[str]:
        """The file of the model; for one that was never saved, the name that it would have."""
        return self._native.path

    @property
    def success(self) -> bool | None:
        """Whether the training met its criterion; ``None`` for a model from a file."""
        return self._native.success

    @property
    def task(self) -> Task:
        """The task of the model. Raises ``InvalidValue`` if the file names none."""
        return self._native.task

    @property
    def weights(self) -> NDArray[np.float64]:
        """The weights that act, relu(w)·m∘som_m under Dale's principle: N × N, entry [i, j]
        from unit j to unit i."""
        return self._native.weights

    @property
    def initial_weights(self) -> NDArray[np.float64]:
        """The same before the training. Raises ``InvalidValue`` if the file has no w0."""
        return self._native.initial_weights

    @property
    def decay_ms(self) -> NDArray[np.float64]:
        """Decay times of the synapses, ms: N."""
        return self._native.decay_ms

    @property
    def inhibitory(self) -> NDArray[np.bool_]:
        """True for inhibitory units: N."""
        return self._native.inhibitory

    def keys(self) -> list[str]:
        """The names of the variables, in the order of the file."""
        return self._native.keys()

    def __getitem__(self, name: str) -> Any:
        return self._native[_arguments.word("name", name)]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._native

    def __iter__(self) -> Iterator[str]:
        return iter(self._native.keys())

    def __len__(self) -> int:
        return len(self._native.keys())

    def __getattr__(self, name: str) -> Any:
        # The special names of Python are no variables.
        if not name.startswith("_") and name in self._native:
            return self._native[name]
        raise AttributeError(f"a model has no attribute and no variable {name}")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.keys()]

    def __repr__(self) -> str:
        return repr(self._native)

    def save(self, path: Path) -> os.PathLike[str]:
        """Writes the model to ``path``, which ends in ``.mat``, and how it was trained to the
        ``.json`` beside it. MATLAB, SciPy and the published code read the ``.mat``. Returns
        the path.

        Raises ``InvalidValue`` for another ending, ``FileError`` if it cannot be written.
        """
        return self._native.save(path_of("path", path))

    def rates(self, inputs: ArrayLike) -> Rates:
        """Runs the rate network without noise, from x = 0.

        ``inputs`` is channels × samples, or trials × channels × samples.
        """
        return self._native.rates(inputs)

    def convert(
        self,
        lambdas: Sequence[float] | None = None,
        *,
        trials: int = 100,
        seed: int = 1,
        race: bool = False,
        refit_readout: int | None = None,
        calibrate: bool = False,
        initial_weights: bool = False,
        task: TaskLike | None = None,
        progress: Progress = True,
        **neuron: Any,
    ) -> Conversion:
        """Searches the scaling factor λ, as ``rate2spike convert`` does, and keeps the result
        in the variables of the model: ``opt_scaling_factor``, ``all_perfs`` and
        ``scaling_factors``. ``save`` writes them.

        Parameters
        ----------
        lambdas
            Candidates, Hz. If absent: 50 with lif, 20 to 75 with sigmoid, else 4 to 26.
        trials, seed
            Trials of each candidate, and their seed.
        race
            True to drop candidates early that cannot win.
        refit_readout
            Trials to whose spikes the readout is fitted anew, at the best λ or after the
            calibration; it is kept if it scores no worse on others.
        calibrate
            True to give each unit a scale, a constant current and a λ of its own, in place of
            a search.
        initial_weights
            True for the weights before training, as a control; nothing is kept.
        task
            The task, where it is not the model's.
        neuron
            ``dt``, ``downsample``, ``scheme``, ``neuron``, ``filter``, ``refractory``,
            ``noise``: see ``simulate``.

        ``lambdas, accuracies = model.convert()`` takes the accuracy of each λ.
        """
        with shown(progress, trials, "convert") as callback:
            return self._native._convert(
                {
                    "lambdas": optional(_numbers, "lambdas", lambdas),
                    "trials": whole("trials", trials),
                    "seed": whole("seed", seed),
                    "race": truth("race", race),
                    "refit_readout": optional(whole, "refit_readout", refit_readout),
                    "calibrate": truth("calibrate", calibrate),
                    "initial_weights": truth("initial_weights", initial_weights),
                    "task": task,
                    "progress": callback,
                    "neuron": neuron,
                }
            )

    def simulate(
        self,
        inputs: ArrayLike | None = None,
        *,
        task: TaskLike | None = None,
        trials: int | None = None,
        scaling_factor: float | None = None,
        seed: int = 1,
        precision: str = "f64",
        v0: ArrayLike | None = None,
        stimulate: Stimulation | None = None,
        initial_weights: bool = False,
        scale: Mapping[str, float] | None = None,
        no_autapses: bool = False,
        shuffle: bool = False,
        silence: Sequence[int] = (),
        record_every: int | None = None,
        progress: Progress = True,
        **neuron: Any,
    ) -> Spikes:
        """Simulates the spiking network, as ``rate2spike simulate`` does: the same seed and
        options give the same spikes.

        Parameters
        ----------
        inputs
            Inputs in place of the trials of a task: channels × samples, or trials × channels
            × samples. As in the published simulation, a trial ends with the start of the last
            sample: 201 samples of 5 ms last 1 s.
        task
            The task, where it is not the model's.
        trials
            Number of trials: 1 of a task, and each of the inputs, if absent.
        scaling_factor
            λ. If absent, the model's.
        seed
            Seed of the trials and of everything random in them.
        precision
            "f64" or "f32".
        v0
            Potentials at the start, mV: N. Drawn if absent.
        stimulate
            An artificial stimulation.
        initial_weights
            True for the weights before training.
        scale
            Factors of classes of connections, for instance ``{"ei": 0.5}``: the sender first,
            e for excitatory and i for inhibitory units; 0 cuts them.
        no_autapses
            True to take away what units send to themselves.
        shuffle
            True to deal the weights out anew among the connections.
        silence
            Units, counted from 0, whose spikes reach nothing and are not recorded.
        record_every
            Records potentials, filtered rates and currents every this many steps.
        neuron
            ``dt``: the time step, ms (0.05). ``downsample``: the published downsampling.
            ``scheme``: "euler" or "exact". ``neuron``: "lif" or "qif". ``filter``: "double" or
            "single". ``refractory``: ms (2). ``noise``: mV in 0.05 ms (0.1). What is left out is
            as in the conversion of the model.
        """
        with shown(progress, trials, "simulate") as callback:
            return self._native._simulate(
                {
                    "inputs": inputs,
                    "task": task,
                    "trials": optional(whole, "trials", trials),
                    "scaling_factor": optional(
                        _arguments.number, "scaling_factor", scaling_factor
                    ),
                    "precision": _arguments.word("precision", precision),
                    "v0": v0,
                    "stimulate": optional(_stimulation, "stimulate", stimulate),
                    "initial_weights": truth("initial_weights", initial_weights),
                    "record_every": optional(whole, "record_every", record_every),
                    "seed": whole("seed", seed),
                    "progress": callback,
                    "perturbation": perturbation(scale, no_autapses, shuffle, silence),
                    "neuron": neuron,
                }
            )

    def quantize(
        self,
        dt: float | str = 0.1,
        *,
        scaling_factor: float | None = None,
        task: TaskLike | None = None,
        seed: int = 1,
        progress: Progress = True,
        **neuron: Any,
    ) -> Network:
        """The network in fixed point, as ``rate2spike quantize`` makes it.

        Parameters
        ----------
        dt
            Time step, ms: 0.05, 0.1, 0.2, 0.25, 0.5 or 1; "auto" for the longest one that costs
            at most a point of accuracy.
        scaling_factor
            λ. If absent, the model's.
        neuron
            ``neuron``, ``filter``, ``refractory``, ``noise``: see ``simulate``.
        """
        with shown(progress, None, "quantize") as callback:
            native = self._native._quantize(
                dt,
                optional(_arguments.number, "scaling_factor", scaling_factor),
                task,
                whole("seed", seed),
                neuron,
                callback,
            )
        return Network(native)

    def report(
        self,
        *,
        trials: int = 100,
        seed: int = 1,
        scaling_factor: float | None = None,
        network: Network | None = None,
        task: TaskLike | None = None,
    ) -> Report:
        """The figures of the model and the page around them, as ``rate2spike report`` writes
        them. ``report.figures`` has the figures by name, ``report.save(path)`` writes the
        page. ``network`` is the deployed network, if the page is about one."""
        if network is not None and not isinstance(network, Network):
            raise refused("network", network, "a Network, for instance that of quantize()")
        return self._native._report(
            whole("trials", trials),
            whole("seed", seed),
            optional(_arguments.number, "scaling_factor", scaling_factor),
            None if network is None else network._native,
            task,
        )


def _numbers(name: str, values: Any) -> list[float]:
    return _arguments.each(name, values, _arguments.number)


def _stimulation(name: str, value: Any) -> tuple[str, str, str, list[int]]:
    try:
        mode, start_ms, end_ms, units = value
    except (TypeError, ValueError):
        raise refused(name, value, "a Stimulation of mode, start_ms, end_ms and units") from None
    units = _arguments.each(f"the units of {name}", units, whole)
    return (str(mode), f"{start_ms}ms", f"{end_ms}ms", units)


def train(
    task: TaskLike,
    *,
    output_dir: Path | None = None,
    checkpoint_every: int = 0,
    resume: bool = False,
    start: Model | None = None,
    progress: Progress = True,
    **options: Any,
) -> Model:
    """Trains a rate network, as ``rate2spike train`` does: the same options and seed give the
    same bits.

    Parameters
    ----------
    task
        A task, or what the command line takes for one.
    output_dir
        Folder below which the model is saved under the published name. If absent, the model
        stays in memory, and ``Model.save`` writes it.
    checkpoint_every
        Updates between two check points; with 0 a check point is written only on Ctrl-C.
        Check points lie below ``output_dir``, or else the working folder.
    resume
        True to go on from the check point of the same options, where there is one.
    start
        A model to begin with, for a harder task with the same inputs.
    progress
        True for a bar of tqdm, where tqdm is installed; False for none; or a function of the
        number of updates, the loss, and, after an evaluation, the accuracy (else ``None``).
    options
        The flags of ``rate2spike train`` by their names: ``N``, ``act``, ``seed``, ``P_inh``,
        ``P_rec``, ``som_N``, ``apply_dale``, ``gain``, ``w_dist``, ``loss_fn``, ``decay_taus``,
        ``n_trials``, ``batch``, ``learning_rate`` and so on (docs/commands.md).

    Ctrl-C ends the training with a check point and ``KeyboardInterrupt``. A training that
    misses its criterion warns and returns its model. Raises ``InvalidValue`` for a value that
    is out of range, ``TypeError`` for an unknown option, ``Error`` for a training that
    diverged.
    """
    updates = options.get("n_trials", options.get("updates"))
    if start is not None and not isinstance(start, Model):
        raise refused("start", start, "a Model, for instance that of load()")
    with shown(progress, updates, "train") as callback:
        trained = _native.train(
            task,
            options,
            optional(path_of, "output_dir", output_dir),
            whole("checkpoint_every", checkpoint_every),
            truth("resume", resume),
            None if start is None else start._native,
            callback,
        )
    return Model(trained)


def load(path: Path, *, task: TaskLike | None = None) -> Model:
    """Reads a rate model: a ``.mat`` of this program or of the published code.

    ``task`` is the task, where the file names none, or a data set that has moved.

    Raises ``MissingFile`` if the file is not there, ``InvalidValue`` if it is no model.
    """
    return Model(_native.load(path_of("path", path), task))


def model_from_weights(
    task: TaskLike,
    w: ArrayLike,
    w_in: ArrayLike,
    w_out: ArrayLike,
    b_out: ArrayLike | None = None,
    *,
    act: str = "sigmoid",
    decay_ms: float = 50.0,
    inhibitory: ArrayLike | None = None,
) -> Model:
    """A model of weights that were trained elsewhere, for instance with PyTorch.

    The network is ``x[t] = x[t-1] + (−x[t-1] + w r[t-1] + w_in u[t-1]) / tau`` with ``r =
    act(x)``, ``tau = decay_ms / sample_ms`` and ``output = w_out r + b_out``.

    Parameters
    ----------
    w, w_in, w_out, b_out
        N × N (entry [i, j] from unit j to unit i), N × channels, outputs × N, outputs.
    act
        "sigmoid", "softplus", "clipped_relu" or "lif".
    decay_ms
        The time constant of all units, longer than a sample of the task.
    inhibitory
        True for inhibitory units, N, whose weights must be negative, and those of the others
        positive. If absent, weights may have any sign.
    """
    weights = {
        "w": w,
        "w_in": w_in,
        "w_out": np.atleast_2d(_arguments.array("w_out", w_out)),
        "b_out": None if b_out is None else _arguments.array("b_out", b_out).ravel(),
        "act": _arguments.word("act", act),
        "decay_ms": _arguments.number("decay_ms", decay_ms),
        "inhibitory": None
        if inhibitory is None
        else _arguments.array("inhibitory", inhibitory, bool).ravel().tolist(),
    }
    return Model(_native.model_from_weights(task, weights))

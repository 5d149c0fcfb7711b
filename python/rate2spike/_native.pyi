"""The compiled part. The functions and classes of ``rate2spike`` are the way to it."""

import os
from typing import Any, Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._results import Conversion, Rates, Spikes

_Path = str | os.PathLike[str]
_Floats = NDArray[np.float64]
_Callback = Callable[[int, float, float | None], None] | None

class Task:
    """A task: what a trial shows, and which answer is right. ``task`` and ``data`` make one."""

    @property
    def name(self) -> str:
        """The name, as in commands and in the names of files."""
    @property
    def channels(self) -> int:
        """Number of input channels."""
    @property
    def outputs(self) -> int:
        """Number of outputs."""
    @property
    def samples(self) -> int:
        """Number of samples of a trial."""
    @property
    def sample_ms(self) -> float:
        """Length of a sample, ms."""
    @property
    def window(self) -> tuple[int, int]:
        """First sample of the window in which the answer is read, and the sample after its
        last."""
    @property
    def answers(self) -> dict[int, str]:
        """The answers: number to word."""
    @property
    def parts(self) -> dict[str, int] | None:
        """Trials of the parts of a data set: train, validation and test. ``None`` for a task
        that draws its trials."""
    def _draw(self, n: int, seed: int, first: int, part: str | None) -> dict[str, Any]:
        """Draws trials: see ``rate2spike.trials``."""
    def _shown(self, recordings: ArrayLike) -> NDArray[np.float32]:
        """Recordings as the network is shown them: scaled as the training part was, and with
        the tail. ``recordings`` is trials × channels × samples, with at most the samples of
        the data set. Returns trials × channels × samples of a trial."""

class Figure:
    """A figure, which a notebook shows."""

    @property
    def name(self) -> str:
        """The name of the figure."""
    @property
    def caption(self) -> str:
        """The caption."""
    @property
    def svg(self) -> str:
        """The picture as SVG."""
    def _repr_svg_(self) -> str: ...
    def save(self, path: _Path) -> None:
        """Writes the picture to a file whose name ends in .svg or .png."""

class Drawings:
    """What the figures of simulated trials are drawn from."""

    def raster(self) -> Figure:
        """The spikes of the first trial of each answer."""
    def outputs(self) -> Figure:
        """The output over time, mean and standard deviation by answer."""

class Report:
    """The page of a model: its figures, and the text around them."""

    @property
    def html(self) -> str:
        """The page, which needs no other file."""
    @property
    def figures(self) -> dict[str, Figure]:
        """The figures by name."""
    def _repr_html_(self) -> str: ...
    def save(self, path: _Path) -> None:
        """Writes the page to a file."""

class Board:
    """A trial of a deployed network, step by step, with the functions and the bits of the C
    library and of a board. ``Network.start`` makes one."""

    def set_input(self, values: ArrayLike) -> None:
        """Sets the input from the next step on: a value for each channel, as the task has
        them. A value is rounded to 1/4096 and lies within −8 and 8."""
    def set_sample(self, integers: ArrayLike) -> None:
        """Sets the input from the next step on from the integers of a sensor, by the
        preprocessing that the network carries: an integer for each channel of the sensor.
        Call it once for each sample of the network, which lasts ``steps_per_sample`` steps."""
    def step(self, steps: int = 1) -> NDArray[np.int64]:
        """Makes time steps. Returns the units that fired in the last one, counted from 0, in
        ascending order."""
    @property
    def spikes(self) -> NDArray[np.int64]:
        """The units that fired in the last step."""
    @property
    def outputs(self) -> _Floats:
        """The outputs after the last step."""
    @property
    def output_bits(self) -> NDArray[np.int64]:
        """The outputs as the board has them, 1.0 being 2^26."""
    @property
    def now(self) -> int:
        """Number of steps made."""
    @property
    def sample(self) -> int:
        """The input sample of the next step, as a trial of the task has them."""
    @property
    def answer(self) -> int:
        """The answer to the trial so far: the number of the class, or the label of the task."""
    @property
    def spike_hash(self) -> str:
        """The hash of the spikes so far, 16 hexadecimal digits."""

class Model:
    """Behind ``rate2spike.Model``."""

    @property
    def units(self) -> int: ...
    @property
    def channels(self) -> int: ...
    @property
    def outputs(self) -> int: ...
    @property
    def sample_ms(self) -> float: ...
    @property
    def path(self) -> os.PathLike[str]: ...
    @property
    def success(self) -> bool | None: ...
    @property
    def task(self) -> Task: ...
    @property
    def weights(self) -> _Floats: ...
    @property
    def initial_weights(self) -> _Floats: ...
    @property
    def decay_ms(self) -> _Floats: ...
    @property
    def inhibitory(self) -> NDArray[np.bool_]: ...
    def keys(self) -> list[str]: ...
    def __getitem__(self, name: str) -> Any: ...
    def __contains__(self, name: str) -> bool: ...
    def save(self, path: _Path) -> os.PathLike[str]: ...
    def rates(self, inputs: ArrayLike) -> Rates: ...
    def _convert(self, options: dict[str, Any]) -> Conversion: ...
    def _simulate(self, options: dict[str, Any]) -> Spikes: ...
    def _quantize(
        self,
        dt: float | str,
        scaling_factor: float | None,
        task: Task | _Path | None,
        seed: int,
        neuron: dict[str, Any],
        progress: _Callback,
    ) -> Network: ...
    def _report(
        self,
        trials: int,
        seed: int,
        scaling_factor: float | None,
        network: Network | None,
        task: Task | _Path | None,
    ) -> Report: ...

class Network:
    """Behind ``rate2spike.Network``."""

    @property
    def units(self) -> int: ...
    @property
    def channels(self) -> int: ...
    @property
    def outputs(self) -> int: ...
    @property
    def sensors(self) -> int: ...
    @property
    def synapses(self) -> int: ...
    @property
    def dt_ms(self) -> float: ...
    @property
    def steps_per_sample(self) -> int: ...
    @property
    def steps(self) -> int: ...
    @property
    def scaling_factor(self) -> float: ...
    @property
    def task_name(self) -> str: ...
    @property
    def class_names(self) -> list[str]: ...
    @property
    def bytes(self) -> bytes: ...
    @property
    def losses(self) -> dict[str, tuple[float, float, str]] | None: ...
    def save(self, path: _Path) -> os.PathLike[str]: ...
    def self_test(self) -> bool: ...
    def start(self, seed: int = 1, trial: int = 0) -> Board: ...
    def _run(
        self,
        inputs: ArrayLike | None,
        trials: int | None,
        seed: int,
        perturbation: dict[str, Any],
        progress: _Callback,
    ) -> Spikes: ...

def task(name: Task | _Path) -> Task: ...
def data_set(name: str, archive: bytes, settings: str, seed: int) -> Task: ...
def train(
    task: Task | _Path,
    options: dict[str, Any],
    output_dir: _Path | None = None,
    checkpoint_every: int = 0,
    resume: bool = False,
    start: Model | None = None,
    progress: _Callback = None,
) -> Model: ...
def load(path: _Path, task: Task | _Path | None = None) -> Model: ...
def model_from_weights(task: Task | _Path, weights: dict[str, Any]) -> Model: ...
def load_network(path: _Path, task: Task | _Path | None = None) -> Network: ...
def command(words: list[str]) -> int: ...

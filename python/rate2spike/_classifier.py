"""A classifier with the habits of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _arguments
from ._errors import Error, InvalidValue
from ._model import train
from ._progress import Progress
from ._task import data


class Classifier:
    """A spiking network in fixed point that tells recordings apart.

    ``fit`` trains a rate network with the spiking neuron's own transfer function, converts
    it and quantizes it. ``predict`` runs the quantized network, bit for bit as a board does.

    Parameters
    ----------
    N
        Number of units.
    dt
        Time step of the quantized network, ms.
    sample_ms
        Time that the network gives to a sample: a whole number of ms.
    seed
        Seed of everything random.
    options
        Further options of ``train``, for instance ``n_trials``.

    Attributes after ``fit``: ``classes_``, the classes; ``model_``, the rate model;
    ``network_``, the quantized network; ``task_``, the data set as a task.
    """

    def __init__(
        self,
        N: int = 100,
        dt: float = 0.5,
        *,
        sample_ms: float = 5,
        seed: int = 1,
        options: dict[str, Any] | None = None,
        progress: Progress = False,
    ) -> None:
        self.N = N
        self.dt = dt
        self.sample_ms = sample_ms
        self.seed = seed
        self.options = options
        self.progress = progress

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name."""
        names = ("N", "dt", "sample_ms", "seed", "options", "progress")
        return {name: getattr(self, name) for name in names}

    def set_params(self, **params: Any) -> "Classifier":
        """Sets parameters by name."""
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise InvalidValue(f"no parameter is called {name}; there are {', '.join(known)}")
            setattr(self, name, value)
        return self

    def fit(self, X: ArrayLike, y: ArrayLike) -> "Classifier":
        """Trains on ``X``, trials × channels × samples (or trials × samples), with the class
        of each trial in ``y``. A fifth of the trials of each class chooses when to stop."""
        y, inputs = _arguments.array("y", y), _three_axes(X)
        seed = _arguments.whole("seed", self.seed)
        if y.shape != inputs.shape[:1]:
            raise InvalidValue(f"y has the shape {y.shape}, but X has {len(inputs)} trials")
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise InvalidValue("y has a single class; give trials of at least two")
        self.task_ = data(
            inputs,
            labels,
            classes=[str(name) for name in self.classes_],
            split=_split(labels, seed),
            sample_ms=self.sample_ms,
            name="classifier",
            seed=seed,
        )
        given = {} if self.options is None else _arguments.mapping("options", self.options)
        options = {"act": "lif", **given}
        self.model_ = train(
            self.task_, N=self.N, seed=seed, progress=self.progress, **options
        )
        self.network_ = self.model_.quantize(self.dt, seed=seed, progress=False)
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """The mean of each output in the decision window: trials × classes."""
        spikes = self._run(X)
        steps = self.network_.steps_per_sample
        first, last = self.task_.window
        return np.asarray(spikes.output[:, :, first * steps : last * steps].mean(axis=2))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The class of each trial of ``X``, trials × channels × samples."""
        answers = self._run(X).answers
        return np.asarray(self.classes_[answers])

    def score(self, X: ArrayLike, y: ArrayLike) -> float:
        """Share of the trials of ``X`` whose predicted class is that of ``y``."""
        y, predicted = _arguments.array("y", y), self.predict(X)
        if y.shape != predicted.shape:
            raise InvalidValue(f"y has the shape {y.shape}, but X has {len(predicted)} trials")
        return float(np.mean(predicted == y))

    def _run(self, X: ArrayLike) -> Any:
        if not hasattr(self, "network_"):
            raise Error("this classifier was not trained; call fit(X, y) first")
        inputs = self.task_._shown(_three_axes(X))
        return self.network_.run(inputs, seed=self.seed, progress=False)


def _three_axes(X: ArrayLike) -> NDArray[Any]:
    array = _arguments.array("X", X)
    if array.ndim == 2:
        array = array[:, np.newaxis, :]
    if array.ndim != 3:
        raise InvalidValue(
            f"X has the shape {array.shape}; give trials x channels x samples, or trials x samples"
        )
    return array


def _split(labels: NDArray[Any], seed: int) -> NDArray[Any]:
    """Parts of the training trials: a fifth of each class for validation, of which one trial
    goes into the test part, which must not be empty."""
    parts = np.array(["train"] * len(labels), dtype="<U10")
    generator = np.random.default_rng(seed)
    for label in np.unique(labels):
        places = generator.permutation(np.flatnonzero(labels == label))
        count = max(1, len(places) // 5) if len(places) > 2 else 0
        parts[places[:count]] = "validation"
    held_back = np.flatnonzero(parts == "validation")
    if len(held_back) < 2:
        raise InvalidValue("X has too few trials; give at least 3 of two classes or more")
    parts[held_back[0]] = "test"
    return parts

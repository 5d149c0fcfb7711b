"""The published MATLAB function, for scripts that call it."""

from __future__ import annotations

import os
from typing import Any, Mapping

import numpy as np
from numpy.typing import ArrayLike

from . import _arguments
from ._errors import InvalidValue
from ._model import Stimulation, load


def LIF_network_fnc(
    model_path: str | os.PathLike[str],
    scaling_factor: float,
    u: ArrayLike,
    stims: Mapping[str, Any],
    downsample: int = 1,
    use_initial_weights: bool = False,
    *,
    seed: int = 1,
) -> tuple[Any, ...]:
    """One trial of the spiking network of a rate model, as the published function runs it
    (``spiking/LIF_network_fnc.m`` of Kim, Li & Sejnowski 2019).

    Parameters
    ----------
    model_path
        The ``.mat`` of the rate model.
    scaling_factor
        λ.
    u
        The input: channels × samples of 5 ms.
    stims
        ``{"mode": "none"}``, or ``{"mode": "exc" or "inh", "dur": [onset, offset], "units":
        [...]}``. As in MATLAB, steps and units count from 1 here.
    downsample
        Every how many samples of the input are shown, in steps as many times as long.
    use_initial_weights
        True for the weights before the training.
    seed
        Seed of the start, of the noise and of the stimulation; MATLAB has its own.

    Returns
    -------
    (W, REC, spk, rs, all_fr, out, params)
        ``W``, the weights divided by λ (N × N); ``REC``, the potentials in mV (N × t);
        ``spk``, 1 for a spike (N × t); ``rs``, the filtered spikes in Hz (N × t); ``all_fr``,
        the firing rates in Hz (N × 1), the first nine steps left out; ``out``, the output
        (1 × t, or outputs × t); ``params``, a dictionary of ``dt`` and ``T`` in s, ``nt``,
        ``w_out``, ``td`` and ``td0`` in s (N × 1), ``IPSCs`` in mV (N × t).
    """
    model = load(_arguments.path("model_path", model_path))
    scaling_factor = _arguments.number("scaling_factor", scaling_factor)
    downsample = _arguments.whole("downsample", downsample)
    use_initial_weights = _arguments.truth("use_initial_weights", use_initial_weights)
    mode = str(_arguments.mapping("stims", stims).get("mode", "none")).lower()
    stimulate = None
    if mode != "none":
        try:
            (onset, offset), units = stims["dur"], np.atleast_1d(stims["units"])
        except KeyError as missing:
            raise InvalidValue(
                f"stims: {missing} is missing; give mode, dur and units"
            ) from None
        step_ms = 0.05 * downsample
        begin, end = ((int(step) - 1) * step_ms for step in (onset, offset))
        stimulate = Stimulation(mode, begin, end, [int(unit) - 1 for unit in units.ravel()])
    spikes = model.simulate(
        np.atleast_2d(_arguments.array("u", u)),
        scaling_factor=scaling_factor,
        downsample=downsample,
        initial_weights=use_initial_weights,
        stimulate=stimulate,
        record_every=1,
        seed=seed,
        progress=False,
    )
    assert spikes.potentials is not None and spikes.rates is not None
    assert spikes.currents is not None
    nt = spikes.steps
    spk = np.zeros((model.units, nt))
    spk[spikes.unit, spikes.step] = 1.0
    seconds = nt * spikes.dt_ms / 1000
    # The published function records a current before the step that changes it.
    currents = np.zeros((model.units, nt))
    currents[:, 1:] = spikes.currents[0, :, :-1]
    weights = model.initial_weights if use_initial_weights else model.weights
    params = {
        "dt": spikes.dt_ms / 1000,
        "T": seconds,
        "nt": nt,
        "w_out": model["w_out"],
        "td": model.decay_ms.reshape(-1, 1) / 1000,
        "td0": _initial_decay_s(model),
        "IPSCs": currents,
    }
    return (
        weights / scaling_factor,
        spikes.potentials[0],
        spk,
        spikes.rates[0],
        spk[:, 9:].sum(axis=1, keepdims=True) / seconds,
        spikes.output[0],
        params,
    )


def _initial_decay_s(model: Any) -> Any:
    """Decay times before the training, s; N × 1."""
    taus = np.ravel(model["taus"])
    if len(taus) == 1 or "taus_gaus0" not in model:
        return model.decay_ms.reshape(-1, 1) / 1000
    share = 1 / (1 + np.exp(-np.ravel(model["taus_gaus0"]).astype(float)))
    steps = share * (taus[1] - taus[0]) + taus[0]
    return steps.reshape(-1, 1) * model.sample_ms / 1000

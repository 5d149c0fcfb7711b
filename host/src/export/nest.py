"""A spiking network and one of its trials, written by rate2spike for NEST.

    python NAME.py [--seconds S] [--output FILE.npy]

The script reads its numbers from NAME.npz and prints, after NEST's greeting, a line
"step unit" for each spike, both counted from 1. There is no noise. Potentials are in
mV, times in ms; the method is that of Kim, Li & Sejnowski, PNAS 116:22811 (2019).

The current of a spike, of area w,

    w / (tau_d - tau_r) (exp(-t / tau_d) - exp(-t / tau_r))

is the difference of two exponentials: two ports of iaf_psc_exp_multisynapse.
NEST delays a spike by at least one step. Each exponential is therefore sent with the
size that it would have one step later. A third port, much faster than a step, adds to
the membrane what the spike would have added in the step that is lost.
"""

import argparse
import pathlib

import nest
import numpy as np

options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
options.add_argument("--seconds", type=float, help="stop after this time, in seconds")
options.add_argument("--output", help="write the output of every step to this .npy")
options = options.parse_args()

p = np.load(pathlib.Path(__file__).with_suffix(".npz"))
dt, steps, refractory = float(p["dt_ms"]), int(p["steps"]), int(p["refractory_steps"])
if options.seconds is not None:
    steps = min(steps, round(options.seconds * 1000 / dt))
tau_d, tau_r, tau_m = p["decay_ms"], float(p["rise_ms"]), float(p["tau_m_ms"])
units, double = len(tau_d), tau_r > 0

if hasattr(nest, "VerbosityLevel"):
    nest.verbosity = nest.VerbosityLevel.ERROR
else:
    nest.set_verbosity("M_ERROR")
nest.resolution = dt
neurons = nest.Create("iaf_psc_exp_multisynapse", units)
# With a capacity of tau_m in pF, a current of 1 pA is worth 1 mV.
neurons.set(
    C_m=tau_m,
    tau_m=tau_m,
    E_L=0.0,
    V_th=float(p["threshold_mv"]),
    V_reset=float(p["reset_mv"]),
    t_ref=refractory * dt,
)
# Time constant of the port that moves the membrane at once.
kick = dt / 100
ports = [[tau, tau_r, kick] if double else [tau, kick] for tau in tau_d]
for neuron, taus in zip(neurons, ports):
    neuron.tau_syn = taus

# weights[i, j] is from j to i; an area in mV s.
weights = p["weights_mv_s"] * 1000
if double:
    # Where the two time constants meet, the difference has no size.
    apart = np.where(np.abs(tau_d - tau_r) < 1e-6, 1e-6, tau_d - tau_r)
    amplitudes = [(1, weights / apart[:, None], tau_d), (2, -weights / apart[:, None], np.full(units, tau_r))]
else:
    amplitudes = [(1, weights / tau_d[:, None], tau_d)]
# What a spike gives the membrane in the step after it, mV, and the current of
# the third port that gives the same one step later.
leak, first = float(p["leak"]), p["weights_mv_s"] * p["rise_gain"][:, None]
if double:
    missed = leak * p["lag"][:, None] * first
else:
    missed = leak * (p["gain"] + p["lag"] * p["synapse_decay"])[:, None] * first
worth = (np.exp(-dt / tau_m) - np.exp(-dt / kick)) / (1 / kick - 1 / tau_m) / tau_m
amplitudes.append((len(ports[0]), missed * np.exp(-dt / tau_m) / worth, None))
targets, sources = np.nonzero(weights)
ids = np.asarray(neurons.tolist())
for port, amplitude, tau in amplitudes:
    sent = amplitude if tau is None else amplitude * np.exp(-dt / tau)[:, None]
    nest.Connect(
        ids[sources],
        ids[targets],
        "one_to_one",
        {
            "synapse_model": "static_synapse",
            "weight": sent[targets, sources],
            "delay": np.full(len(sources), dt),
            "receptor_type": np.full(len(sources), port),
        },
    )
recorder = nest.Create("spike_recorder")
nest.Connect(neurons, recorder)

per_sample = int(p["steps_per_sample"])
inputs = p["input"]


def sample(step):
    """Sample k is shown from step (k - 1/2) samples on."""
    return min((2 * step + per_sample) // (2 * per_sample), inputs.shape[1] - 1)


start = p["start_mv"].astype(float)
fires = start >= float(p["threshold_mv"])
# A unit above its threshold fires in the first step, whatever its current is.
neurons.V_m = np.where(fires, start + 1000.0, start)
waiting = [neuron for neuron, fired in zip(neurons, fires) if not fired]
waiting_mv = start[~fires]

nest.Prepare()
step, shown = 0, None
while step < steps:
    now = sample(step + 1)
    if now != shown:
        shown = now
        drive = p["bias_mv"] + p["input_weights_mv"] @ inputs[:, now]
        neurons.I_e = drive
    if step < refractory:
        # Units that have not fired are refractory at the start.
        count = 1
    else:
        count = 1
        while step + count < steps and sample(step + count + 1) == shown:
            count += 1
    nest.Run(count * dt)
    step += count
    if step <= refractory:
        for neuron, v in zip(waiting, waiting_mv):
            neuron.V_m = v
nest.Cleanup()

events = recorder.events
order = np.lexsort((events["senders"], np.round(events["times"] / dt)))
for time, sender in zip(events["times"][order], events["senders"][order]):
    print(round(time / dt), sender - ids[0] + 1)

if options.output:
    fired = np.zeros((steps, units))
    fired[np.round(events["times"] / dt).astype(int) - 1, events["senders"] - ids[0]] = 1
    readout, r, q = p["readout_s"], np.zeros(units), np.zeros(units)
    output = np.zeros((steps, *readout.shape[:-1]))
    for step in range(steps):
        r = r * (1 + p["synapse_decay"]) + q * p["rise_gain"]
        q = q * (1 + p["rise_decay"])
        if double:
            q = q + fired[step]
        else:
            r = r + p["rise_gain"] * fired[step]
        output[step] = readout @ r + p["output_offset"]
    np.save(options.output, output)

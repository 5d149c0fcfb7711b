"""A spiking network and one of its trials, written by rate2spike for Brian2.

    python NAME.py [--seconds S] [--noise] [--seed N] [--output FILE.npy]

The script reads its numbers from NAME.npz and prints a line "step unit" for each
spike, both counted from 1. The noise is off without --noise. Potentials are in mV, times
in ms; the method is that of Kim, Li & Sejnowski, PNAS 116:22811 (2019).

Between spikes each unit obeys

    tau_m dv/dt = -v + s + drive      unless refractory
    ds/dt = -s/tau_d + h              dh/dt = -h/tau_r

A step is the exact solution of this linear system; its factors are in the .npz. A unit that fired in step n integrates again from step n + refractory + 1.
"""

import argparse
import pathlib

import brian2 as b
import numpy as np

options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
options.add_argument("--seconds", type=float, help="stop after this time, in seconds")
options.add_argument("--noise", action="store_true", help="add the membrane noise")
options.add_argument("--seed", type=int, default=1, help="seed of the noise")
options.add_argument("--output", help="write the output of every step to this .npy")
options = options.parse_args()

p = np.load(pathlib.Path(__file__).with_suffix(".npz"))
dt_ms, steps, refractory = float(p["dt_ms"]), int(p["steps"]), int(p["refractory_steps"])
if options.seconds is not None:
    steps = min(steps, round(options.seconds * 1000 / dt_ms))
units = len(p["decay_ms"])
double = float(p["rise_ms"]) > 0

b.prefs.codegen.target = "numpy"
b.defaultclock.dt = dt_ms * b.ms
b.seed(options.seed)

group = b.NeuronGroup(
    units,
    """
    v : 1                   # membrane, mV
    s : 1                   # synaptic current, mV
    h : 1                   # its rise
    r : 1                   # readout: filtered spikes, Hz
    q : 1                   # its rise
    drive : 1               # constant current and input, mV
    release : integer       # first step in which v integrates again
    synapse_decay : 1 (constant)
    rise_gain : 1 (constant)
    gain : 1 (constant)
    lag : 1 (constant)
    """,
    threshold="v >= threshold",
    reset="v = v_reset; release = t_in_timesteps + refractory + 1",
    namespace={
        "threshold": float(p["threshold_mv"]),
        "v_reset": float(p["reset_mv"]),
        "refractory": refractory,
        "leak": float(p["leak"]),
        "rise_decay": float(p["rise_decay"]),
        "noise": float(p["noise_mv"]) if options.noise else 0.0,
    },
)
for name in ("synapse_decay", "rise_gain", "gain", "lag"):
    setattr(group, name, p[name])
group.v = p["start_mv"]
group.release = refractory

step = """
change = s * synapse_decay + h * rise_gain
pull = leak * (drive + (s * gain + change * lag) - v)
v = v + int(t_in_timesteps >= release) * pull
s = s + change
h = h + h * rise_decay
r_change = r * synapse_decay + q * rise_gain
r = r + r_change
q = q + q * rise_decay
"""
if options.noise:
    step += "v = v + noise * randn()\n"
group.run_regularly(step, when="groups")

# weights[i, j] is from j to i.
weights = p["weights_mv_s"]
sources, targets = np.nonzero(weights.T)
synapses = b.Synapses(
    group,
    group,
    "w : 1",
    on_pre="h_post += w" if double else "s_post += w * rise_gain_post",
)
synapses.connect(i=sources, j=targets)
synapses.w = weights.T[sources, targets]
own = b.Synapses(group, group, on_pre="q_post += 1" if double else "r_post += rise_gain_post")
own.connect(j="i")

# Sample k is shown from step (k - 1/2) samples on, as in the published code.
per_sample = int(p["steps_per_sample"])
inputs = p["input"]
shown = {"sample": -1}


@b.network_operation(when="start")
def show(t):
    number = round(float(t / b.ms) / dt_ms) + 1
    sample = min((2 * number + per_sample) // (2 * per_sample), inputs.shape[1] - 1)
    if sample != shown["sample"]:
        shown["sample"] = sample
        drive = p["bias_mv"].copy()
        for weight, u in zip(p["input_weights_mv"].T, inputs[:, sample]):
            drive = drive + weight * u
        group.drive = drive


readout = p["readout_s"]
output = np.zeros((steps, *readout.shape[:-1]))


@b.network_operation(when="end")
def read(t):
    output[round(float(t / b.ms) / dt_ms)] = readout @ group.r[:] + p["output_offset"]


spikes = b.SpikeMonitor(group)
network = b.Network(group, synapses, own, spikes, show)
if options.output:
    network.add(read)
network.run(steps * dt_ms * b.ms)

for time, unit in zip(np.asarray(spikes.t / b.ms), np.asarray(spikes.i)):
    print(round(time / dt_ms) + 1, unit + 1)
if options.output:
    np.save(options.output, output)

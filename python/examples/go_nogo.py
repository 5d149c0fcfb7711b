"""The published Go-NoGo example.

Kim, Li & Sejnowski (PNAS 2019) train a rate network of 200 units to answer a pulse, give each
unit one spiking neuron, and search the scaling factor λ. This page does the same with a
network of 60 units, and draws the outputs and the spikes.
"""

# %% A rate network, with the published options
import numpy as np

import rate2spike

model = rate2spike.train("go-nogo", N=60, act="sigmoid", P_rec=0.8, decay_taus=(4, 10), seed=3)
print(model, "criterion met:", model.success)
assert model.success

# %% The rates: a Go trial has a pulse from 150 to 275 ms
trials = rate2spike.trials("go-nogo", 20)
go = trials.inputs[trials.labels == 1]
nogo = trials.inputs[trials.labels == 0]
print("last output, Go:", model.rates(go).output[:, 0, -1].mean().round(2))
print("last output, NoGo:", model.rates(nogo).output[:, 0, -1].mean().round(2))
assert model.rates(go).output[:, 0, -1].min() > 0.7
assert abs(model.rates(nogo).output[:, 0, -1]).max() < 0.3

# %% λ: the share of right answers of the spiking network
lambdas, accuracies = model.convert(trials=20)
for scaling_factor, accuracy in zip(lambdas, accuracies):
    print(f"λ = {scaling_factor:3.0f}  accuracy {accuracy:.2f}")
model.save("go-nogo.mat")

# %% Spikes, and their figures
spikes = model.simulate(trials=20)
print(spikes)
spikes.raster().save("raster.svg")
spikes.outputs_figure().save("outputs.svg")
print("mean rate of inhibitory units:", spikes.rates_hz()[:, model.inhibitory].mean().round(1), "Hz")
print("mean rate of excitatory units:", spikes.rates_hz()[:, ~model.inhibitory].mean().round(1), "Hz")

# %% The published function, with what it returns
u = np.zeros((1, 201))
u[0, 30:50] = 1
W, REC, spk, rs, all_fr, out, params = rate2spike.LIF_network_fnc(
    "go-nogo.mat", model.opt_scaling_factor.item(), u, {"mode": "none"}, 1, False
)
print("spikes in a Go trial:", int(spk.sum()), " largest output:", out.max().round(2))
assert REC.shape == (model.units, params["nt"])

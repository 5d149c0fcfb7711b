"""A lesion study: which units does a decision need?

Each unit of a trained network is silenced in turn, and the answers to the same trials are
counted. Spikes are NumPy arrays, so that everything else is NumPy.
"""

# %% A network that decides between two signs
import numpy as np

import rate2spike

model = rate2spike.train("xor", N=40, act="lif", seed=2)
network = model.quantize(0.5)
whole = network.run(trials=40)
print("whole:", whole)

# %% Silence one unit after the other
accuracy = np.array(
    [
        network.run(trials=40, silence=[unit], progress=False).accuracy
        for unit in range(network.units)
    ]
)
order = np.argsort(accuracy)
print("the five units that matter most:", order[:5], accuracy[order[:5]])
print("excitatory:", accuracy[~model.inhibitory].mean().round(3))
print("inhibitory:", accuracy[model.inhibitory].mean().round(3))
assert accuracy.shape == (40,) and accuracy.min() <= whole.accuracy

# %% Classes of connections
for pair in ["ee", "ei", "ie", "ii"]:
    cut = model.simulate(trials=10, dt=0.5, scale={pair: 0.0}, progress=False)
    print(f"without {pair}: accuracy {cut.accuracy:.2f}, {cut.mean_rate_hz:.1f} Hz")

# %% When do the units fire? Rates in windows of 50 ms, by right answer
window = (whole.times_ms // 50).astype(int)
rates = np.zeros((2, network.units, window.max() + 1))
for place, label in enumerate([-1, 1]):
    of_label = whole.labels[whole.trial] == label
    np.add.at(rates[place], (whole.unit[of_label], window[of_label]), 1)
    rates[place] /= 0.05 * (whole.labels == label).sum()
selective = np.abs(rates[1] - rates[0]).max(axis=1)
print("the most selective units:", np.argsort(-selective)[:5], "differ by",
      np.sort(selective)[::-1][:5].round(), "Hz")

# %% Stimulate them instead
chosen = np.argsort(-selective)[:5].tolist()
stimulation = rate2spike.Stimulation("exc", 100, 300, chosen)
moved = model.simulate(trials=10, stimulate=stimulation, progress=False)
print("with stimulation:", moved.accuracy, " without:", model.simulate(trials=10).accuracy)

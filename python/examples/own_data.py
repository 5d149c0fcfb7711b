"""Recordings of your own: three movements, told apart by a spiking network.

The recordings are made here: an accelerometer with two axes, 40 samples of 20 ms. Yours are an
array of trials × channels × samples, and an array with the class of each trial.
"""

# %% The recordings
import numpy as np

import rate2spike

random = np.random.default_rng(1)
names = np.array(["rest", "walk", "run"])
labels = np.arange(150) % 3
time = np.arange(40) * 0.02
turns_hz = np.array([0.0, 1.5, 3.0])[labels]
phase = random.uniform(0, 2 * np.pi, (150, 2))
angle = 2 * np.pi * turns_hz[:, None, None] * time + phase[:, :, None]
swing = np.where(labels > 0, 1.0, 0.0)[:, None, None]
recordings = swing * np.sin(angle) + 0.15 * random.normal(size=(150, 2, 40))

# %% A classifier with the habits of scikit-learn
train, test = slice(0, 120), slice(120, None)
classifier = rate2spike.Classifier(N=60, sample_ms=20, options={"n_trials": 400})
classifier.fit(recordings[train], names[labels[train]])
predicted = classifier.predict(recordings[test])
print("right answers:", classifier.score(recordings[test], names[labels[test]]))
assert classifier.score(recordings[test], names[labels[test]]) > 0.6
for name in names:
    of_class = names[labels[test]] == name
    print(f"{name:5}", {str(other): int((predicted[of_class] == other).sum()) for other in names})

# %% The network that answers is the one of a board
network = classifier.network_
network.save("movements.snn")
print(network, network.class_names)

# %% The same by hand: a task, its parts, and each form of the network
task = rate2spike.data(recordings, labels, classes=names, sample_ms=20, name="movements")
print(task, task.parts)
model = rate2spike.train(task, act="lif", N=60, n_trials=400)
spikes = model.simulate(trials=task.parts["test"])
fixed = model.quantize(0.5).run()
print("floating point:", spikes.accuracy, " fixed point:", fixed.accuracy)
print("rates of the units, Hz:", fixed.rates_hz().mean(axis=0).round()[:8])

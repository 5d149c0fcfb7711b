"""From PyTorch weights to a board.

A leaky network that PyTorch trained becomes a model, a spiking network, and the file that a
board runs. Without PyTorch this page trains the same network in NumPy, so that it runs
everywhere.
"""

# %% The network in PyTorch: x[t] = x[t-1] + (−x[t-1] + w r[t-1] + w_in u[t-1]) / tau
import numpy as np

import rate2spike

UNITS, UPDATES, TAU = 40, 1000, 8.0  # TAU in samples of 5 ms: 40 ms
trials = rate2spike.trials("go-nogo", 200, seed=7)


def with_torch():
    import torch

    torch.manual_seed(1)
    w = torch.nn.Parameter(1.2 * torch.randn(UNITS, UNITS) / UNITS**0.5)
    w_in = torch.nn.Parameter(torch.randn(UNITS, 1))
    w_out = torch.nn.Parameter(0.1 * torch.randn(1, UNITS))
    b_out = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.Adam([w, w_in, w_out, b_out], lr=0.01)
    u, z = torch.tensor(trials.inputs), torch.tensor(trials.targets)
    for _ in range(UPDATES):
        some = torch.randint(len(u), (16,))
        x, loss = torch.zeros(16, UNITS), 0.0
        for t in range(1, u.shape[2]):
            x = x + (-x + torch.sigmoid(x) @ w.T + u[some, :, t - 1] @ w_in.T) / TAU
            loss = loss + ((torch.sigmoid(x) @ w_out.T + b_out - z[some, :, t]) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return [weights.detach().numpy() for weights in (w, w_in, w_out, b_out)]


# %% The same without PyTorch: the adjoint of the equation, and Adam, in NumPy
def with_numpy():
    random = np.random.default_rng(1)
    w = 1.2 * random.normal(size=(UNITS, UNITS)) / UNITS**0.5
    weights = [w, random.normal(size=(UNITS, 1)), 0.1 * random.normal(size=(1, UNITS)), np.zeros(1)]
    moments = [(np.zeros_like(weight), np.zeros_like(weight)) for weight in weights]
    for update in range(1, UPDATES + 1):
        w, w_in, w_out, b_out = weights
        some = random.integers(len(trials), size=16)
        u, z = trials.inputs[some].astype(float), trials.targets[some].astype(float)
        samples = u.shape[2]
        r = np.full((samples, 16, UNITS), 0.5)
        x = np.zeros((16, UNITS))
        for t in range(1, samples):
            x = x + (-x + r[t - 1] @ w.T + u[:, :, t - 1] @ w_in.T) / TAU
            r[t] = 1 / (1 + np.exp(-x))
        errors = 2 / 16 * (r @ w_out.T + b_out - z.transpose(2, 0, 1))
        errors[0] = 0
        gradients = [np.zeros_like(weight) for weight in weights]
        g = np.zeros((16, UNITS))
        for t in range(samples - 1, -1, -1):
            gradients[0] += g.T @ r[t] / TAU
            gradients[1] += g.T @ u[:, :, t] / TAU
            gradients[2] += errors[t].T @ r[t]
            gradients[3] += errors[t].sum(axis=0)
            g = (errors[t] @ w_out + g @ w / TAU) * r[t] * (1 - r[t]) + (1 - 1 / TAU) * g
        for place, gradient in enumerate(gradients):
            first, second = moments[place]
            first = 0.9 * first + 0.1 * gradient
            second = 0.999 * second + 0.001 * gradient**2
            moments[place] = (first, second)
            step = first / (1 - 0.9**update) / (np.sqrt(second / (1 - 0.999**update)) + 1e-8)
            weights[place] = weights[place] - 0.01 * step
    return weights


try:
    (w, w_in, w_out, b_out), trained_with = with_torch(), "PyTorch"
except ImportError:
    (w, w_in, w_out, b_out), trained_with = with_numpy(), "NumPy"
print("trained with", trained_with)

# %% A model of these weights. It gives the outputs of the equation above
model = rate2spike.model_from_weights("go-nogo", w, w_in, w_out, b_out, decay_ms=5 * TAU)
run = model.rates(trials.inputs[:5])
x = np.zeros((5, UNITS))
for t in range(1, 200):
    x = x + (-x + (1 / (1 + np.exp(-x))) @ w.T + trials.inputs[:5, :, t - 1] @ w_in.T) / TAU
    output = (1 / (1 + np.exp(-x))) @ w_out.T + b_out
    assert np.abs(run.output[:, 0, t - 1] - output[:, 0]).max() < 1e-3

# %% Spikes: each unit is calibrated to its own rate, then the readout is fixed point
result = model.convert(calibrate=True, trials=40)
print(result)
assert result.accuracies[0] > 0.9
model.save("from_weights.mat")
network = model.quantize(0.5)
print(network)

# %% The file for the board, and a twin of the board that takes samples as they come
network.save("from_weights.snn")
board = network.start(seed=1)
while board.now < network.steps:
    pressed = 1.0 if 150 <= board.now * network.dt_ms < 275 else 0.0
    board.set_input([pressed])
    board.step()
print("answer:", board.answer, " output:", board.outputs, " spikes:", board.spike_hash)
assert board.answer == 1 and network.self_test()
print("next:  rate2spike deploy from_weights.snn --board rp2040")

"""Rates, spikes and fixed point against plain NumPy."""

import threading

import numpy as np
import pytest

import rate2spike


def reference(model, u, scaling_factor, v0):
    """The published simulation without noise: steps of 0.05 ms, spikes as (step, unit)."""
    dt, tau_m, t_ref, tau_r = 0.05e-3, 10e-3, 2e-3, 2e-3
    w = model.weights / scaling_factor
    w_in = np.asarray(model.w_in, float)
    tau_d = model.decay_ms / 1000
    n, steps = model.units, (u.shape[1] - 1) * 100
    v = v0.copy()
    s, h, r, hr, last = (np.zeros(n) for _ in range(5))
    spikes, rates, currents = [], np.zeros((n, steps)), np.zeros((n, steps))
    for i in range(1, steps + 1):
        drive = s - 40 + w_in @ u[:, int(np.floor(i / 100 + 0.5))]
        v = v + dt * (dt * i > last + t_ref) * (drive - v) / tau_m
        fired = v >= -40
        jump = w[:, fired].sum(axis=1)
        s = s * np.exp(-dt / tau_d) + h * dt
        h = h * np.exp(-dt / tau_r) + jump / (tau_r * tau_d)
        r = r * np.exp(-dt / tau_d) + hr * dt
        hr = hr * np.exp(-dt / tau_r) + fired / (tau_r * tau_d)
        last[fired] += dt * i - last[fired]  # rounded as published
        v[fired] = -65
        rates[:, i - 1], currents[:, i - 1] = r, s
        spikes += [(i - 1, unit) for unit in np.flatnonzero(fired)]
    return np.array(spikes), rates, currents


@pytest.mark.parametrize("first", [0, 1])
def test_a_spiking_trial_is_that_of_plain_numpy(model, first):
    trials = rate2spike.trials("go-nogo", 1, first=first)
    u = np.hstack([trials.inputs[0], trials.inputs[0, :, -1:]]).astype(float)
    v0 = np.random.default_rng(first).uniform(-65, 30, model.units)
    spikes = model.simulate(
        u, scaling_factor=50, v0=v0, noise=0, record_every=1, progress=False
    )
    wanted, rates, currents = reference(model, u, 50, v0)
    assert len(wanted) > 50
    assert np.array_equal(np.column_stack([spikes.step, spikes.unit]), wanted)
    assert np.abs(spikes.rates[0] - rates).max() < 1e-9 * rates.max()
    assert np.abs(spikes.currents[0] - currents).max() < 1e-9 * np.abs(currents).max()
    out = np.asarray(model.w_out, float) / 50 @ rates
    assert np.abs(spikes.output[0] - out).max() < 1e-9
    assert np.array_equal(spikes.counts()[0], np.bincount(wanted[:, 1], minlength=model.units))


def test_the_rates_are_those_of_plain_numpy(published):
    model = rate2spike.load(published)
    u = rate2spike.trials("go-nogo", 3).inputs
    run = model.rates(u)
    w, w_in = model.weights, np.asarray(model.w_in, float)
    tau = (model.decay_ms / 5)[:, None]
    x = np.zeros((model.units, 3))
    for t in range(u.shape[2]):
        if t > 0:
            # The current of a step is that of the input before it.
            x = x + (w @ (1 / (1 + np.exp(-x))) + w_in @ u[:, :, t - 1].T - x) / tau
        assert np.abs(run.x[:, :, t].T - x).max() < 1e-4, t
        if t > 0:
            out = np.asarray(model.w_out, float) @ run.r[:, :, t].T + model.b_out.item()
            assert np.abs(run.output[:, 0, t - 1] - out).max() < 1e-4, t


def test_inputs_of_ones_own_are_shown_one_a_trial(model, network):
    trials = rate2spike.trials("go-nogo", 4, seed=2)
    both = model.simulate(trials.inputs, seed=2, progress=False)
    assert both.output.shape == (4, 1, 199 * 100) and both.correct is None
    one = model.simulate(trials.inputs[0], seed=2, progress=False)
    assert np.array_equal(one.output[0], both.output[0])
    # In fixed point a trial lasts as long as its samples: the trials of the task.
    given = network.run(trials.inputs, seed=2, progress=False)
    task = network.run(trials=4, seed=2, progress=False)
    assert given.spike_hash == task.spike_hash
    assert np.array_equal(given.output, task.output)
    assert np.array_equal(given.answers, task.answers) and given.labels is None
    assert np.array_equal(task.labels, trials.labels)


def test_a_board_gives_the_spikes_of_a_run_step_by_step(network):
    trials = rate2spike.trials("go-nogo", 3, seed=7)
    run = network.run(trials=3, seed=7, progress=False)
    for trial in range(3):
        board = network.start(seed=7, trial=trial)
        found = []
        while board.now < network.steps:
            board.set_input(trials.inputs[trial, :, min(board.sample, 199)])
            found += [(board.now - 1, unit) for unit in board.step()]
            assert board.outputs[0] == run.output[trial, 0, board.now - 1]
        of_trial = run.trial == trial
        assert found == list(zip(run.step[of_trial], run.unit[of_trial]))
        assert board.answer == run.answers[trial]
        assert board.output_bits[0] == board.outputs[0] * 2**26
        assert len(board.spike_hash) == 16


def test_a_silenced_unit_is_silent_in_floating_and_in_fixed_point(model, network):
    unit = int(model.simulate(trials=2, progress=False).counts().sum(axis=0).argmax())
    for run in [model.simulate, network.run]:
        whole, lesioned = run(trials=2, progress=False), run(trials=2, silence=[unit], progress=False)
        assert whole.counts()[:, unit].min() > 0 and lesioned.counts()[:, unit].max() == 0
        assert whole.spike_hash != lesioned.spike_hash


def test_the_published_function_returns_what_the_published_one_does(published):
    model = rate2spike.load(published)
    u = np.zeros((1, 201))
    u[0, 30:50] = 1
    stims = {"mode": "none"}
    W, REC, spk, rs, all_fr, out, params = rate2spike.LIF_network_fnc(
        published, 50.0, u, stims, 1, False
    )
    n, nt = 200, 20000
    assert W.shape == (n, n) and np.allclose(W, model.weights / 50)
    assert REC.shape == spk.shape == rs.shape == params["IPSCs"].shape == (n, nt)
    assert out.shape == (1, nt) and all_fr.shape == (n, 1)
    assert params["dt"] == 0.05e-3 and params["T"] == 1.0 and params["nt"] == nt
    assert params["td"].shape == params["td0"].shape == (n, 1)
    assert set(np.unique(spk)) == {0.0, 1.0} and np.all(REC[spk == 1] == 30)
    assert np.array_equal(all_fr, spk[:, 9:].sum(axis=1, keepdims=True))
    assert np.allclose(out, params["w_out"] / 50 @ rs, atol=1e-6)
    # A current reaches the membrane one step after the spike that causes it.
    first = int(np.argmax(spk.any(axis=0)))
    assert np.all(params["IPSCs"][:, : first + 2] == 0) and np.any(params["IPSCs"][:, first + 2])

    stims = {"mode": "exc", "dur": [2000, 6000], "units": [1, 2, 3]}
    spikes = rate2spike.LIF_network_fnc(published, 50.0, u, stims, 2, True)[2]
    same = model.simulate(
        u,
        scaling_factor=50.0,
        downsample=2,
        initial_weights=True,
        stimulate=rate2spike.Stimulation("exc", 199.9, 599.9, [0, 1, 2]),
        progress=False,
    )
    assert spikes.shape == (n, nt // 2)
    assert np.array_equal(np.argwhere(spikes.T), np.column_stack([same.step, same.unit]))


def test_a_board_takes_the_integers_of_a_sensor(waves):
    recordings = np.round(1000 * waves[0]).astype(np.int32)
    split = np.array(["train"] * 100 + ["test"] * 20)
    task = rate2spike.data(recordings, waves[1], split=split, sample_ms=10)
    model = rate2spike.train(task, act="lif", N=20, n_trials=5, progress=False)
    network = model.quantize(0.5, progress=False)
    assert (network.sensors, network.channels) == (2, 2)
    inputs = rate2spike.trials(task, 1, part="test").inputs[0]
    integers, values = network.start(), network.start()
    for sample, recorded in enumerate(recordings[100].T):
        integers.set_sample(recorded)
        values.set_input(inputs[:, sample])
        for board in (integers, values):
            board.step(network.steps_per_sample)
    assert integers.spike_hash == values.spike_hash != network.start().spike_hash
    for wrong, word in (([1], "shape"), ([0.5, 1], "0.5"), ([2.0**40, 0], "32 bits")):
        with pytest.raises(rate2spike.InvalidValue, match=word):
            integers.set_sample(wrong)


def test_a_board_steps_in_another_thread(network):
    board = network.start()
    thread = threading.Thread(target=board.step, args=(20,))
    thread.start()
    thread.join()
    assert board.now == 20

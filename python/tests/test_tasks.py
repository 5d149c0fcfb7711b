"""Tasks, arrays, the classifier, and networks from elsewhere."""

import importlib
import os

import numpy as np
import pytest

import rate2spike


def needed(package):
    """The package; without it the test is skipped, or fails where none may be skipped."""
    try:
        return importlib.import_module(package)
    except ImportError:
        if os.environ.get("RATE2SPIKE_REQUIRE_ALL"):
            raise
        return pytest.skip(f"{package} is not installed")


def test_trials_have_the_shapes_and_answers_of_their_task():
    task = rate2spike.task("mante")
    assert (task.channels, task.outputs, task.sample_ms) == (4, 1, 5.0)
    trials = rate2spike.trials(task, 6, seed=3)
    assert trials.inputs.shape == (6, 4, task.samples)
    assert trials.targets.shape == (6, 1, task.samples) and trials.masks is None
    assert set(trials.labels) <= set(task.answers) and len(trials) == 6
    later = rate2spike.trials("mante", 2, seed=3, first=4)
    assert np.array_equal(later.inputs, trials.inputs[4:])


def test_a_classifier_learns_to_tell_waves_apart(waves):
    inputs, labels = waves
    names = np.array(["slow", "middle", "fast"])[labels]
    classifier = rate2spike.Classifier(N=40, seed=1, options={"n_trials": 300})
    assert classifier.fit(inputs[:90], names[:90]) is classifier
    assert list(classifier.classes_) == ["fast", "middle", "slow"]
    predicted = classifier.predict(inputs[90:])
    assert classifier.score(inputs[90:], names[90:]) == np.mean(predicted == names[90:]) >= 0.6
    scores = classifier.decision_function(inputs[90:])
    assert scores.shape == (30, 3)
    assert np.mean(classifier.classes_[scores.argmax(axis=1)] == predicted) > 0.9
    assert classifier.network_.class_names == ["fast", "middle", "slow"]
    again = rate2spike.Classifier(**classifier.get_params()).set_params(N=41)
    assert again.N == 41


def test_a_task_with_targets_is_trained_to_follow_them():
    phase = np.random.default_rng(2).uniform(0, 2 * np.pi, (60, 1, 1))
    angle = 2 * np.pi * np.arange(25) / 25 + phase
    inputs, targets = np.sin(angle), 0.5 * np.sin(angle - 0.75)
    masks = np.ones((60, 25))
    task = rate2spike.data(inputs, targets=targets, masks=masks, sample_ms=10, scaling="none")
    trials = rate2spike.trials(task, task.parts["train"], part="train")
    assert trials.masks is not None and task.outputs == 1 and task.sample_ms == 10
    before = rate2spike.train(task, act="lif", N=30, n_trials=1, progress=False)
    after = rate2spike.train(task, act="lif", N=30, n_trials=200, progress=False)
    assert after.eval_loss_mean.item() < 0.7 * before.eval_loss_mean.item()


def test_a_task_of_neurogym_becomes_a_network():
    neurogym = needed("neurogym")
    env = neurogym.make("PerceptualDecisionMaking-v0", dt=20).unwrapped
    env.reset(seed=1)
    trials = []
    for _ in range(60):
        env.new_trial()
        trials.append((env.ob.copy(), env.gt.copy()))
    lengths = [len(ob) for ob, _ in trials]
    inputs = np.zeros((60, trials[0][0].shape[1], max(lengths)), np.float32)
    labels = np.full((60, max(lengths)), -1)
    for k, (ob, gt) in enumerate(trials):
        inputs[k, :, : len(ob)], labels[k, : len(gt)] = ob.T, gt
    task = rate2spike.data(inputs, labels, lengths=lengths, sample_ms=20, name="decision")
    assert task.outputs == 3
    model = rate2spike.train(task, act="lif", N=20, n_trials=20, progress=False)
    network = model.quantize(0.5, progress=False)
    assert network.outputs == 3 and network.self_test()
    spikes = network.run(progress=False)
    assert len(spikes.answers) == task.parts["test"] and len(spikes) > 0


def test_weights_from_elsewhere_are_the_network_that_the_docstring_says():
    random = np.random.default_rng(4)
    n = 20
    w, w_in = random.normal(size=(n, n)) / 4, random.normal(size=(n, 1))
    w_out, b_out = random.normal(size=(1, n)), np.array([0.25])
    model = rate2spike.model_from_weights("go-nogo", w, w_in, w_out, b_out, decay_ms=40)
    u = rate2spike.trials("go-nogo", 1).inputs
    run = model.rates(u)
    x, tau = np.zeros(n), 40 / 5
    for t in range(1, 200):
        x = x + (-x + w @ (1 / (1 + np.exp(-x))) + w_in @ u[0, :, t - 1]) / tau
        out = w_out @ (1 / (1 + np.exp(-x))) + b_out
        assert np.abs(run.x[0, :, t] - x).max() < 1e-4
        assert abs(run.output[0, 0, t - 1] - out.item()) < 1e-4
    assert np.allclose(model.weights, w)
    inhibitory = np.arange(n) >= 15
    signed = np.abs(w) * np.where(inhibitory, -1, 1)
    dale = rate2spike.model_from_weights("go-nogo", signed, w_in, w_out, inhibitory=inhibitory)
    assert np.allclose(dale.weights, signed) and np.array_equal(dale.inhibitory, inhibitory)
    assert dale.quantize(0.5, scaling_factor=30, progress=False).self_test()

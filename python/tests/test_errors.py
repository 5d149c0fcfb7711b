"""Wrong input is answered by an exception with a sentence, and Ctrl-C by a check point."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import rate2spike
from rate2spike import Error, FileError, InvalidValue, MissingFile


def refused(kind, words, call):
    """The call raises this exception, whose sentence has these words and names no flag."""
    with pytest.raises(kind) as raised:
        call()
    sentence = str(raised.value)
    assert len(sentence.split()) >= 4, sentence
    for word in words.split():
        assert word in sentence, sentence
    assert " --" not in sentence, sentence


def test_the_exceptions_are_those_that_python_users_expect(tmp_path):
    refused(FileNotFoundError, "missing.mat", lambda: rate2spike.load("missing.mat"))
    refused(MissingFile, "missing.snn", lambda: rate2spike.load_network("missing.snn"))
    refused(MissingFile, "missing.toml", lambda: rate2spike.task("missing.toml"))
    refused(OSError, "x", lambda: rate2spike.load(tmp_path))
    refused(ValueError, "no-task xor", lambda: rate2spike.task("no-task"))
    assert issubclass(InvalidValue, Error) and issubclass(FileError, Error)


def test_a_file_of_another_kind_is_refused(tmp_path, network):
    path = tmp_path / "a.mat"
    path.write_bytes(b"nonsense" * 50)
    refused(InvalidValue, "a.mat", lambda: rate2spike.load(path))
    refused(InvalidValue, "a.mat deployed", lambda: rate2spike.load_network(path))
    cut = tmp_path / "cut.snn"
    cut.write_bytes(network.bytes[:-9])
    refused(InvalidValue, "cut.snn", lambda: rate2spike.load_network(cut))
    toml = tmp_path / "own.toml"
    toml.write_text("name = 3")
    refused(InvalidValue, "own.toml", lambda: rate2spike.task(toml))


def test_train_refuses_what_it_cannot_train(tmp_path, model):
    def train(**options):
        return lambda: rate2spike.train("xor", progress=False, output_dir=tmp_path, **options)

    refused(TypeError, "gian gain", train(gian=1.5))
    refused(InvalidValue, "gain -1", train(gain=-1))
    refused(InvalidValue, "gain", train(gain="much"))
    refused(InvalidValue, "N 0", train(N=0))
    refused(InvalidValue, "N whole", train(N=-3))
    refused(InvalidValue, "seed whole", train(seed=1.5))
    refused(InvalidValue, "P_rec probability", train(P_rec=2))
    refused(InvalidValue, "act sigmoid", train(act="tanh"))
    refused(InvalidValue, "decay_taus", train(decay_taus=(1, 2, 3)))
    refused(InvalidValue, "loss_fn", train(loss_fn="cross_entropy"))
    refused(InvalidValue, "units 50", train(N=40, act="lif", start=model))
    refused(InvalidValue, "progress", lambda: rate2spike.train("xor", progress=3))
    refused(InvalidValue, "task", lambda: rate2spike.train(3, progress=False))
    blocked = tmp_path / "file"
    blocked.write_text("")
    refused(FileError, "file", lambda: rate2spike.train("xor", output_dir=blocked, progress=False))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_training_that_diverges_is_an_error():
    options = dict(N=10, n_trials=200, learning_rate=1e30, progress=False)
    refused(Error, "diverged learning_rate", lambda: rate2spike.train("xor", **options))


def test_what_a_callback_raises_ends_the_work(model, tmp_path):
    def callback(done, loss, accuracy):
        raise RuntimeError("enough of it now, please")

    for call in [
        lambda: rate2spike.train("xor", N=10, progress=callback, output_dir=tmp_path),
        lambda: model.simulate(trials=2000, progress=callback),
        lambda: model.convert(trials=2000, progress=callback),
        lambda: model.quantize("auto", progress=callback),
    ]:
        refused(RuntimeError, "enough", call)


def test_the_callback_of_a_training_sees_updates_losses_and_accuracies(tmp_path):
    seen = []
    with pytest.warns(UserWarning):
        rate2spike.train("xor", N=10, n_trials=201, progress=lambda *all: seen.append(all))
    updates, losses, accuracies = zip(*seen)
    assert list(updates) == sorted(updates) and updates[-1] == 201
    assert all(np.isfinite(loss) for loss in losses)
    assert any(accuracy is not None and 0 <= accuracy <= 1 for accuracy in accuracies)


def test_a_model_refuses_inputs_and_options_that_do_not_fit(model, tmp_path):
    def simulate(*inputs, **options):
        return lambda: model.simulate(*inputs, progress=False, **options)

    refused(InvalidValue, "inputs shape channels", simulate(np.zeros((2, 50))))
    refused(InvalidValue, "inputs shape", simulate(np.zeros((1, 1))))
    refused(InvalidValue, "inputs NaN finite", simulate([0.0, np.nan, 0.0]))
    refused(InvalidValue, "inputs numbers", simulate("abc"))
    refused(InvalidValue, "step 0.3", simulate(dt=0.3))
    refused(InvalidValue, "dt -1", simulate(dt=-1))
    refused(InvalidValue, "dt downsample", simulate(dt=0.1, downsample=2))
    refused(InvalidValue, "dt", simulate(dt="long"))
    refused(InvalidValue, "downsample 79", simulate(downsample=500))
    refused(InvalidValue, "scheme exact", simulate(dt=0.5, scheme="euler"))
    refused(InvalidValue, "scheme euler", simulate(scheme="fast"))
    refused(InvalidValue, "neuron lif", simulate(neuron="hh"))
    refused(InvalidValue, "noise 1000", simulate(noise=-1))
    refused(InvalidValue, "scaling_factor", simulate(scaling_factor=0))
    refused(InvalidValue, "precision f32", simulate(precision="f16"))
    refused(InvalidValue, "v0 shape", simulate(v0=[1.0]))
    refused(InvalidValue, "trials 0", simulate(trials=0))
    refused(InvalidValue, "silence 50 counted", simulate(silence=[50]))
    refused(InvalidValue, "scale", simulate(scale={"ex": 1}))
    refused(InvalidValue, "stimulate", simulate(stimulate=("up", 0, 10, [0])))
    refused(InvalidValue, "stimulate", simulate(stimulate=("exc", 0, 1e6, [0])))
    refused(InvalidValue, "record_every", simulate(record_every=10**6))
    refused(InvalidValue, "mante go-nogo", simulate(task="mante"))
    refused(TypeError, "speed", simulate(speed=3))
    refused(InvalidValue, "lambdas", lambda: model.convert([], progress=False))
    refused(InvalidValue, "lambda", lambda: model.convert([-5], progress=False))
    refused(
        InvalidValue,
        "lambdas calibrate",
        lambda: model.convert([30], calibrate=True, progress=False),
    )
    refused(InvalidValue, "dt", lambda: model.quantize("never", progress=False))
    refused(InvalidValue, "step 0.3", lambda: model.quantize(0.3, progress=False))
    refused(InvalidValue, "quadratic", lambda: model.quantize(neuron="qif", progress=False))
    refused(InvalidValue, "inputs", lambda: model.rates(np.zeros((3, 50))))
    refused(InvalidValue, "trials", lambda: model.report(trials=0))
    refused(InvalidValue, "model.txt .mat", lambda: model.save(tmp_path / "model.txt"))
    refused(FileError, "x.mat", lambda: model.save("/proc/x.mat"))
    refused(KeyError, "w_nothing", lambda: model["w_nothing"])
    refused(AttributeError, "w_nothing", lambda: model.w_nothing)
    spikes = model.simulate(np.zeros((1, 50)), progress=False)
    refused(InvalidValue, "right answers", lambda: spikes.accuracy)
    refused(InvalidValue, "figures", lambda: spikes.raster())
    figure = model.simulate(trials=2, progress=False).raster()
    refused(InvalidValue, "a.jpg", lambda: figure.save(tmp_path / "a.jpg"))


def test_a_sigmoid_model_without_a_search_says_what_to_do(published):
    model = rate2spike.load(published)
    if "opt_scaling_factor" not in model:
        refused(InvalidValue, "scaling", lambda: model.simulate(progress=False))


def test_a_network_refuses_inputs_and_options_that_do_not_fit(network, tmp_path):
    refused(InvalidValue, "inputs", lambda: network.run(np.zeros((2, 9)), progress=False))
    refused(InvalidValue, "silence", lambda: network.run(silence=[99], progress=False))
    refused(InvalidValue, "scale", lambda: network.run(scale={"ee": 2}, progress=False))
    refused(InvalidValue, "trials", lambda: network.run(trials=0, progress=False))
    refused(InvalidValue, "net.bin .snn", lambda: network.save(tmp_path / "net.bin"))
    board = network.start()
    refused(InvalidValue, "values shape", lambda: board.set_input([0.0, 1.0]))
    refused(InvalidValue, "values finite", lambda: board.set_input([np.inf]))
    refused(InvalidValue, "set_input", lambda: board.set_sample([1]))
    refused(InvalidValue, "steps -1", lambda: board.step(-1))


def test_arrays_that_make_no_data_set_are_refused():
    inputs, labels = np.arange(400.0).reshape(20, 2, 10), np.arange(20) % 2
    data = rate2spike.data
    refused(InvalidValue, "labels targets", lambda: data(inputs))
    refused(InvalidValue, "inputs shape", lambda: data(np.zeros(5), labels))
    refused(InvalidValue, "labels shape", lambda: data(inputs, labels[:5]))
    refused(InvalidValue, "labels 0.5", lambda: data(inputs, labels + 0.5))
    refused(InvalidValue, "sample_ms", lambda: data(inputs, labels, sample_ms=0.3))
    refused(InvalidValue, "scaling standard none", lambda: data(inputs, labels, scaling="huge"))
    refused(InvalidValue, "objects", lambda: data(inputs, np.array([None] * 20)))
    broken = inputs.copy()
    broken[3, 1, 4] = np.nan
    refused(InvalidValue, "trial 3 sample 4 channel", lambda: data(broken, labels))
    refused(InvalidValue, "part", lambda: rate2spike.trials("xor", 2, part="test"))
    refused(InvalidValue, "part", lambda: rate2spike.trials(data(inputs, labels), 2, part="best"))
    refused(InvalidValue, "trials", lambda: rate2spike.trials("xor", 0))
    weights = (np.zeros((3, 3)), np.zeros((3, 1)), np.zeros((1, 3)))
    make = rate2spike.model_from_weights
    refused(InvalidValue, "w_in shape", lambda: make("xor", *weights))
    refused(InvalidValue, "act", lambda: make("go-nogo", *weights, act="tanh"))
    refused(InvalidValue, "decay_taus", lambda: make("go-nogo", *weights, decay_ms=1))
    signs = [True, False, False]
    refused(InvalidValue, "inhibitory", lambda: make("go-nogo", np.ones((3, 3)), *weights[1:], inhibitory=signs))


def test_the_classifier_refuses_what_it_cannot_learn(waves):
    inputs, labels = waves
    classifier = rate2spike.Classifier()
    refused(Error, "fit", lambda: classifier.predict(inputs))
    refused(InvalidValue, "X shape", lambda: classifier.fit(np.zeros(3), labels))
    refused(InvalidValue, "y shape", lambda: classifier.fit(inputs, labels[:3]))
    refused(InvalidValue, "single class", lambda: classifier.fit(inputs, np.zeros(120)))
    refused(InvalidValue, "too few", lambda: classifier.fit(inputs[:3], labels[:3]))
    refused(InvalidValue, "parameter", lambda: classifier.set_params(M=3))


def test_the_published_function_refuses_what_the_model_does_not_have(published, tmp_path):
    call = rate2spike.LIF_network_fnc
    u, none = np.zeros((1, 201)), {"mode": "none"}
    refused(MissingFile, "none.mat", lambda: call(tmp_path / "none.mat", 50, u, none))
    refused(InvalidValue, "inputs", lambda: call(published, 50, np.zeros((3, 201)), none))
    refused(InvalidValue, "stims dur", lambda: call(published, 50, u, {"mode": "exc"}))
    refused(InvalidValue, "scaling_factor", lambda: call(published, 0, u, none))


#: A training that would take an hour, and then prints what ended it.
ENDLESS = """
import rate2spike
options = dict(N=60, n_trials=10**6, gain=0.1, seed=3, progress=False)
try:
    rate2spike.train("mante", {resume} **options)
except KeyboardInterrupt as interrupt:
    print(type(interrupt).__name__, interrupt, flush=True)
"""


def interrupted(folder, resume=""):
    child = subprocess.Popen(
        [sys.executable, "-c", ENDLESS.format(resume=resume)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts a job in the background with Ctrl-C ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    time.sleep(5)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 0, err
    return out


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_in_a_training_leaves_a_check_point_from_which_it_goes_on(tmp_path):
    out = interrupted(tmp_path)
    assert out.startswith("KeyboardInterrupt interrupted after ")
    assert "resume=True goes on from " in out
    (found,) = tmp_path.rglob("*.checkpoint")
    assert found.name in out
    updates = int(out.split(" updates")[0].split()[-1])
    again = interrupted(tmp_path, resume="resume=True,")
    assert int(again.split(" updates")[0].split()[-1]) > updates
    assert [path for path in tmp_path.rglob("*.mat")] == []


def test_ctrl_c_ends_a_simulation(model):
    # A shell starts a job in the background with Ctrl-C ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        model.simulate(trials=100_000, progress=False)
    signal.signal(signal.SIGINT, before)
    assert time.monotonic() - started < 10


def test_other_threads_run_while_the_network_does(model):
    counted = []
    done = threading.Event()

    def count():
        while not done.is_set():
            counted.append(time.monotonic())
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    started = time.monotonic()
    model.simulate(trials=60, progress=False)
    ended = time.monotonic()
    done.set()
    thread.join()
    meanwhile = [moment for moment in counted if started < moment < ended]
    assert len(meanwhile) > 5


def test_a_task_that_a_model_names_is_opened_where_it_is_now(tmp_path, waves):
    inputs, labels = waves
    task = rate2spike.data(inputs, labels, name="gone")
    model = rate2spike.train(task, act="lif", N=10, n_trials=2, progress=False)
    path = model.save(tmp_path / "model.mat")
    refused(Error, "gone", lambda: rate2spike.load(path).simulate(progress=False))
    again = rate2spike.load(path, task=task)
    assert len(again.simulate(trials=1, progress=False).answers) == 1
    other = rate2spike.data(inputs[:60], labels[:60], name="gone")
    refused(InvalidValue, "changed", lambda: rate2spike.load(path, task=other))
    assert Path(path).is_file()

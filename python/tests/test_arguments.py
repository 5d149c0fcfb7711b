"""Each argument of each function is given values of a wrong kind: the answer is an exception
with a sentence, or a result, and never an abort.

A function that is new fails the first test until `calls` has a call of it.
"""

import inspect
import itertools

import numpy as np
import pytest

import rate2spike

#: Values of a wrong kind, of a wrong size, or out of range.
ODD = [
    None,
    -1,
    0,
    10**30,
    -1.5,
    float("nan"),
    float("inf"),
    "",
    "no\0such",
    "no such thing",
    b"bytes",
    [],
    [-1],
    {},
    {"x": 1},
    [[1, 2], [3]],
    object(),
    print,
    1j,
    np.zeros(0),
    np.zeros((0, 2, 3)),
    np.zeros((1, 1, 1, 1)),
    np.full((2, 3), np.nan),
    np.array(["a", "b"]),
]


def arguments(function):
    """The names of the arguments, those of `**options` excluded."""
    parameters = inspect.signature(function).parameters.values()
    named = [it.name for it in parameters if it.kind is not it.VAR_KEYWORD]
    return [name for name in named if name != "self"]


def functions():
    """Names of all public functions and methods with an argument; a class with `fit` is one
    too, since it keeps its arguments until then."""
    found = []
    for name in rate2spike.__all__:
        value = getattr(rate2spike, name)
        if not inspect.isclass(value):
            found.append(name)
        elif not issubclass(value, (Exception, tuple)):
            methods = {part: getattr(value, part) for part in dir(value)}
            public = [part for part in methods if part in ("__getitem__",) or part[0] != "_"]
            found += [
                f"{name}.{part}"
                for part in public
                if callable(methods[part]) and len(arguments(methods[part])) > 0
            ]
            if hasattr(value, "fit"):
                found.append(name)
    return found


@pytest.fixture(scope="module")
def calls(model, network, saved, waves, tmp_path_factory):
    """For each function a call that succeeds, as a function and its arguments."""
    folder = tmp_path_factory.mktemp("written")
    snn = network.save(folder / "a.snn")
    inputs, labels = waves
    few = dict(inputs=inputs[:12], labels=labels[:12])
    zeros = np.zeros((1, 1, 50))
    quiet = {"progress": False}
    of_waves = rate2spike.data(*waves)
    small = rate2spike.train(of_waves, act="lif", N=10, n_trials=2, **quiet)
    sensing = small.quantize(0.5, **quiet)
    options = {"n_trials": 2, "batch": 2}
    classifier = rate2spike.Classifier(N=10, options=options).fit(*waves)
    weights = dict(
        w=np.zeros((3, 3)), w_in=np.zeros((3, 1)), w_out=np.zeros((1, 3)), b_out=np.zeros(1)
    )

    def fit(**parameters):
        return rate2spike.Classifier(**{"N": 10, **parameters}).fit(*waves)

    def board(method):
        """A method of a board that has just been started."""
        return lambda **given: getattr(sensing.start(), method)(**given)

    training = dict(
        output_dir=folder / "models", checkpoint_every=0, resume=False, start=None, **quiet
    )

    def train(**given):
        return rate2spike.train(N=10, n_trials=2, **given)

    def start(**given):
        return network.start(**given)

    return {
        "Board.set_input": (board("set_input"), {"values": [0.0] * sensing.channels}),
        "Board.set_sample": (board("set_sample"), {"integers": [0] * sensing.sensors}),
        "Board.step": (board("step"), {"steps": 2}),
        "Classifier": (fit, dict(N=10, dt=0.5, sample_ms=5, seed=1, options=options, **quiet)),
        "Classifier.decision_function": (classifier.decision_function, {"X": inputs[:2]}),
        "Classifier.fit": (classifier.fit, {"X": inputs, "y": labels}),
        "Classifier.get_params": (classifier.get_params, {"deep": True}),
        "Classifier.predict": (classifier.predict, {"X": inputs[:2]}),
        "Classifier.score": (classifier.score, {"X": inputs[:2], "y": labels[:2]}),
        "Figure.save": (
            model.simulate(trials=1, **quiet).raster().save,
            {"path": folder / "a.svg"},
        ),
        "LIF_network_fnc": (
            rate2spike.LIF_network_fnc,
            dict(
                model_path=saved,
                scaling_factor=50,
                u=np.zeros((1, 20)),
                stims={"mode": "none"},
                downsample=1,
                use_initial_weights=False,
                seed=1,
            ),
        ),
        "Model.__getitem__": (lambda name: model[name], {"name": "w"}),
        "Model.convert": (
            rate2spike.load(saved).convert,
            dict(
                lambdas=[50],
                trials=1,
                seed=1,
                race=False,
                refit_readout=None,
                calibrate=False,
                initial_weights=False,
                task=None,
                **quiet,
            ),
        ),
        "Model.quantize": (
            model.quantize,
            dict(dt=0.5, scaling_factor=None, task=None, seed=1, **quiet),
        ),
        "Model.rates": (model.rates, {"inputs": zeros}),
        "Model.report": (
            small.report,
            dict(trials=1, seed=1, scaling_factor=None, network=None, task=None),
        ),
        "Model.save": (rate2spike.load(saved).save, {"path": folder / "a.mat"}),
        "Model.simulate": (
            model.simulate,
            dict(
                inputs=zeros,
                task=None,
                trials=1,
                scaling_factor=50,
                seed=1,
                precision="f64",
                v0=None,
                stimulate=None,
                initial_weights=False,
                scale=None,
                no_autapses=False,
                shuffle=False,
                silence=(),
                record_every=None,
                **quiet,
            ),
        ),
        "Network.run": (
            network.run,
            dict(
                inputs=zeros,
                trials=1,
                seed=1,
                scale=None,
                no_autapses=False,
                silence=(),
                **quiet,
            ),
        ),
        "Network.save": (network.save, {"path": folder / "b.snn"}),
        "Network.start": (start, dict(seed=1, trial=0)),
        "Report.save": (small.report(trials=1).save, {"path": folder / "a.html"}),
        "data": (
            rate2spike.data,
            dict(
                **few,
                targets=None,
                masks=None,
                lengths=None,
                split=None,
                classes=None,
                channels=None,
                sample_ms=5,
                scaling=None,
                tail_ms=None,
                window_ms=None,
                name="arrays",
                seed=1,
            ),
        ),
        "load": (rate2spike.load, dict(path=saved, task=None)),
        "load_network": (rate2spike.load_network, dict(path=snn, task=None)),
        "model_from_weights": (
            rate2spike.model_from_weights,
            dict(task="go-nogo", **weights, act="lif", decay_ms=50.0, inhibitory=None),
        ),
        "task": (rate2spike.task, {"name": "xor"}),
        "train": (train, dict(task="xor", **training)),
        "trials": (rate2spike.trials, dict(task="xor", n=1, seed=1, first=0, part=None)),
    }


def test_there_is_a_call_of_each_function_with_all_its_arguments(calls):
    assert sorted(calls) == sorted(functions())
    for name, (_, given) in calls.items():
        of_class, _, part = name.partition(".")
        value = getattr(rate2spike, of_class)
        function = getattr(value, part) if part else value
        assert sorted(given) == sorted(arguments(function)), name


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", functions())
def test_a_value_of_a_wrong_kind_is_answered_by_a_sentence(name, calls, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    function, given = calls[name]
    function(**given)
    refused = 0
    for argument, odd in itertools.product(given, ODD):
        try:
            function(**{**given, argument: odd})
        # An abort ends the tests, and a panic is no Exception.
        except Exception as error:
            refused += 1
            sentence = str(error)
            said = f"{argument} = {odd!r}: {type(error).__name__}: {sentence}"
            # A path and the name of an option have the exceptions of Python.
            assert isinstance(error, (rate2spike.Error, KeyError, TypeError)), said
            assert len(sentence.split()) >= 4, said
            assert " --" not in sentence, said
    assert refused > 0 or name == "Classifier.get_params"

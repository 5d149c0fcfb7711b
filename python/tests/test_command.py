"""The package has the bits of the command, which the same wheel carries."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import rate2spike
from conftest import SMALL

COMMAND = Path(sys.executable).parent / "rate2spike"


def command(*words, cwd=None):
    """Runs the command with --json; returns its object."""
    words = [str(word) for word in words]
    done = subprocess.run(
        [COMMAND, *words, "--json", "--quiet"], cwd=cwd, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_wheel_carries_the_command_with_its_exit_statuses():
    def run(*words):
        return subprocess.run([COMMAND, *words], capture_output=True, text=True)

    assert run("--version").stdout.startswith("rate2spike ")
    assert run("train", "--N", "x").returncode == 2
    failed = run("inspect", "missing.mat")
    assert failed.returncode == 1 and "missing.mat" in failed.stderr
    as_module = [sys.executable, "-m", "rate2spike", "--version"]
    assert subprocess.run(as_module, capture_output=True, text=True).stdout.startswith("rate2spike ")


def test_a_training_has_the_bits_of_the_command(model, tmp_path):
    flags = [word for name, value in SMALL.items() for word in (f"--{name}", value)]
    report = command("train", "--task", "go-nogo", "-o", tmp_path, *flags)
    theirs = rate2spike.load(report["model"])
    assert report["success"] and model.success
    assert list(model) == list(theirs)
    for name in model:
        assert np.array_equal(model[name], theirs[name]), name


def test_a_training_with_an_output_folder_saves_under_the_published_name(tmp_path):
    options = dict(SMALL, n_trials=2, N=10, decay_taus=(4, 10))
    with pytest.warns(UserWarning, match="criterion"):
        model = rate2spike.train("xor", output_dir=tmp_path, progress=False, **options)
    assert Path(model.path).is_file()
    assert "models/xor/P_rec_1.0_Taus_4.0_10.0/Task_xor_N_10" in os.fspath(model.path)
    assert Path(model.path).with_suffix(".json").is_file()


def test_a_search_a_simulation_and_a_fixed_point_run_have_the_bits_of_the_command(saved, tmp_path):
    ours = rate2spike.load(saved)
    lambdas, accuracies = ours.convert([30, 50, 70], trials=12, seed=3, progress=False)
    copied = tmp_path / "model.mat"
    copied.write_bytes(Path(saved).read_bytes())
    theirs = command("convert", copied, "--lambdas", "30,50,70", "--trials", 12, "--seed", 3)
    assert theirs["lambdas"] == lambdas.tolist()
    assert theirs["accuracy"] == accuracies.tolist()
    ours.save(tmp_path / "ours.mat")
    written = rate2spike.load(copied)
    for name in written:
        assert np.array_equal(ours[name], written[name]), name

    spikes = ours.simulate(trials=5, seed=9, dt=0.1, progress=False)
    theirs = command("simulate", copied, "--trials", 5, "--seed", 9, "--dt", 0.1)
    assert theirs["spike_hash"] == spikes.spike_hash
    assert theirs["accuracy"] == spikes.accuracy and theirs["strict"] == spikes.strict_accuracy
    assert theirs["spikes"] == len(spikes) > 1000

    network = ours.quantize(0.5, progress=False)
    file = tmp_path / "net.snn"
    command("quantize", copied, "-o", file, "--dt", 0.5, "--trials", 2)
    assert file.read_bytes() == network.bytes
    theirs = command("run", file, "--trials", 20, "--seed", 4)
    run = network.run(trials=20, seed=4, progress=False)
    assert theirs["spike_hash"] == run.spike_hash and theirs["accuracy"] == run.accuracy


def test_a_perturbed_and_stimulated_simulation_has_the_bits_of_the_command(saved):
    spikes = rate2spike.load(saved).simulate(
        trials=2,
        silence=[0, 4],
        scale={"ei": 0.5},
        no_autapses=True,
        shuffle=True,
        stimulate=rate2spike.Stimulation("exc", 100, 300, range(3)),
        progress=False,
    )
    theirs = command(
        *("simulate", saved, "--trials", 2, "--silence", "1,5", "--scale", "ei:0.5"),
        *("--no-autapses", "--shuffle", "--stimulate", "exc:100ms:300ms:1-3"),
    )
    assert theirs["spike_hash"] == spikes.spike_hash
    assert not np.isin(spikes.unit, [0, 4]).any()


def test_arrays_are_the_data_set_of_the_file_with_these_arrays(waves, tmp_path):
    inputs, labels = waves
    np.savez(tmp_path / "waves.npz", inputs=inputs.transpose(0, 2, 1), labels=labels, sample_ms=5)
    task = rate2spike.data(inputs, labels, sample_ms=5, name="waves.npz")
    file = rate2spike.task(tmp_path / "waves.npz")
    assert task.parts == file.parts and sum(task.parts.values()) == 120
    ours, theirs = rate2spike.trials(task, 20), rate2spike.trials(file, 20)
    assert np.array_equal(ours.inputs, theirs.inputs)
    assert np.array_equal(ours.targets, theirs.targets)
    options = dict(act="lif", N=20, n_trials=20, progress=False)
    ours = rate2spike.train(task, **options)
    flags = ["--act", "lif", "--N", 20, "--n_trials", 20, "-o", tmp_path]
    report = command("train", "--task", tmp_path / "waves.npz", *flags)
    theirs = rate2spike.load(report["model"])
    assert np.array_equal(ours.w, theirs.w) and np.array_equal(ours.w_in, theirs.w_in)

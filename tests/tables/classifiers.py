"""The tables of docs/results.md: data sets through `pipeline`, those of aeon beside ROCKET and 1-NN DTW.

    python -m venv v && v/bin/pip install aeon scikit-learn neurogym==2.0.0
    v/bin/python tests/tables/classifiers.py --program target/release/rate2spike --seeds 5

Other sets are scikit-learn's digits as rows of eight numbers, three tasks of NeuroGym with a label
for each sample, and leaky integrators of two inputs, which two outputs follow. Each data set that aeon's wheel carries and that has at most 16 channels is written to an .npz with
the published split, and goes through `rate2spike pipeline FILE.npz --seed S --json` with defaults
alone. ROCKET is aeon's own with 2,000 kernels, on the same split and with as many seeds.
Everything is cached in --folder, so that a table that was interrupted goes on.
"""

import argparse
import json
import os
import subprocess
import time
import warnings

import numpy as np

warnings.filterwarnings("ignore")

SETS = [
    "BasicMotions",
    "JapaneseVowels",
    "GunPoint",
    "ItalyPowerDemand",
    "ArrowHead",
    "OSULeaf",
    "PickupGestureWiimoteZ",
    "ACSF1",
]
OTHERS = [
    "digits",
    "PerceptualDecisionMaking",
    "ContextDecisionMaking",
    "DelayMatchSample",
    "integrators",
]
KERNELS = 2000


def recordings(name, part):
    """The trials of one part of a data set: a list of channels x samples, and the classes."""
    import aeon.datasets

    folder = os.path.join(os.path.dirname(aeon.datasets.__file__), "data")
    x, y = aeon.datasets.load_classification(name, split=part, extract_path=folder)
    return [np.asarray(trial, np.float32) for trial in x], np.asarray(y)


def export(name, path):
    """Writes a data set with its published split as an .npz."""
    (train, train_y), (test, test_y) = recordings(name, "train"), recordings(name, "test")
    trials, classes = train + test, sorted(set(train_y))
    lengths = np.array([trial.shape[1] for trial in trials])
    inputs = np.zeros((len(trials), lengths.max(), trials[0].shape[0]), np.float32)
    for place, trial in enumerate(trials):
        inputs[place, : trial.shape[1]] = trial.T
    np.savez(
        path,
        inputs=inputs,
        labels=np.array([classes.index(y) for y in [*train_y, *test_y]], np.int16),
        lengths=lengths,
        split=np.array([0] * len(train) + [2] * len(test)),
        class_names=np.array([str(name) for name in classes]),
    )


def digits(path):
    """Writes scikit-learn's digits as sequences of eight rows: 8 channels, 10 classes."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits().images, load_digits().target
    _, test = train_test_split(np.arange(len(labels)), test_size=0.25, random_state=0, stratify=labels)
    split = np.zeros(len(labels), int)
    split[test] = 2
    np.savez(path, inputs=images.astype(np.float32), labels=labels.astype(np.int16), split=split)


def decisions(name, path, count=1000):
    """Writes trials of a task of NeuroGym, in the lines of docs/data.md."""
    import neurogym

    env = neurogym.make(f"{name}-v0", dt=20).unwrapped
    env.reset(seed=1)
    trials = []
    for _ in range(count):
        env.new_trial()
        trials.append((env.ob.copy(), env.gt.copy()))
    lengths = [len(ob) for ob, _ in trials]
    inputs = np.zeros((count, max(lengths), trials[0][0].shape[1]), np.float32)
    labels = np.full((count, max(lengths)), -1)
    for k, (ob, gt) in enumerate(trials):
        inputs[k, : len(ob)], labels[k, : len(gt)] = ob, gt
    np.savez(path, inputs=inputs, labels=labels, lengths=lengths, sample_ms=20)


def integrators(path, count=400, samples=100, sample_ms=10, decay_ms=100):
    """Writes two inputs of random steps, and targets that integrate their sum and their difference with decay."""
    random = np.random.default_rng(1)
    levels = random.uniform(-1, 1, (count, samples // 10, 2))
    inputs = np.repeat(levels, 10, axis=1)
    drive = np.stack([inputs.sum(2), inputs[..., 0] - inputs[..., 1]], 2) / 2
    targets, y = np.zeros_like(drive), np.zeros((count, 2))
    for t in range(samples):
        y += (drive[:, t] - y) * sample_ms / decay_ms
        targets[:, t] = y
    np.savez(path, inputs=inputs.astype(np.float32), targets=targets.astype(np.float32), sample_ms=sample_ms)


def written(name, path):
    """Writes the data set of this name."""
    if name == "digits":
        digits(path)
    elif name == "integrators":
        integrators(path)
    elif name in OTHERS:
        decisions(name, path)
    else:
        export(name, path)


def padded(trials):
    """Trials of one length, with zeros at the end."""
    most = max(trial.shape[1] for trial in trials)
    return np.stack([np.pad(trial, ((0, 0), (0, most - trial.shape[1])), "constant") for trial in trials])


def peers(name, seeds):
    """Test accuracy of ROCKET for each seed, and of 1-NN DTW."""
    from aeon.classification.convolution_based import RocketClassifier
    from aeon.classification.distance_based import KNeighborsTimeSeriesClassifier

    (train, train_y), (test, test_y) = recordings(name, "train"), recordings(name, "test")
    both = padded(train + test)
    x, z = both[: len(train)], both[len(train) :]
    rocket = [
        float(RocketClassifier(n_kernels=KERNELS, random_state=seed).fit(x, train_y).score(z, test_y))
        for seed in range(1, seeds + 1)
    ]
    dtw = KNeighborsTimeSeriesClassifier(distance="dtw").fit(train, train_y).score(test, test_y)
    return {"rocket": rocket, "dtw": float(dtw)}


def cached(path, make):
    """The JSON at `path`, made if it is not there."""
    if not os.path.exists(path):
        value = make()
        with open(path, "w") as file:
            json.dump(value, file)
    with open(path) as file:
        return json.load(file)


def pipeline(program, data, seed, folder, extra):
    """The report of one pipeline."""
    started = time.time()
    command = [program, "pipeline", data, "--seed", str(seed), "--json", "--quiet", "-o", folder]
    done = subprocess.run(command + extra, stdout=subprocess.PIPE, check=False)
    report = json.loads(done.stdout)
    report["wall_s"] = time.time() - started
    return report


def interval(values):
    """Mean, and half of the range between the smallest and the largest value."""
    values = 100 * np.array(values, float)
    return f"{values.mean():.1f} ({values.min():.1f} to {values.max():.1f})"


def main():
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    flags.add_argument("--program", default="target/release/rate2spike")
    flags.add_argument("--folder", default="classifiers")
    flags.add_argument("--seeds", type=int, default=5)
    flags.add_argument("--sets", default=",".join(SETS + OTHERS))
    flags.add_argument("--peers-only", action="store_true")
    options, extra = flags.parse_known_args()
    os.makedirs(options.folder, exist_ok=True)
    print("| data set | N | rate | spikes, f64 | fixed point | Hz | bytes | ROCKET | 1-NN DTW |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in options.sets.split(","):
        data = os.path.join(options.folder, f"{name}.npz")
        if not os.path.exists(data):
            written(name, data)
        others = {"rocket": [], "dtw": None}
        if name in SETS:
            path = os.path.join(options.folder, f"{name}.peers.json")
            others = cached(path, lambda: peers(name, options.seeds))
        if options.peers_only:
            print(name, others, flush=True)
            continue
        reports = []
        for seed in range(1, options.seeds + 1):
            path = os.path.join(options.folder, f"{name}.{seed}.json")
            folder = os.path.join(options.folder, f"{name}-{seed}")
            reports.append(cached(path, lambda: pipeline(options.program, data, seed, folder, extra)))
        stage = lambda key: interval([report[key]["accuracy"] for report in reports])
        mean = lambda key: np.mean([report[key] for report in reports])
        cells = [
            name,
            str(reports[0]["units"]) if "units" in reports[0] else "",
            stage("rate"),
            stage("spiking"),
            stage("deployed"),
            f"{mean('mean_rate_hz'):.0f}",
            f"{mean('blob_bytes'):.0f}",
            interval(others["rocket"]) if others["rocket"] else "",
            f"{100 * others['dtw']:.1f}" if others["dtw"] is not None else "",
        ]
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()

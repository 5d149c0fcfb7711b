"""Time of 100 trials in Python and by the command, s: wall clock and processor, and the median of
the ratios of neighbouring runs: ``python measure_trials.py [COMMAND [RUNS]]``. Without COMMAND the
command is that of the same wheel. The time of one trial is taken off on both sides, since the
command also starts, and reads the model."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import rate2spike


def now():
    """Wall clock and processor time, child processes included, s."""
    times = os.times()
    busy = times.user + times.system + times.children_user + times.children_system
    return time.perf_counter(), busy


def measured(work):
    """Wall clock and processor time of 100 trials less those of one trial, s."""
    work(1)
    begin = now()
    work(1)
    middle = now()
    work(100)
    return [c - b - (b - a) for a, b, c in zip(begin, middle, now())]


with tempfile.TemporaryDirectory() as folder:
    model = rate2spike.train("go-nogo", N=60, act="lif", progress=False)
    path = model.save(Path(folder) / "model.mat")
    command = [sys.argv[1]] if sys.argv[1:] else [sys.executable, "-m", "rate2spike"]

    def run(trials):
        words = [*command, "simulate", path, "--trials", str(trials), "--quiet"]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)

    ours, theirs = [], []
    for _ in range(int(sys.argv[2]) if sys.argv[2:] else 9):
        ours.append(measured(lambda trials: model.simulate(trials=trials, progress=False)))
        theirs.append(measured(run))
    for place, name in enumerate(("wall clock", "processor")):
        a, b = ([times[place] for times in side] for side in (ours, theirs))
        ratio = statistics.median(x / y for x, y in zip(a, b))
        print(
            f"{name}: Python {statistics.median(a):.3f} s, command {statistics.median(b):.3f} s, "
            f"ratio {ratio:.3f}"
        )

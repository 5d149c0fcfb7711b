"""Time of 100 trials in Python and by the command of the same wheel, s of processor time:
``python measure_trials.py``. The command also starts Python and reads the model."""

import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import rate2spike


def seconds(who):
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


with tempfile.TemporaryDirectory() as folder:
    model = rate2spike.train("go-nogo", N=60, act="lif", progress=False)
    path = model.save(Path(folder) / "model.mat")
    words = [sys.executable, "-m", "rate2spike", "simulate", path, "--trials", "100", "--quiet"]
    ours, theirs = [], []
    for _ in range(5):
        begin = seconds(resource.RUSAGE_SELF)
        model.simulate(trials=100, progress=False)
        ours.append(seconds(resource.RUSAGE_SELF) - begin)
        begin = seconds(resource.RUSAGE_CHILDREN)
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        theirs.append(seconds(resource.RUSAGE_CHILDREN) - begin)
    print(f"Python {statistics.median(ours):.2f} s, command {statistics.median(theirs):.2f} s")

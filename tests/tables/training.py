"""Processor time of an update of the training beside the same update in JAX: the table of docs/results.md.

    python3 -m venv v && v/bin/pip install jax
    cargo build --release
    taskset -c 1 v/bin/python tests/tables/training.py --program target/release/rate2spike

The update in JAX is what a user would write: a scan, jitted, in f32 and on one core, with Dale's principle, trained time
constants, noise and Adam. JAX multiplies with all weights; its time does not depend on how many exist. Ours is the
difference of two trainings with a different number of updates, so that the start of the program and the
evaluation at the end do not count. Both run in turn, several times, and the smallest time of each counts:
another program on the machine can only make it longer.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

# The task that has this number of samples.
TASKS = {200: "go-nogo", 500: "mante"}
# Connections of a unit by default.
INPUTS = 40


def jax_update(units, samples, batch, updates):
    """Prints the smallest processor time of an update in JAX, ms; the first one compiles and does not count."""
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    import jax
    import jax.numpy as jnp
    import numpy as np

    keys = jax.random.split(jax.random.key(0), 4)
    present = jax.random.uniform(keys[0], (units, units)) < INPUTS / units
    weights = jnp.abs(jax.random.normal(keys[1], (units, units))) * 1.5 / jnp.sqrt(INPUTS)
    parameters = {
        "w": jnp.where(present, weights, 0.0),
        "w_out": jax.random.normal(keys[2], (1, units)) / 100,
        "b_out": jnp.zeros(1),
        "theta": jax.random.normal(keys[3], (units,)),
    }
    sign = jnp.where(jnp.arange(units) < units // 5, -1.0, 1.0)
    w_in = jnp.array(np.random.RandomState(0).randn(units), jnp.float32)

    def loss(parameters, key, inputs, target):
        w = jax.nn.relu(parameters["w"]) * sign[None, :]
        tau = jax.nn.sigmoid(parameters["theta"]) * 16 + 4
        start = jax.random.normal(key, (batch, units)) / 100
        noise = jax.random.normal(jax.random.fold_in(key, 1), (samples - 1, batch, units)) / 10

        def step(x, given):
            u, e = given
            current = jax.nn.sigmoid(x) @ w.T + u[:, None] * w_in
            x = (1 - 1 / tau) * x + (1 / tau) * current + e
            return x, (jax.nn.sigmoid(x) @ parameters["w_out"].T + parameters["b_out"])[:, 0]

        _, outputs = jax.lax.scan(step, start, (inputs.T[:-1], noise))
        return jnp.sqrt(((outputs.T - target) ** 2).sum(1)).mean()

    @jax.jit
    def update(parameters, m, v, count, key, inputs, target):
        value, gradient = jax.value_and_grad(loss)(parameters, key, inputs, target)
        m = jax.tree.map(lambda a, b: 0.9 * a + 0.1 * b, m, gradient)
        v = jax.tree.map(lambda a, b: 0.999 * a + 0.001 * b * b, v, gradient)

        def adam(a, b, c):
            return a - 0.01 * (b / (1 - 0.9**count)) / (jnp.sqrt(c / (1 - 0.999**count)) + 1e-8)

        return jax.tree.map(adam, parameters, m, v), m, v, value

    m = v = jax.tree.map(jnp.zeros_like, parameters)
    times = []
    for i in range(updates + 1):
        go = np.random.randint(0, 2, batch)
        inputs = np.zeros((batch, samples), np.float32)
        inputs[go == 1, 50:75] = 1
        target = np.zeros((batch, samples - 1), np.float32)
        target[go == 1, 75:] = 1
        start = time.process_time()
        key = jax.random.key(i)
        parameters, m, v, value = update(parameters, m, v, float(i + 1), key, inputs, target)
        value.block_until_ready()
        times.append(time.process_time() - start)
    print(1e3 * min(times[1:]))


def seconds(command):
    """Processor time of a command."""

    def children():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = children()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # A training of few updates misses its criterion, which is status 1.
    if done.returncode > 1:
        sys.exit(f"{command}: {done.stderr}")
    return children() - before


def ours(program, activation, units, samples, batch, updates):
    """Processor time of an update, ms."""
    folder = tempfile.mkdtemp()
    command = [program, "train", "--task", TASKS[samples], "--act", activation, "--N", str(units)]
    command += ["--batch", str(batch), "--P_rec", str(min(INPUTS / units, 0.8)), "--seed", "1"]
    command += ["--output_dir", folder, "--n_trials"]
    few = max(updates // 8, 1)
    times = [seconds(command + [str(count)]) for count in (few, updates + few)]
    shutil.rmtree(folder)
    return 1e3 * (times[1] - times[0]) / updates


def jax(units, samples, batch, updates):
    """The time that `jax_update` prints, in a process of its own."""
    command = [sys.executable, __file__, "--jax", str(units), str(samples), str(batch), str(updates)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def row(program, repeats, units, samples, batch):
    """Prints a row of the table."""
    # At most 80, so that no evaluation falls between the two trainings.
    work = units * min(units, 4 * INPUTS) * samples * batch
    updates = min(80, max(40, int(6e9 / work)))
    found = {"jax": [], "sigmoid": [], "lif": []}
    for _ in range(repeats):
        found["jax"].append(jax(units, samples, batch, max(2, min(updates, int(4e10 / (units**2 * samples * batch))))))
        for activation in ("sigmoid", "lif"):
            found[activation].append(ours(program, activation, units, samples, batch, updates))
    best = {name: min(times) for name, times in found.items()}
    ratio = best["jax"] / best["sigmoid"]
    cells = [units, samples, batch, *(f"{best[name]:.2f}" for name in ("sigmoid", "lif", "jax")), f"{ratio:.1f}"]
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def main():
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", help="our program, built with --release")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--jax", nargs=4, type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.jax:
        jax_update(*given.jax)
        return
    print("| N | T | batch | sigmoid, ms | lif, ms | JAX, ms | JAX / sigmoid |")
    print("|---|---|---|---|---|---|---|")
    for samples in TASKS:
        for batch in (1, 8, 16, 64):
            row(given.program, given.repeats, 200, samples, batch)
    for units in (50, 100, 400, 1000, 2000):
        row(given.program, given.repeats, units, 200, 16)


main()

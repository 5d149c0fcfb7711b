"""What several tests share. `RATE2SPIKE_FIXTURES` names another folder of fixtures."""

import os
from pathlib import Path

import pytest

import rate2spike

REPOSITORY = Path(__file__).resolve().parents[2]
FIXTURES = Path(os.environ.get("RATE2SPIKE_FIXTURES", REPOSITORY / "tests/fixtures"))

#: Options of a training that takes some seconds.
SMALL = dict(N=50, act="lif", seed=1, n_trials=2000)


@pytest.fixture(scope="session")
def model():
    """A small network that answers go-nogo."""
    return rate2spike.train("go-nogo", progress=False, **SMALL)


@pytest.fixture(scope="session")
def network(model):
    return model.quantize(0.5, progress=False)


@pytest.fixture(scope="session")
def saved(model, tmp_path_factory):
    """The model in a file."""
    return model.save(tmp_path_factory.mktemp("saved") / "model.mat")


@pytest.fixture(scope="session")
def published():
    """The model that the published code trained."""
    (path,) = (FIXTURES / "models").glob("*.mat")
    return path


@pytest.fixture(scope="session")
def waves():
    """Noisy sines of three frequencies: recordings (trials × channels × samples) and classes."""
    import numpy as np

    random = np.random.default_rng(5)
    labels = np.arange(120) % 3
    time = np.arange(40)
    phase = random.uniform(0, 2 * np.pi, (120, 2, 1))
    waves = np.sin(2 * np.pi * (labels[:, None, None] + 1) * time / 40 + phase)
    return (waves + 0.1 * random.normal(size=waves.shape)).astype(np.float32), labels

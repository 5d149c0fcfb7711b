"""Train a rate network, carry it onto spiking neurons, run it in fixed point.

    import rate2spike

    model = rate2spike.train("go-nogo", N=50, act="lif")
    spikes = model.simulate(trials=20)
    network = model.quantize(dt=0.5)
    network.save("go-nogo.snn")

Arrays are NumPy's. Inputs are channels × samples, or trials × channels × samples. Units, steps
and trials count from 0. The method is that of Kim, Li & Sejnowski (PNAS 2019, doi
10.1073/pnas.1905926116).
"""

from ._classifier import Classifier
from ._errors import Error, FileError, InvalidValue, MissingFile
from ._model import Model, Stimulation, load, model_from_weights, train
from ._native import Board, Figure, Report, Task
from ._network import Network, load_network
from ._published import LIF_network_fnc
from ._results import Conversion, Rates, Spikes, Trials
from ._task import data, task, trials

__all__ = [
    "Board",
    "Classifier",
    "Conversion",
    "Error",
    "Figure",
    "FileError",
    "InvalidValue",
    "LIF_network_fnc",
    "MissingFile",
    "Model",
    "Network",
    "Rates",
    "Report",
    "Spikes",
    "Stimulation",
    "Task",
    "Trials",
    "data",
    "load",
    "load_network",
    "model_from_weights",
    "task",
    "train",
    "trials",
]

"""SciPy reads what the package writes, and the other way round."""

from pathlib import Path

import numpy as np
import scipy.io

import rate2spike
from conftest import FIXTURES


def test_scipy_reads_a_saved_model_with_the_same_numbers(model, saved):
    file = scipy.io.loadmat(saved)
    for name in ["w", "w_in", "w_out", "b_out", "m", "som_m", "taus", "taus_gaus", "x", "losses"]:
        ours, theirs = model[name], file[name]
        # SciPy leaves a last axis of length 1 out.
        assert ours.dtype == theirs.dtype, name
        assert np.array_equal(np.squeeze(ours), np.squeeze(theirs)), name
    assert file["activation"][0] == model.activation == "lif"
    assert np.array_equal(model.inhibitory, file["inh"].ravel() != 0)


def test_a_model_that_scipy_wrote_is_read_with_the_same_network(saved, tmp_path):
    file = scipy.io.loadmat(saved)
    variables = {name: value for name, value in file.items() if not name.startswith("__")}
    path = tmp_path / "scipy.mat"
    scipy.io.savemat(path, variables)
    ours, theirs = rate2spike.load(saved), rate2spike.load(path)
    assert np.array_equal(ours.weights, theirs.weights)
    run = dict(trials=2, progress=False)
    assert ours.simulate(**run).spike_hash == theirs.simulate(**run).spike_hash


def test_the_variables_of_the_published_model_are_those_that_scipy_reads(published):
    model, file = rate2spike.load(published), scipy.io.loadmat(published)
    assert [name for name in file if not name.startswith("__")] == list(model)
    for name in model:
        if isinstance(model[name], np.ndarray):
            assert np.array_equal(np.squeeze(model[name]), np.squeeze(file[name])), name
    weights = np.maximum(file["w"], 0) @ file["m"] * file["som_m"]
    assert np.allclose(model.weights, weights, rtol=1e-6)


def test_the_spikes_are_those_of_the_published_simulation(tmp_path):
    """The traces come from the published MATLAB code, with its noise off."""
    traces = sorted((FIXTURES / "traces").glob("gonogo_*_f64.mat"))
    assert len(traces) == 5
    for trace in traces:
        file = scipy.io.loadmat(trace)
        path = tmp_path / "Task_go-nogo_N_200_trace.mat"
        names = "w w0 w_in w_out N m som_m taus taus_gaus taus_gaus0".split()
        variables = {name: file[name] for name in names if name in file}
        signs = np.diag(file["m"])
        variables |= {"exc": signs > 0, "inh": signs < 0, "b_out": file.get("b_out", 0.0)}
        variables |= {"activation": "sigmoid", "som_N": 0}
        scipy.io.savemat(path, variables)
        spikes = rate2spike.load(path).simulate(
            file["u"],
            scaling_factor=float(file["lambda"].item()),
            v0=file["v0"].ravel(),
            downsample=int(file["downsample"].item()),
            noise=0,
            neuron="qif" if file["qif"].item() else "lif",
            filter="double" if file["tr"].item() else "single",
            progress=False,
        )
        assert np.array_equal(spikes.step, file["spk_step"].ravel() - 1), trace
        assert np.array_equal(spikes.unit, file["spk_unit"].ravel() - 1), trace
        out = file["out"].ravel()
        assert np.abs(spikes.output[0, 0] - out).max() <= 1e-9 * np.abs(out).max(), trace


def test_a_network_is_read_as_it_was_written(network, tmp_path):
    path = network.save(tmp_path / "net.snn")
    again = rate2spike.load_network(path)
    assert again.bytes == network.bytes and again.self_test()
    assert again.losses is None and network.losses["weights"][0] < 0.01
    assert again.run(trials=3, progress=False).spike_hash == (
        network.run(trials=3, progress=False).spike_hash
    )


def test_figures_are_svg_and_png(model, network, tmp_path):
    spikes = model.simulate(trials=4, progress=False)
    for figure in [spikes.raster(), spikes.outputs_figure(), network.run(trials=4).raster()]:
        assert figure._repr_svg_().startswith("<svg") and "</svg>" in figure.svg
        assert figure.caption
    figure.save(tmp_path / "a.svg")
    figure.save(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    report = model.report(trials=4, network=network)
    assert {"outputs", "raster", "eigenvalues", "quantization"} <= report.figures.keys()
    assert "<html" in report._repr_html_()
    report.save(tmp_path / "page.html")
    assert Path(tmp_path / "page.html").read_text() == report.html

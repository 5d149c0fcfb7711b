//! `export` and `import`: networks of other programs.

use crate::place::Place;

#[test]
fn an_export_says_what_the_target_cannot_take_and_writes_its_files() {
    let place = Place::new();
    for (format, files, lost) in [
        ("nir -o net.nir", &["net.nir"][..], "refractory time"),
        (
            "nest -o net.py",
            &["net.py", "net.npz"][..],
            "membrane noise",
        ),
    ] {
        let report = place.json(&format!("export go-nogo.mat --lambda 25 --to {format}"));
        assert_eq!(report["files"], serde_json::json!(files));
        for file in files {
            assert!(place.path(file).is_file(), "{file}");
        }
        let fidelity = report["fidelity"].as_array().expect("a list");
        let line = fidelity.iter().find(|line| line["property"] == lost);
        assert_eq!(line.expect(lost)["degree"], "unsupported");
    }
    let usage = "export go-nogo.mat --lambda 25 --to brian2 -o net.txt";
    place.fails(usage, 2, &["net.txt", ".py"]);
    for command in ["inspect net.nir", "quantize net.nir -o net.snn"] {
        place.fails(command, 1, &["net.nir", "a NIR graph", "rate model"]);
    }
}

#[test]
fn an_exported_graph_comes_back_with_the_spikes_of_the_model() {
    let place = Place::new();
    place.json("export go-nogo.mat --lambda 25 --to nir -o net.nir");
    let model = place.json("quantize go-nogo.mat --lambda 25 -o model.snn");
    let graph = place.json("import net.nir --task go-nogo -o graph.snn --noise 0.1 --start 30");
    assert_eq!(graph["spike_hash"], model["spike_hash"]);
    assert_eq!(graph["after"], model["after"]);
    assert_eq!(graph["units"], 200);
    let run = place.json("run graph.snn");
    assert_eq!(run["spike_hash"], model["spike_hash"]);
    let fidelity = graph["fidelity"].as_array().expect("a list");
    let unsupported = fidelity
        .iter()
        .filter(|line| line["degree"] == "unsupported");
    assert_eq!(unsupported.count(), 4, "{fidelity:?}");

    for (line, status, parts) in [
        (
            "import net.nir --task mante -o n.snn",
            2,
            &["net.nir", "1 inputs", "mante has 4"][..],
        ),
        (
            "import go-nogo.mat --task go-nogo -o n.snn",
            1,
            &["go-nogo.mat", "HDF5"],
        ),
        (
            "import no.nir --task go-nogo -o n.snn",
            1,
            &["no.nir", "cannot read"],
        ),
        (
            "import net.nir --task go-nogo -o n.snn --start 200",
            2,
            &["--start", "100"],
        ),
        (
            "import net.nir --task go-nogo -o n.snn --synapse 0",
            2,
            &["--synapse", "above 0"],
        ),
    ] {
        place.fails(line, status, parts);
    }
    for command in ["inspect net.nir", "quantize net.nir -o n.snn"] {
        place.fails(command, 1, &["rate2spike import"]);
    }
}

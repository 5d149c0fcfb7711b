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
fn a_deployed_network_is_written_as_logic_and_nothing_foreign_is_replaced() {
    let place = Place::new();
    place.json("quantize go-nogo.mat --lambda 25 -o net.snn");
    let export = "export net.snn --to verilog -o design";
    let report = place.json(export);
    let units = report["counts"]["units"].as_u64().expect("a number");
    assert!(units > 0 && report["clocks"]["mean"].as_f64() > Some(units as f64));
    assert_eq!(report["boards"][0]["board"], "icebreaker");
    for file in [
        "Makefile",
        "network.bin",
        "parameters.vh",
        "report.txt",
        "rtl/network.v",
    ] {
        assert!(place.path("design").join(file).is_file(), "{file}");
    }
    // An earlier design is replaced; another program's Makefile is not.
    place.json(export);
    std::fs::create_dir(place.path("other")).expect("a folder");
    std::fs::write(place.path("other/Makefile"), "all:\n").expect("a writable folder");
    let line = "export net.snn --to verilog -o other";
    place.fails(line, 2, &["other/Makefile", "--output"]);
    for flag in ["--lambda 25", "--dt 1", "--seed 2"] {
        place.fails(&format!("{export} {flag}"), 2, &["does nothing here"]);
    }
    place.fails(
        "export go-nogo.mat --to verilog",
        1,
        &["not a deployed network"],
    );
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

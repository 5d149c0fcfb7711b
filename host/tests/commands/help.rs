//! The help of each command, and the answer to a mistake in the options.

use crate::place::Place;

#[test]
fn every_command_explains_itself_with_an_example() {
    let place = Place::new();
    let overview = place.run("--help");
    assert!(overview.status.success());
    for command in [
        "pipeline",
        "train",
        "convert",
        "simulate",
        "quantize",
        "run",
        "inspect",
        "sweep",
        "reproduce",
        "report",
        "export",
        "import",
        "trials",
    ] {
        assert!(String::from_utf8_lossy(&overview.stdout).contains(command));
        let help = place.run(&format!("{command} --help"));
        let text = String::from_utf8_lossy(&help.stdout);
        assert!(help.status.success() && text.contains("Example:"), "{text}");
        assert!(text.contains("--json"), "{text}");
    }
}

#[test]
fn shells_and_manuals_know_the_commands() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        let output = place.run(&format!("completions {shell}"));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        for part in ["rate2spike", "quantize", "no-autapses"] {
            assert!(text.contains(part), "{shell}: no {part}");
        }
    }
    let pages = place.json("man -o pages")["pages"].clone();
    let pages = pages.as_array().expect("pages").len();
    assert!(pages > 10, "{pages}");
    let page = std::fs::read_to_string(place.path("pages/rate2spike-train.1")).expect("a page");
    assert!(
        page.contains("decay_taus") && page.contains("Example:"),
        "{page}"
    );
}

#[test]
fn wrong_options_are_usage_errors_that_say_the_way_out() {
    let place = Place::new();
    for (line, parts) in [
        (
            "train --task tango",
            &["tango", "go-nogo", "xor", "mante"][..],
        ),
        ("train --task xor --act tanh", &["tanh", "softplus"]),
        ("train --task xor --N 0", &["N = 0"]),
        ("train --task xor --P_rec 1.5", &["P_rec = 1.5", "0 to 1"]),
        ("train --task xor --P_inh -0.1", &["P_inh = -0.1"]),
        (
            "train --task xor --decay_taus 20 4",
            &["20", "4", "smaller one first"],
        ),
        ("train --task xor --decay_taus 1", &["one step"]),
        ("train --task xor --decay_taus 0.5 4", &["0.5", "one step"]),
        ("train --task xor --n_trials 0", &["n_trials = 0"]),
        ("train --task xor --seeds 8..1", &["8..1", "FIRST..LAST"]),
        ("train", &["--task"]),
        ("train --mode eval", &["--model"]),
        ("convert go-nogo.mat --trials 0", &["0 trials"]),
        ("convert go-nogo.mat --lambda 0", &["--lambda", "above 0"]),
        (
            "convert go-nogo.mat --lambda -3",
            &["'-3'", "--lambda", "above 0"],
        ),
        ("convert go-nogo.mat --lambdas 20:0:30", &["positive"]),
        (
            "convert go-nogo.mat --task mante",
            &["trained for the task go-nogo", "mante"],
        ),
        (
            "simulate go-nogo.mat",
            &["scaling factor", "convert", "--lambda"],
        ),
        (
            "simulate go-nogo.mat --lambda 25 --dt 0.3",
            &["0.3", "divides 5"],
        ),
        (
            "simulate go-nogo.mat --lambda 25 --dt 1 --scheme euler",
            &["exact"],
        ),
        (
            "simulate go-nogo.mat --lambda 25 --neuron qif --scheme exact",
            &["euler"],
        ),
        (
            "simulate go-nogo.mat --lambda 25 --downsample 0",
            &["give 1 to 79"],
        ),
        (
            "simulate go-nogo.mat --lambda 25 --stimulate exc:1:9:500",
            &["500", "200"],
        ),
        (
            "simulate go-nogo.mat --lambda 25 -o rec.txt",
            &["rec.txt", ".mat"],
        ),
        ("quantize go-nogo.mat", &["--output"]),
        ("pipeline", &["TASK"]),
        (
            "simulate go-nogo.mat --lambda 25 --noise -1",
            &["'-1'", "--noise", "0 to 1000"],
        ),
        ("pipeline go-nogo --dt 7", &["7", "divides 5"]),
        ("dance", &["dance"]),
    ] {
        place.fails(line, 2, parts);
    }
}

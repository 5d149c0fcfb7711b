//! The network as logic: the same spikes, outputs and decisions as core's.
//!
//! A test whose tools are missing prints the reason and does nothing; with
//! `RATE2SPIKE_REQUIRE_ALL=1` it fails.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use rate2spike::board::comparison::compare as compare_trials;
use rate2spike::board::logic::Logic;
use rate2spike::board::port::Port;
use rate2spike::board::session::{Reported, Runs};
use rate2spike::convert::one_to_one;
use rate2spike::export::verilog::Refusal;
use rate2spike::export::verilog::clocks::Clocks;
use rate2spike::export::verilog::image::Image;
use rate2spike::export::verilog::project::hex;
use rate2spike::quantize::quantize;
use rate2spike::rate::activation::{ActivationKind, LIF_LAMBDA};
use rate2spike::rate::network::RateNetwork;
use rate2spike::rate::options::RateOptions;
use rate2spike::rate::training::train;
use rate2spike::spiking::experiment::Experiment;
use rate2spike::spiking::neuron::Neuron;
use rate2spike::spiking::time_step::TimeStep;
use rate2spike::task::Task;
use rate2spike_core::blob::Deployed;
use rate2spike_core::network::Network;
use rate2spike_core::neuron::Scheme;
use rate2spike_protocol::logic::{Answer, RUN_WITH_OUTPUTS};
use rate2spike_tests::emulator::repository;
use rate2spike_tests::logic::{Kind, Simulator, output, trial, write_design};
use rate2spike_tests::{has, untrained};

/// Steps that a slow simulator can do.
const FEW_STEPS: u32 = 64;

/// Steps in which a small fault shows.
const FAULT_STEPS: u32 = 300;

/// The frozen network of `task`: 200 units, steps of 0.1 ms.
fn frozen(task: &Task) -> Vec<u8> {
    let name = format!("core/tests/golden/{}.snn", task.name());
    std::fs::read(repository().join(name)).expect("a frozen network")
}

/// A network of `units` units that is trained for `task`, carried over with `lambda`, with
/// steps of `step_ms`.
fn trained(task: &Task, units: usize, lambda: f64, step_ms: f64) -> Vec<u8> {
    let options = RateOptions {
        seed: 1,
        ..RateOptions::defaults(task.clone(), units, ActivationKind::Lif)
    };
    let trained = train(&options.checked().expect("options"), &mut ());
    assert!(trained.success);
    let spiking = one_to_one(&trained.network, lambda, Neuron::LIF).expect("a network");
    let step = TimeStep::new(step_ms, Scheme::Exact).expect("a step");
    quantize(&spiking, task, &step).expect("it fits").bytes
}

/// A λ that makes the weights so strong that potentials are counted in units of more than
/// 1 mV.
const STRONG_LAMBDA: f64 = 5.0;

/// The networks that are compared with core, each with its task.
fn networks() -> &'static [(Task, Vec<u8>)] {
    static NETWORKS: OnceLock<Vec<(Task, Vec<u8>)>> = OnceLock::new();
    NETWORKS.get_or_init(|| {
        let [go_nogo, xor, mante] = [Task::go_nogo(), Task::xor(), Task::mante()];
        let strong = trained(&xor, 50, STRONG_LAMBDA, 0.25);
        let network = Deployed::read(&strong).expect("a network");
        assert!(network.payload().shared.unit_mv > 1);
        vec![
            (go_nogo.clone(), frozen(&go_nogo)),
            (xor.clone(), frozen(&xor)),
            (mante.clone(), frozen(&mante)),
            (go_nogo.clone(), trained(&go_nogo, 30, LIF_LAMBDA, 0.5)),
            (mante.clone(), trained(&mante, 50, LIF_LAMBDA, 0.1)),
            (xor, strong),
            (mante.clone(), untrained(mante, 120, 1.0)),
        ]
    })
}

/// Compares `trials` trials of each network with core's.
fn compare(trials: u64) {
    if !has(&["verilator"]) {
        return;
    }
    let simulator = Simulator::build(Kind::Verilator, None).expect("it builds");
    for (task, bytes) in networks() {
        let network = Deployed::read(bytes).expect("a network");
        let experiment = Experiment::deployed(&network, task, 1);
        let wanted: Vec<_> = (0..trials)
            .map(|index| trial(&experiment, index, u32::MAX))
            .collect();
        let images: Vec<_> = wanted.iter().map(|(image, ..)| image.clone()).collect();
        let found = simulator.run(&images).expect("it runs");
        assert_eq!(found.len(), wanted.len());
        for (index, ((found, clocks), (_, wanted, spikes))) in found.iter().zip(&wanted).enumerate()
        {
            assert!(wanted.spikes > 0);
            assert!(found == wanted, "{} trial {index}", task.name());
            let steps = experiment.clock.steps;
            let expected = Clocks::of_trials(&network, std::slice::from_ref(spikes), steps);
            // A word of the generator is turned by up to 31 places, and the last step goes
            // on until hash and decision are ready.
            let slack = 100.0 / f64::from(steps) + 2.0;
            let mean = clocks.total as f64 / f64::from(steps);
            assert!((mean - expected.mean).abs() < slack, "{mean} {expected:?}");
            assert!(
                clocks.first.abs_diff(expected.first) < 100,
                "{clocks:?} {expected:?}"
            );
            assert!(
                clocks.worst.abs_diff(expected.worst) < 100,
                "{clocks:?} {expected:?}"
            );
        }
        eprintln!(
            "{}, {} units: {trials} trials EQUAL, {:?}",
            task.name(),
            network.constants().units,
            found.last().map(|f| f.1)
        );
    }
}

#[test]
fn trials_in_logic_have_the_spikes_outputs_and_decisions_of_core() {
    compare(2);
}

#[test]
#[ignore = "takes minutes"]
fn twenty_trials_in_logic_have_the_spikes_outputs_and_decisions_of_core() {
    compare(20);
}

/// What a target of the Makefile prints.
fn make(folder: &Path, target: &str) -> Result<String, String> {
    output(Command::new("make").arg("-C").arg(folder).arg(target))
}

#[test]
fn an_exported_design_passes_its_own_tests() {
    if !has(&["verilator", "iverilog", "make"]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let bytes = frozen(&Task::xor());
    write_design(&Deployed::read(&bytes).expect("a network"), folder.path());
    for target in ["lint", "test", "short", "board"] {
        let text = make(folder.path(), target).expect(target);
        assert!(
            target == "lint" || text.contains("EQUAL"),
            "{target}: {text}"
        );
    }
    // An altered byte is found.
    let image = folder.path().join("network.hex");
    let text = std::fs::read_to_string(&image).expect("an image");
    let mut lines: Vec<&str> = text.lines().collect();
    let changed = if lines[3000] == "00" { "01" } else { "00" };
    lines[3000] = changed;
    std::fs::write(&image, lines.join("\n")).expect("a writable folder");
    let error = make(folder.path(), "test").expect_err("a damaged image");
    assert!(error.contains("REFUSED: code 5"), "{error}");
}

/// Writes the design of a small network, and builds one of its simulations.
fn small_design(folder: &Path, target: &str) -> Vec<u8> {
    let bytes = untrained(Task::go_nogo(), 40, 0.5);
    write_design(&Deployed::read(&bytes).expect("a network"), folder);
    make(folder, target).expect(target);
    bytes
}

#[test]
fn a_damaged_network_in_flash_is_refused_by_its_code() {
    if !has(&["verilator", "make"]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let bytes = small_design(folder.path(), "build/board/Vboard");
    let network = Deployed::read(&bytes).expect("a network");
    let whole = Image::of_self_test(&network).expect("an image").bytes();
    let altered = |at: usize| {
        let mut image = whole.clone();
        image[at] ^= 1;
        image
    };
    let larger = untrained(Task::go_nogo(), 100, 0.5);
    let larger = Deployed::read(&larger).expect("a network");
    let experiment = Experiment::deployed(&network, &Task::go_nogo(), 1);
    let (trial, outcome, _) = trial(&experiment, 0, u32::MAX);
    // The wanted hash is the last word of the settings.
    let mut other_spikes = trial.clone();
    let wanted = outcome.spike_hash.to_le_bytes();
    let at = trial
        .windows(8)
        .position(|bytes| bytes == wanted)
        .expect("the hash");
    other_spikes[at] ^= 1;
    reseal(&mut other_spikes);
    for (what, image, wanted) in [
        ("whole", whole.clone(), "EQUAL"),
        ("another trial", trial, "EQUAL"),
        ("erased", vec![0xff; 64], "FAILED: 1 flashes"),
        ("another layout", altered(4), "FAILED: 2 flashes"),
        (
            "cut",
            whole[..whole.len() / 2].to_vec(),
            "FAILED: 3 flashes",
        ),
        (
            "oversized",
            Image::of_self_test(&larger).expect("an image").bytes(),
            "FAILED: 4 flashes",
        ),
        ("corrupted", altered(whole.len() / 2), "FAILED: 5 flashes"),
        ("other spikes", other_spikes, "FAILED: 6 flashes"),
    ] {
        let file = folder.path().join("flash.hex");
        std::fs::write(&file, hex(&image[..image.len().min(whole.len())])).expect("a folder");
        let mut command = Command::new(folder.path().join("build/board/Vboard"));
        let text = output(command.arg("+flash=flash.hex").current_dir(folder.path()));
        let text = text.expect("it runs");
        assert!(text.contains(wanted), "{what}: {text}");
    }
}

/// Makes the check sum of an altered image right again.
fn reseal(image: &mut [u8]) {
    let mut crc = u32::MAX;
    for byte in image[..12].iter().chain(&image[16..]) {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 * (crc & 1));
        }
    }
    image[12..16].copy_from_slice(&(!crc).to_le_bytes());
}

/// A simulated device at a pseudo-terminal; it ends with the value.
#[cfg(unix)]
struct Device(Child);

#[cfg(unix)]
impl Drop for Device {
    fn drop(&mut self) {
        self.0.kill().expect("a running device");
        self.0.wait().expect("a running device");
    }
}

#[cfg(unix)]
#[test]
fn a_device_at_a_serial_line_spikes_as_core_does_and_no_garbage_hangs_it() {
    use std::io::{BufRead, BufReader, Write};

    if !has(&["verilator", "make"]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let bytes = small_design(folder.path(), "build/line/Vline_bench");
    let mut child = Command::new(folder.path().join("build/line/Vline_bench"))
        .arg("+flash=network.hex")
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a simulation");
    let mut first = String::new();
    let mut lines = BufReader::new(child.stdout.take().expect("its output"));
    lines.read_line(&mut first).expect("a line");
    let _device = Device(child);
    let name = first.trim().strip_prefix("terminal ").expect("a terminal");
    let port = Port::Serial(name.into());
    // The device answers after its self-test.
    let connect = || {
        let tries = (0..120).find_map(|_| Logic::connect(&port).expect("a line"));
        tries.expect("an answer")
    };
    let network = Deployed::read(&bytes).expect("a network");
    let experiment = Experiment::deployed(&network, &Task::go_nogo(), 1);
    let image = Image::of_self_test(&network).expect("an image");
    let (mut logic, identity) = connect();
    assert_eq!((identity.code, identity.checksum), (0, image.checksum()));
    let found = compare_trials(&mut logic, &experiment, 2, identity.clock_hz, || {});
    let found = found.expect("trials");
    assert!(found.equal && found.parts.is_none());
    assert_eq!(found.board.spike_hash, found.desktop.spike_hash);
    // Each spike and each output over the line.
    let mut spikes = Vec::new();
    let each = &mut |step, unit| spikes.push((step, unit));
    logic
        .run_trial(&experiment, 0, Reported::Spikes(each))
        .expect("a trial");
    let (whole, wanted, wanted_spikes) = trial(&experiment, 0, u32::MAX);
    assert_eq!(spikes, wanted_spikes);
    assert_eq!(logic.load(&whole).expect("a line"), 0);
    let mut outputs = Vec::new();
    let outcome = logic.run(&RUN_WITH_OUTPUTS, |answer| match answer {
        Answer::Output { step, value } => outputs.push((step, value)),
        answer => panic!("{answer:?}"),
    });
    assert_eq!(outcome.expect("a trial").spike_hash, wanted.spike_hash);
    let numbered: Vec<_> = (1..).zip(wanted.outputs.iter().copied()).collect();
    assert_eq!(outputs, numbered);
    let mut outputs = Vec::new();
    let each = &mut |step, bits: &[i32]| outputs.push((step, bits.to_vec()));
    logic
        .run_trial(&experiment, 0, Reported::Outputs(each))
        .expect("a trial");
    let every = experiment.clock.steps_per_sample;
    let numbered = (1..).zip(&wanted.outputs);
    let at_samples = numbered.filter(|(step, _)| step % every == 0);
    let at_samples: Vec<_> = at_samples.map(|(step, bits)| (step, vec![*bits])).collect();
    assert!(at_samples.len() > 100);
    assert_eq!(outputs, at_samples);
    drop(logic);

    let mut line = std::fs::File::options()
        .write(true)
        .open(name)
        .expect("the terminal");
    let garbage: Vec<u8> = (0..4000u32).map(|k| ((k * k) >> 3) as u8).collect();
    line.write_all(&garbage).expect("a line");
    // An image that stops after its header.
    line.write_all(b"R2SLR2SL\x01\0\0\0\xff\0\0\0")
        .expect("a line");
    drop(line);
    let (mut logic, identity) = connect();
    // The device gives the image up (7), or takes the question for its content (3).
    assert!([3, 7].contains(&identity.code), "{}", identity.code);
    let identity = logic.self_test().expect("a self-test");
    assert_eq!((identity.code, identity.checksum), (0, image.checksum()));
    let outcome = logic
        .run_trial(&experiment, 0, Reported::Nothing)
        .expect("a trial");
    assert_eq!(outcome.spike_hash, wanted.spike_hash);
}

#[test]
fn the_netlist_of_an_ice40_spikes_as_core_does() {
    if !has(&["verilator", "yosys", "make"]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let bytes = frozen(&Task::go_nogo());
    write_design(&Deployed::read(&bytes).expect("a network"), folder.path());
    let text = make(folder.path(), "gates").expect("gates");
    assert!(text.contains("EQUAL"), "{text}");
}

#[test]
fn the_device_is_synthesized_for_an_ecp5() {
    if !has(&["yosys", "make"]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let bytes = frozen(&Task::go_nogo());
    write_design(&Deployed::read(&bytes).expect("a network"), folder.path());
    make(folder.path(), "build/ulx3s.json").expect("a netlist");
    let netlist = std::fs::read_to_string(folder.path().join("build/ulx3s.json"));
    let netlist = netlist.expect("a netlist");
    assert!(netlist.contains("\"DP16KD\"") && netlist.contains("\"MULT18X18D\""));
}

#[test]
fn icarus_verilog_spikes_as_core_does() {
    if !has(&["iverilog"]) {
        return;
    }
    let simulator = Simulator::build(Kind::Icarus, None).expect("it builds");
    for (task, bytes) in networks() {
        let network = Deployed::read(bytes).expect("a network");
        let experiment = Experiment::deployed(&network, task, 1);
        let (image, wanted, _) = trial(&experiment, 0, FEW_STEPS);
        let found = simulator.run(&[image]).expect("it runs");
        assert!(found[0].0 == wanted, "{}", task.name());
    }
}

#[test]
fn a_fault_in_the_design_is_found() {
    if !has(&["iverilog"]) {
        return;
    }
    let bytes = frozen(&Task::go_nogo());
    let network = Deployed::read(&bytes).expect("a network");
    let experiment = Experiment::deployed(&network, &Task::go_nogo(), 1);
    let (image, wanted, _) = trial(&experiment, 0, FAULT_STEPS);
    for (what, file, from, to) in [
        // A synapse's weight loses its highest bit.
        (
            "width",
            "delivery.v",
            "{{8{synapse[15]}}, synapse[15:8]}",
            "{{9{synapse[14]}}, synapse[14:8]}",
        ),
        // Synapses rest at zero, so that their factors round down.
        (
            "rounding",
            "network.v",
            "REST = 32'sd32768",
            "REST = 32'sd0",
        ),
        // The membrane moves with the current at the step's end.
        (
            "order",
            "neuron.v",
            "distance1_q + (change >>> 1)",
            "distance1_q + change",
        ),
        ("multiplier", "deviates.v", "32'h93d7_65dd", "32'h93d7_65df"),
        (
            "noise",
            "generator.v",
            "64'd1442695040888963407",
            "64'd1442695040888963405",
        ),
        (
            "refractory time",
            "refractory.v",
            "refractory_steps_i + 1'b1",
            "refractory_steps_i",
        ),
    ] {
        let simulator = Simulator::build(Kind::Icarus, Some((file, from, to))).expect("it builds");
        let found = simulator
            .run(std::slice::from_ref(&image))
            .expect("it runs");
        assert!(found[0].0 != wanted, "{what}");
    }
}

#[test]
fn what_the_logic_does_not_have_is_refused_by_name() {
    let refused = |neuron: Neuron, task: Task| {
        let rate = RateNetwork::start(&RateOptions::published(task.clone(), 20));
        let spiking = one_to_one(&rate, 25.0, neuron).expect("a network");
        let step = TimeStep::new(0.5, Scheme::Exact).expect("a step");
        let bytes = quantize(&spiking, &task, &step).expect("it fits").bytes;
        let network = Deployed::read(&bytes).expect("a network");
        Image::of_self_test(&network).expect_err("a refusal")
    };
    let single = Neuron {
        rise_ms: 0.0,
        ..Neuron::LIF
    };
    assert_eq!(refused(single, Task::go_nogo()), Refusal::SingleFilter);
    let rhythm = Task::from_name("oscillation").expect("a task");
    let refusal = refused(Neuron::LIF, rhythm);
    assert!(refusal.to_string().contains("a rhythm"), "{refusal}");
}

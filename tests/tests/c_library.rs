//! The C library in `c/`: its header, its spikes on four emulated chips and on this
//! machine, its answers to wrong calls.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use fixed::types::I4F12;
use rate2spike::convert::one_to_one;
use rate2spike::data::{self, Settings};
use rate2spike::export::c;
use rate2spike::formats::npz::{Npz, Values};
use rate2spike::quantize::quantize;
use rate2spike::rate::activation::{ActivationKind, LIF_LAMBDA};
use rate2spike::rate::options::RateOptions;
use rate2spike::rate::training::train;
use rate2spike::spiking::neuron::Neuron;
use rate2spike::spiking::time_step::TimeStep;
use rate2spike::spiking::trial::Memory;
use rate2spike_core::State;
use rate2spike_core::blob::Deployed;
use rate2spike_core::decision::Evidence;
use rate2spike_core::neuron::Scheme;
use rate2spike_core::noise::Noise;
use rate2spike_core::preprocessing::ChainState;
use rate2spike_core::trial::{Run, SpikeHash};
use rate2spike_tests::emulator::repository;
use rate2spike_tests::has;

const TASKS: [&str; 3] = ["go-nogo", "xor", "mante"];

/// The target of this machine.
const DESKTOP: &str = "x86_64-unknown-linux-gnu";

/// A processor, its compiler and an emulated machine with it.
struct Chip {
    target: &'static str,
    compiler: &'static str,
    flags: &'static [&'static str],
    /// Where the machine has its code and its data: begin and bytes.
    code: (u32, u32),
    data: (u32, u32),
    emulator: &'static [&'static str],
}

const CHIPS: [Chip; 4] = [
    Chip {
        target: "thumbv6m-none-eabi",
        compiler: "arm-none-eabi-gcc",
        flags: &[
            "-mcpu=cortex-m0",
            "-mthumb",
            "-Wl,--defsym=__stack_size=0xc00",
        ],
        code: (0, 0x4_0000),
        data: (0x2000_0000, 0x4000),
        emulator: &["qemu-system-arm", "-M", "microbit"],
    },
    Chip {
        target: "thumbv7em-none-eabihf",
        compiler: "arm-none-eabi-gcc",
        flags: &[
            "-mcpu=cortex-m4",
            "-mthumb",
            "-mfloat-abi=hard",
            "-mfpu=fpv4-sp-d16",
        ],
        code: (0, 0x20_0000),
        data: (0x2000_0000, 0x10_0000),
        emulator: &["qemu-system-arm", "-M", "mps2-an386"],
    },
    Chip {
        target: "thumbv8m.main-none-eabihf",
        compiler: "arm-none-eabi-gcc",
        flags: &[
            "-mcpu=cortex-m33",
            "-mthumb",
            "-mfloat-abi=hard",
            "-mfpu=fpv5-sp-d16",
        ],
        code: (0x1000_0000, 0x20_0000),
        data: (0x3800_0000, 0x10_0000),
        emulator: &["qemu-system-arm", "-M", "mps2-an505"],
    },
    Chip {
        target: "riscv32imac-unknown-none-elf",
        compiler: "riscv64-unknown-elf-gcc",
        flags: &["-march=rv32imac", "-mabi=ilp32", "-mcmodel=medany"],
        code: (0x8000_0000, 0x20_0000),
        data: (0x8020_0000, 0x10_0000),
        emulator: &["qemu-system-riscv32", "-M", "virt", "-bios", "none"],
    },
];

/// The libraries of this machine and of all chips, built once.
fn libraries() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let targets = CHIPS.iter().map(|chip| chip.target).chain([DESKTOP]);
        let build = repository().join("c/build");
        run(Command::new(build).args(targets));
        repository().join("c/lib")
    })
}

fn run(command: &mut Command) -> Output {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?}\n{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    output
}

fn golden(task: &str) -> Vec<u8> {
    let path = repository().join(format!("core/tests/golden/{task}.snn"));
    std::fs::read(path).expect("a frozen network")
}

/// A folder with the exported golden network of a task.
fn project(task: &str) -> tempfile::TempDir {
    exported(&golden(task))
}

/// A folder with the exported network.
fn exported(bytes: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let deployed = Deployed::read(bytes).expect("a network");
    for file in c::files(&deployed, bytes) {
        std::fs::write(folder.path().join(file.name), file.bytes).expect("a writable folder");
    }
    folder
}

/// A network that was trained to tell three classes of recordings apart.
fn trained_on_data() -> &'static [u8] {
    static TRAINED: OnceLock<Vec<u8>> = OnceLock::new();
    TRAINED.get_or_init(|| {
        const TRIALS: usize = 60;
        const SAMPLES: usize = 20;
        let value = |place: usize| {
            let (trial, sample) = (place / SAMPLES, place % SAMPLES);
            let turns = (trial % 3 + 1) * (sample + 2 * trial);
            (turns as f64 * std::f64::consts::TAU / SAMPLES as f64).sin()
        };
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("waves.npz");
        let mut file = Npz::new();
        let inputs = (0..TRIALS * SAMPLES).map(value).collect();
        file.insert("inputs", &[TRIALS, SAMPLES], Values::F64(inputs));
        let labels = (0..TRIALS as i64).map(|trial| trial % 3).collect();
        file.insert("labels", &[TRIALS], Values::I64(labels));
        file.write(&path).expect("a writable folder");
        let settings = Settings {
            classes: Some(["slow", "middle", "fast"].map(String::from).into()),
            ..Settings::default()
        };
        let task = data::task(&path, settings).expect("a data set");
        let options = RateOptions {
            updates: 60,
            ..RateOptions::defaults(task.clone(), 30, ActivationKind::Lif)
        };
        let trained = train(&options, &mut ());
        let spiking = one_to_one(&trained.network, LIF_LAMBDA, Neuron::LIF).expect("a network");
        let step = TimeStep::new(0.5, Scheme::Exact).expect("a step");
        quantize(&spiking, &task, &step).expect("it fits").bytes
    })
}

/// Compiles `main` with the network in `project` for this machine, with the checks of the
/// compiler for memory and undefined behaviour, and runs it.
fn on_the_desktop(project: &Path, main: &Path) -> String {
    let program = project.join("program");
    run(Command::new("cc")
        .args([
            "-std=c99",
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Werror",
            "-g",
        ])
        .args(["-fsanitize=address,undefined", "-fno-sanitize-recover=all"])
        .arg("-I")
        .arg(project)
        .arg(main)
        .arg(project.join("network.c"))
        .arg(libraries().join(DESKTOP).join("librate2spike.a"))
        .arg("-o")
        .arg(&program));
    let output = run(&mut Command::new(&program));
    String::from_utf8(output.stdout).expect("text")
}

fn source(name: &str) -> PathBuf {
    repository().join("tests/tests/c").join(name)
}

#[test]
fn the_header_is_the_one_that_cbindgen_makes() {
    let folder = repository().join("c");
    let config =
        cbindgen::Config::from_file(folder.join("cbindgen.toml")).expect("a configuration");
    let bindings = cbindgen::Builder::new()
        .with_crate(&folder)
        .with_config(config)
        .generate()
        .expect("a header");
    let mut made = Vec::new();
    bindings.write(&mut made);
    let made = String::from_utf8(made).expect("text");
    // Rust's heading for what the caller vouches for.
    let made = made.replace("// # Safety", "// Needs:").into_bytes();
    let path = folder.join("include/rate2spike.h");
    if std::env::var_os("RATE2SPIKE_RENEW").is_some() {
        std::fs::write(&path, &made).expect("a writable folder");
    }
    let stored = std::fs::read(&path).expect("a header");
    assert!(
        stored == made,
        "{} is not what c/src says; renew it with RATE2SPIKE_RENEW=1",
        path.display()
    );
}

#[test]
fn the_self_test_is_equal_on_four_emulated_chips_and_on_this_machine() {
    let mut networks: Vec<(&str, Vec<u8>)> = TASKS.map(|task| (task, golden(task))).into();
    networks.push(("classes", trained_on_data().to_vec()));
    for (name, bytes) in &networks {
        let project = exported(bytes);
        if has(&["cc"]) {
            let said = on_the_desktop(project.path(), &project.path().join("main.c"));
            assert!(said.contains("EQUAL"), "{name}: {said}");
        }
    }
    for chip in CHIPS {
        if !has(&[chip.compiler, chip.emulator[0]]) {
            continue;
        }
        for (name, bytes) in &networks {
            let project = exported(bytes);
            let said = on_a_chip(&chip, project.path());
            assert!(said.contains("EQUAL"), "{}, {name}: {said}", chip.target);
        }
    }
}

/// Runs the project's own program in the emulator.
fn on_a_chip(chip: &Chip, project: &Path) -> String {
    let place = |name: &str, (begin, bytes): (u32, u32)| {
        [
            format!("-Wl,--defsym=__{name}={begin:#x}"),
            format!("-Wl,--defsym=__{name}_size={bytes:#x}"),
        ]
    };
    let program = project.join(format!("{}.elf", chip.target));
    run(Command::new(chip.compiler)
        .args([
            "--specs=picolibc.specs",
            "--oslib=semihost",
            "--crt0=semihost",
        ])
        .args(["-std=c99", "-O2", "-Wl,--gc-sections"])
        .args(chip.flags)
        .args(place("flash", chip.code))
        .args(place("ram", chip.data))
        .args([project.join("main.c"), project.join("network.c")])
        .arg(libraries().join(chip.target).join("librate2spike.a"))
        .arg("-o")
        .arg(&program));
    let output = run(Command::new("timeout")
        .arg("120")
        .args(chip.emulator)
        .args([
            "-nographic",
            "-semihosting-config",
            "enable=on,target=native",
        ])
        .arg("-kernel")
        .arg(&program));
    // QEMU passes the words of a chip on to stderr.
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_trial_in_c_has_the_spikes_and_the_answer_of_the_trial_in_rust() {
    if !has(&["cc"]) {
        return;
    }
    const SEED: u64 = 71;
    const TRIAL: u64 = 5;
    let mut networks: Vec<(&str, Vec<u8>)> = TASKS.map(|task| (task, golden(task))).into();
    // This one takes the integers of a sensor.
    networks.push(("classes", trained_on_data().to_vec()));
    for (task, bytes) in &networks {
        let network = Deployed::read(bytes).expect("a network");
        let clock = network.payload().clock;
        let chain = network.preprocessing();
        assert_eq!(chain.is_some(), *task == "classes");
        let shown: Vec<Vec<i32>> = (0..=clock.sample(clock.steps))
            .map(|sample| {
                let channels = network.self_test_input(0).len();
                let value = |channel: usize| (sample as usize / 11 + channel) % 4;
                (0..channels)
                    .map(|channel| value(channel) as i32 * 1500 - 1000)
                    .collect()
            })
            .collect();
        let mut filters = ChainState::default();
        let samples: Vec<Vec<I4F12>> = shown
            .iter()
            .map(|sample| match chain {
                Some(chain) => chain.apply(&mut filters, sample).to_vec(),
                None => sample.iter().map(|&x| I4F12::from_bits(x as i16)).collect(),
            })
            .collect();

        let mut memory = Memory::of(&network);
        let mut noise = Noise::new(SEED, TRIAL);
        let state = State::start(&network, memory.all(), &mut noise).expect("enough memory");
        let mut run = Run::new(&network, state, noise, clock);
        let (mut hash, mut evidence, mut spikes) = (SpikeHash::default(), Evidence::default(), 0);
        while let Some(step) = run.step(|sample| samples[sample as usize].as_slice()) {
            hash.add_step(step, run.state());
            spikes += run.state().fired().count();
            evidence.see(&network.payload().decision, step, run.state().outputs());
        }
        let answer = network.payload().decision.answer(&evidence);
        let output = run.state().output().to_bits();
        let wanted = format!("{:016x} {spikes} {answer} {output}\n", hash.value());
        assert!(spikes > 100, "{task}: the trial shows nothing");

        let project = exported(bytes);
        let mut text = format!(
            "#define SEED {SEED}u\n#define TRIAL {TRIAL}u\n#define SAMPLES {}u\n\
             static const {} INPUT[SAMPLES][{}] = {{\n",
            shown.len(),
            chain.map_or("int16_t", |_| "int32_t"),
            shown[0].len()
        );
        if chain.is_some() {
            text.insert_str(0, "#define SENSOR\n");
        }
        for sample in &shown {
            let values: Vec<String> = sample.iter().map(i32::to_string).collect();
            writeln!(text, "    {{{}}},", values.join(", ")).expect("a String takes text");
        }
        text.push_str("};\n");
        std::fs::write(project.path().join("samples.h"), text).expect("a writable folder");
        assert_eq!(
            on_the_desktop(project.path(), &source("trial.c")),
            wanted,
            "{task}"
        );
    }
}

#[test]
fn a_network_of_classes_has_its_outputs_and_the_names_of_its_classes() {
    if !has(&["cc"]) {
        return;
    }
    let project = exported(trained_on_data());
    let said = on_the_desktop(project.path(), &source("classes.c"));
    assert_eq!(said, "3 outputs: slow middle fast, 0 faults\n");
}

#[test]
fn each_wrong_call_is_answered_by_its_status() {
    if !has(&["cc"]) {
        return;
    }
    for task in TASKS {
        let project = project(task);
        assert_eq!(
            on_the_desktop(project.path(), &source("misuse.c")),
            "0 faults\n"
        );
    }
}

/// All functions, linked without any other library: what a chip's program can contain.
#[test]
fn the_linked_functions_have_no_panic_and_need_no_other_library() {
    let functions = [
        "r2s_memory_bytes",
        "r2s_open",
        "r2s_describe",
        "r2s_start",
        "r2s_set_input",
        "r2s_set_sample",
        "r2s_step",
        "r2s_outputs",
        "r2s_spikes",
        "r2s_answer",
        "r2s_class_name",
        "r2s_spike_hash",
        "r2s_self_test",
        "r2s_status_name",
        "r2s_status_text",
    ];
    let header = std::fs::read_to_string(repository().join("c/include/rate2spike.h"));
    let header = header.expect("a header");
    let declared = header.matches("(").count();
    for function in functions {
        assert!(header.contains(&format!("{function}(")), "{function}");
    }
    assert!(declared >= functions.len());
    for chip in CHIPS {
        let prefix = chip.compiler.trim_end_matches("gcc");
        let nm = format!("{prefix}nm");
        if !has(&[chip.compiler, &nm]) {
            continue;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("all.elf");
        let main = folder.path().join("main.c");
        std::fs::write(&main, "int main(void) { return 0; }\n").expect("a writable folder");
        run(Command::new(chip.compiler)
            .args(chip.flags)
            .args(["-nostdlib", "-Wl,--gc-sections", "-Wl,-e,main"])
            .args(functions.map(|function| format!("-Wl,--require-defined={function}")))
            .arg(&main)
            .arg(libraries().join(chip.target).join("librate2spike.a"))
            .arg("-o")
            .arg(&program));
        let symbols = run(Command::new(nm).arg(&program));
        let symbols = String::from_utf8_lossy(&symbols.stdout).into_owned();
        assert!(symbols.contains("r2s_step"), "{}", chip.target);
        for line in symbols.lines() {
            assert!(!line.contains(" U "), "{}: {line}", chip.target);
            assert!(!line.contains("panic"), "{}: {line}", chip.target);
        }
    }
}

#[test]
fn a_project_builds_with_cmake() {
    if !has(&["cc", "cmake"]) {
        return;
    }
    let project = project("xor");
    let build = project.path().join("build");
    libraries();
    run(Command::new("cmake")
        .arg("-S")
        .arg(project.path())
        .arg("-B")
        .arg(&build)
        .arg(format!(
            "-Drate2spike_DIR={}",
            repository().join("c/cmake").display()
        )));
    run(Command::new("cmake").arg("--build").arg(&build));
    let output = run(&mut Command::new(build.join("self_test")));
    assert!(String::from_utf8_lossy(&output.stdout).contains("EQUAL"));
}

//! The firmware in emulators: the same spikes as here, over the real protocol.
//!
//! A test whose emulator or target is missing prints the reason and does nothing; with
//! `RATE2SPIKE_REQUIRE_ALL=1` it fails.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rate2spike::board::BoardError;
use rate2spike::board::budget::{Budget, TRIALS};
use rate2spike::board::client::SampleBytes;
use rate2spike::board::comparison::compare;
use rate2spike::board::firmware::{Firmware, carried_elf};
use rate2spike::board::recording::{SentTrial, answered};
use rate2spike::board::session::{Reported, Runs, pair};
use rate2spike::board::target::Target;
use rate2spike::convert::one_to_one;
use rate2spike::formats::npz::{Npz, Values};
use rate2spike::formats::task::parse;
use rate2spike::quantize::quantize;
use rate2spike::rate::activation::{ActivationKind, LIF_LAMBDA};
use rate2spike::rate::options::RateOptions;
use rate2spike::rate::training::train;
use rate2spike::spiking::experiment::Experiment;
use rate2spike::spiking::neuron::Neuron;
use rate2spike::spiking::time_step::TimeStep;
use rate2spike::spiking::trial::Memory;
use rate2spike::task::Task;
use rate2spike_core::blob::{BlobError, Deployed, Stored};
use rate2spike_core::decision::Evidence;
use rate2spike_core::neuron::Scheme;
use rate2spike_core::noise::Noise;
use rate2spike_core::preprocessing::ChainState;
use rate2spike_core::trial::{Run, SpikeHash};
use rate2spike_protocol::Request;
use rate2spike_protocol::message::{FlashFault, NetworkFault, Refusal, TrialRequest};
use rate2spike_tests::calls::{Program, reachable};
use rate2spike_tests::emulator::{Board, Emulator, build, repository, request};
use rate2spike_tests::foretold::Foretold;
use rate2spike_tests::networks::{
    SENSOR_CHANNELS, analog_network, sensor_network, sensor_trial, with_outputs,
};

/// The frozen network of `task`: 200 units, steps of 0.1 ms.
fn network(task: Task) -> Vec<u8> {
    let name = format!("core/tests/golden/{}.snn", task.name());
    std::fs::read(repository().join(name)).expect("a frozen network")
}

fn experiment<'n>(deployed: &'n Deployed, task: Task) -> Experiment<'n, Deployed<'n>> {
    Experiment::deployed(deployed, &task, 1)
}

/// Trials of each task: an emulated Pico takes some seconds for one.
fn trials(board: Board) -> u64 {
    if board == Board::Rp2040 { 1 } else { 5 }
}

fn boards() -> impl Iterator<Item = Board> {
    Board::ALL.into_iter().filter(|board| board.is_ready())
}

#[test]
fn every_board_spikes_as_the_desktop_does_in_all_frozen_tasks() {
    for board in boards() {
        for task in [Task::go_nogo(), Task::xor(), Task::mante()] {
            let bytes = network(task.clone());
            let deployed = Deployed::read(&bytes).expect("a frozen network");
            let emulator = Emulator::start(board, &bytes, &[]);
            let (mut client, identity) = emulator.connect();
            assert_eq!(identity.network, Ok(deployed.checksum()));
            let test = client.self_test().expect("a self-test");
            assert_eq!(test.found, test.wanted, "{board:?}, {}", task.name());
            let experiment = experiment(&deployed, task.clone());
            let mut memory = Memory::of(&deployed);
            for index in 0..trials(board) {
                let pair = pair(&mut client, &experiment, &mut memory, index).expect("a trial");
                let name = format!("{board:?}, {}, trial {index}", task.name());
                assert_eq!(pair.board, pair.desktop, "{name}");
                assert!(pair.board.spikes > 100, "{name} shows nothing");
                assert_eq!(pair.cycles.steps, experiment.clock.steps, "{name}");
                println!("{name}: {:016x}", pair.board.spike_hash);
            }
        }
    }
}

/// The three frozen networks, and one with four classes.
#[test]
fn two_cores_of_a_pico_spike_as_one_and_as_the_desktop_do() {
    let classes = with_outputs(&rate2spike_tests::untrained(Task::go_nogo(), 100, 0.5), 4);
    let networks = [
        ("go-nogo", Task::go_nogo(), network(Task::go_nogo())),
        ("xor", Task::xor(), network(Task::xor())),
        ("mante", Task::mante(), network(Task::mante())),
        ("four classes", Task::go_nogo(), classes),
    ];
    for board in [Board::Rp2040, Board::Rp2040OneCore] {
        if !board.is_ready() {
            continue;
        }
        for (name, task, bytes) in &networks {
            let deployed = Deployed::read(bytes).expect("a network");
            let experiment = experiment(&deployed, task.clone());
            let emulator = Emulator::start(board, bytes, &[]);
            let (mut client, _) = emulator.connect();
            let mut memory = Memory::of(&deployed);
            let pair = pair(&mut client, &experiment, &mut memory, 0).expect("a trial");
            assert_eq!(pair.board, pair.desktop, "{board:?}, {name}");
            assert!(pair.board.spikes > 100, "{board:?}, {name}");
            let cycles = pair.cycles;
            let mean = cycles.total as f64 / f64::from(cycles.steps);
            println!(
                "{board:?}, {name}: {:016x}, {mean:.0} cycles a step, {} the slowest, {} the first",
                pair.board.spike_hash, cycles.worst, cycles.first
            );
        }
    }
}

#[test]
fn a_panic_on_either_core_starts_the_chip_anew_and_is_said() {
    if !Board::Rp2040.is_ready() {
        return;
    }
    let program = Program::read(&Board::Rp2040.build());
    let panics = program.functions("core::panicking::", "::panic_bounds_check");
    let [panic] = panics[..] else {
        panic!("one function that panics: {panics:?}");
    };
    // A small network, whose trials take the emulator a second.
    let bytes = rate2spike_tests::untrained(Task::go_nogo(), 20, 1.0);
    let mut emulator = Emulator::start(Board::Rp2040, &bytes, &[]);
    let most = Duration::from_secs(60);
    let is_answer = |line: &str| line.starts_with("said rate2spike rp2040: ");
    for core in [0, 1] {
        assert!(emulator.line(most, is_answer).is_some());
        emulator.order(&format!("panic {core} {panic}"));
        let said = emulator.line(most, |line| line.contains("anew"));
        let wanted = "said rate2spike rp2040: started anew: panic at harness.rs:7";
        assert_eq!(said.as_deref(), Some(wanted), "core {core}");
    }
    assert!(emulator.line(most, is_answer).is_some());
}

#[test]
fn a_board_with_a_floating_point_unit_steps_f32_as_the_desktop_does() {
    for board in boards().filter(|board| board.steps_f32()) {
        for task in [Task::go_nogo(), Task::xor(), Task::mante()] {
            let name = format!("core/tests/golden/f32/{}.snn", task.name());
            let bytes = std::fs::read(repository().join(name)).expect("a frozen network");
            let deployed = Deployed::<f32>::of(&bytes).expect("a frozen network");
            let emulator = Emulator::start(board, &bytes, &[]);
            let (mut client, identity) = emulator.connect();
            assert_eq!(identity.network, Ok(deployed.checksum()));
            let test = client.self_test().expect("a self-test");
            assert_eq!(test.found, test.wanted, "{board:?}, {}", task.name());
            let experiment = Experiment::deployed(&deployed, &task, 1);
            let mut memory = Memory::of(&deployed);
            for index in 0..2 {
                let pair = pair(&mut client, &experiment, &mut memory, index).expect("a trial");
                let name = format!("{board:?}, f32, {}, trial {index}", task.name());
                assert_eq!(pair.board, pair.desktop, "{name}");
                assert!(pair.board.spikes > 100, "{name} shows nothing");
                println!("{name}: {:016x}", pair.board.spike_hash);
            }
            let (mut on_board, mut here) = (Vec::new(), Vec::new());
            let mut sent = |_, bits: &[i32]| on_board.extend_from_slice(bits);
            let reported = Reported::Outputs(&mut sent);
            let run = client.run_trial(&experiment, 0, reported);
            run.expect("a trial");
            let trial = experiment.trial(0);
            experiment.watch(&mut memory, 0, &trial, |step, state| {
                if step % experiment.clock.steps_per_sample == 0 {
                    here.extend(state.outputs().iter().map(|output| output.bits()));
                }
            });
            assert_eq!(on_board, here, "{board:?}: outputs of {}", task.name());
        }
    }
}

#[test]
fn a_board_without_a_floating_point_unit_refuses_f32_by_its_reason() {
    let path = repository().join("core/tests/golden/f32/xor.snn");
    let bytes = std::fs::read(path).expect("a frozen network");
    for board in boards().filter(|board| !board.steps_f32()) {
        let emulator = Emulator::start(board, &bytes, &[]);
        let (_, identity) = emulator.connect();
        let wanted = NetworkFault::Blob(BlobError::Arithmetic(1));
        assert_eq!(identity.network, Err(wanted), "{board:?}");
    }
}

/// A trial of a network with a preprocessing on the desktop: the outputs at every
/// `every`-th step, the answer, and the hash of the spikes.
fn from_sensor(network: &Deployed, integers: &[i32], every: u32) -> (Vec<i32>, i16, u64) {
    let chain = network.preprocessing().expect("a preprocessing");
    let mut state = ChainState::default();
    let input: Vec<_> = integers
        .chunks(SENSOR_CHANNELS)
        .map(|sample| chain.apply(&mut state, sample))
        .collect();
    let mut memory = Memory::of(network);
    let mut noise = Noise::new(1, 0);
    let state = memory.start(network, &mut noise);
    let mut run = Run::new(network, state, noise, network.payload().clock);
    let decision = &network.payload().decision;
    let (mut outputs, mut evidence) = (Vec::new(), Evidence::default());
    let mut hash = SpikeHash::default();
    while let Some(step) = run.step(|sample| &input[(sample as usize).min(input.len() - 1)]) {
        let state = run.state();
        hash.add_step(step, state);
        evidence.see(decision, step, state.outputs());
        if step % every == 0 {
            outputs.extend(state.outputs().iter().map(|output| output.to_bits()));
        }
    }
    (outputs, decision.answer(&evidence), hash.value())
}

#[test]
fn a_board_answers_with_a_class_from_the_integers_of_a_sensor_as_the_desktop_does() {
    // More values than fit into a message, or into 4 KiB.
    const SAMPLES: u32 = 400;
    const EVERY: u16 = 50;
    let bytes = sensor_network(60, SAMPLES);
    let network = Deployed::read(&bytes).expect("a network");
    for board in boards() {
        let emulator = Emulator::start(board, &bytes, &[]);
        let (mut client, identity) = emulator.connect();
        assert_eq!(identity.network, Ok(network.checksum()), "{board:?}");
        let test = client.self_test().expect("a self-test");
        assert_eq!(test.found, test.wanted, "{board:?}");
        for index in 0..trials(board) as u32 {
            let integers = sensor_trial(SAMPLES, index);
            let (outputs, answer, hash) = from_sensor(&network, &integers, EVERY.into());
            let trial = TrialRequest {
                seed: 1,
                index: 0,
                samples: SAMPLES,
                label: answer,
                spikes: false,
                output_every: EVERY,
                live: false,
            };
            let input = SampleBytes::of_sensor(SENSOR_CHANNELS, &integers);
            let mut found: Vec<i32> = Vec::new();
            let outcome = client
                .run(&trial, &input, |_, _| {}, |_, values| found.extend(values))
                .expect("a trial");
            let name = format!("{board:?}, trial {index}");
            assert_eq!(outcome.spike_hash, hash, "{name}");
            assert_eq!(outcome.answer, answer, "{name}");
            assert!(
                outcome.correct && outcome.spikes > 100,
                "{name}: {outcome:?}"
            );
            assert_eq!(found, outputs, "{name}");
            println!("{name}: class {answer}, {hash:016x}");
        }
    }
}

/// A data set of whole numbers, as of a sensor: three channels, and three classes by the
/// channel that swings, or as targets the swing of each channel.
fn recorded(folder: &Path, name: &str, track: bool) -> Task {
    let (trials, samples, channels) = (60, 40, 3);
    let swing = |trial: usize, t: usize, k: usize| {
        let phase = 0.7 * trial as f64 + 0.35 * t as f64;
        if trial % channels == k {
            phase.sin()
        } else {
            0.0
        }
    };
    let (mut inputs, mut targets) = (Vec::new(), Vec::new());
    for trial in 0..trials {
        for (t, k) in (0..samples).flat_map(|t| (0..channels).map(move |k| (t, k))) {
            let noise = ((trial * 7919 + t * 104_729 + k * 31) % 61) as f64 - 30.0;
            inputs.push((8000.0 * swing(trial, t, k) + noise + 1000.0 * k as f64).round());
            targets.push(swing(trial, t, k));
        }
    }
    let mut file = Npz::new();
    file.insert("inputs", &[trials, samples, channels], Values::F64(inputs));
    if track {
        file.insert(
            "targets",
            &[trials, samples, channels],
            Values::F64(targets),
        );
    } else {
        let labels = (0..trials).map(|trial| (trial % channels) as f64);
        file.vector("labels", labels.collect());
    }
    file.number("sample_ms", 10.0);
    let path = folder.join(name);
    file.write(&path).expect("a file");
    parse(path.to_str().expect("UTF-8")).expect("a data set")
}

#[test]
fn a_board_scores_the_test_part_of_a_data_set_from_its_integers_as_the_desktop_does() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, track) in [("swings.npz", false), ("follow.npz", true)] {
        let task = recorded(folder.path(), name, track);
        let options = RateOptions {
            updates: 20,
            batch: 8,
            ..RateOptions::defaults(task.clone(), 30, ActivationKind::Lif)
        };
        let trained = train(&options, &mut ());
        let spiking = one_to_one(&trained.network, LIF_LAMBDA, Neuron::LIF).expect("a network");
        let step = TimeStep::new(0.5, Scheme::Exact).expect("a step");
        let bytes = quantize(&spiking, &task, &step).expect("a network").bytes;
        let deployed = Deployed::read(&bytes).expect("a network");
        assert_eq!(deployed.preprocessing().expect("a chain").channels(), 3);
        let experiment = experiment(&deployed, task.clone());
        let count = task.trials().expect("a data set");
        for board in boards() {
            let emulator = Emulator::start(board, &bytes, &[]);
            let (mut client, _) = emulator.connect();
            let shown = if board == Board::Rp2040 { 3 } else { count };
            let found = compare(&mut client, &experiment, shown, 1_000_000, || {});
            let found = found.expect("trials");
            assert!(found.equal, "{board:?}: {:?}", found.parts);
            assert_eq!(found.board, found.desktop, "{board:?}");
            assert_eq!(found.board.graded.is_some(), track);
            assert!(found.board.mean_rate_hz > 1.0, "{board:?}: {found:?}");
            println!("{board:?}, {name}: {:016x}", found.board.spike_hash);
        }
    }
}

#[test]
fn a_network_that_is_none_is_named_and_waited_for() {
    let whole = network(Task::xor());
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    let mut foreign = whole.clone();
    foreign[4] = u8::MAX;
    // The flash behind the network is erased, so that a network without its end counts as
    // damaged. A network whose length leads out of the flash counts as cut.
    let cut = whole[..whole.len() / 2].to_vec();
    let mut long = whole.clone();
    long[8..12].copy_from_slice(&0x00ff_ffffu32.to_le_bytes());
    type Wanted = fn(&NetworkFault) -> bool;
    let cases: [(&str, &[u8], Wanted); 5] = [
        ("nothing", &[0xff; 64], |fault| {
            matches!(fault, NetworkFault::Blob(BlobError::Magic(_)))
        }),
        ("damaged", &damaged, |fault| {
            matches!(fault, NetworkFault::Blob(BlobError::Checksum { .. }))
        }),
        ("foreign", &foreign, |fault| {
            matches!(fault, NetworkFault::Blob(BlobError::Layout(_)))
        }),
        ("cut", &cut, |fault| {
            matches!(fault, NetworkFault::Blob(BlobError::Checksum { .. }))
        }),
        ("long", &long, |fault| {
            matches!(fault, NetworkFault::Blob(BlobError::Short { .. }))
        }),
    ];
    for board in boards() {
        for (name, bytes, wanted) in cases {
            let emulator = Emulator::start(board, bytes, &[]);
            let (mut client, identity) = emulator.connect();
            let fault = identity.network.expect_err(name);
            assert!(wanted(&fault), "{board:?}, {name}: {fault:?}");
            match client.self_test() {
                Err(BoardError::Refused {
                    refusal: Refusal::NoNetwork(found),
                    ..
                }) => assert_eq!(found, fault),
                other => panic!("{board:?}, {name}: {other:?}"),
            }
            assert!(client.identify().is_ok(), "{board:?} still answers");
        }
    }
}

#[test]
fn a_network_beyond_the_firmwares_memory_is_refused() {
    let bytes = rate2spike_tests::untrained(Task::go_nogo(), 1025, 1.0);
    for board in boards() {
        let emulator = Emulator::start(board, &bytes, &[]);
        let (_, identity) = emulator.connect();
        let wanted = Err(NetworkFault::Units { found: 1025 });
        assert_eq!(identity.network, wanted, "{board:?}");
    }
}

#[test]
fn a_network_can_be_replaced_over_the_line_where_flash_can_be_written() {
    let (old, new) = (network(Task::go_nogo()), network(Task::xor()));
    let wanted = Deployed::read(&new).expect("a frozen network").checksum();
    for board in boards() {
        let options: &[&str] = if board == Board::Rp2040 {
            &["--rom"]
        } else {
            &[]
        };
        let emulator = Emulator::start(board, &old, options);
        let (mut client, _) = emulator.connect();
        match (board, client.replace(&new, |_| {})) {
            // QEMU's flash cannot be written; the board notices.
            (
                Board::Stm32f405,
                Err(BoardError::Refused {
                    refusal: Refusal::Flash(fault),
                    ..
                }),
            ) => assert_eq!(fault, FlashFault::Differs),
            (
                Board::M33,
                Err(BoardError::Refused {
                    refusal: Refusal::Flash(fault),
                    ..
                }),
            ) => assert_eq!(fault, FlashFault::Unavailable),
            (Board::Rp2040 | Board::Riscv, Ok(identity)) => {
                assert_eq!(identity.network, Ok(wanted), "{board:?}");
                let test = client.self_test().expect("a self-test");
                assert_eq!(test.found, test.wanted, "{board:?}");
                let quarter = Duration::from_millis(250);
                let read = emulator.line(quarter, |line| line.starts_with("flash read"));
                assert_eq!(read, None, "a core reads the flash while it is written");
            }
            (board, result) => panic!("{board:?}: {result:?}"),
        }
        assert!(client.identify().is_ok(), "{board:?} still answers");
    }
}

/// The tests of `firmware-example/app` make every cut, on a model of the flash in
/// memory.
#[test]
fn a_board_that_is_cut_off_while_its_network_is_replaced_keeps_it() {
    if !Board::Rp2040.is_ready() {
        return;
    }
    let (old, new) = (network(Task::go_nogo()), network(Task::xor()));
    let checksum = |bytes: &[u8]| Deployed::read(bytes).expect("a frozen network").checksum();
    let mut emulator = Emulator::start(Board::Rp2040, &old, &["--rom"]);
    let (client, _) = emulator.connect();
    drop(client);
    let bytes = new.len() as u32;
    let mut requests = vec![Request::Erase { bytes }];
    let pieces: Vec<_> = (0..).step_by(192).zip(new.chunks_exact(192)).collect();
    requests.extend(
        pieces
            .iter()
            .map(|&(offset, bytes)| Request::Write { offset, bytes }),
    );
    // The host sends nothing before the board's answer: more would not fit into its memory.
    for one in &requests[..requests.len() / 2] {
        request(emulator.port(), std::slice::from_ref(one), 1);
    }
    emulator.order("restart");
    let restarted = emulator.line(Duration::from_secs(60), |line| line == "restarted");
    assert!(restarted.is_some());
    let (mut client, identity) = emulator.connect();
    assert_eq!(identity.network, Ok(checksum(&old)), "the old one is whole");
    let test = client.self_test().expect("a self-test");
    assert_eq!(test.found, test.wanted);
    let identity = client.replace(&new, |_| {}).expect("it can be replaced");
    assert_eq!(identity.network, Ok(checksum(&new)));
    drop(client);
    emulator.order("restart");
    let (_, identity) = emulator.connect();
    assert_eq!(identity.network, Ok(checksum(&new)), "it stays");
}

#[test]
fn a_board_without_boot_rom_says_that_it_cannot_write_its_flash() {
    if !Board::Rp2040.is_ready() {
        return;
    }
    let bytes = network(Task::xor());
    let emulator = Emulator::start(Board::Rp2040, &bytes, &[]);
    let (mut client, before) = emulator.connect();
    match client.replace(&bytes, |_| {}) {
        Err(BoardError::Refused { refusal, .. }) => {
            assert_eq!(refusal, Refusal::Flash(FlashFault::Unavailable));
        }
        other => panic!("{other:?}"),
    }
    let after = client.identify().expect("it still answers");
    assert_eq!(after.network, before.network);
}

/// A million bytes go through the same code on the desktop, in the tests of
/// `firmware-example/app`.
#[test]
fn garbage_on_the_line_does_no_harm() {
    let bytes = network(Task::xor());
    for board in boards() {
        let emulator = Emulator::start(board, &bytes, &[]);
        let (client, before) = emulator.connect();
        drop(client);
        rate2spike_tests::emulator::pour(emulator.port(), 20_000);
        let (mut client, after) = emulator.connect();
        assert_eq!(after.network, before.network, "{board:?}");
        let test = client.self_test().expect("a self-test");
        assert_eq!(test.found, test.wanted, "{board:?}");
    }
}

#[test]
fn the_button_is_the_cue_and_the_light_the_answer() {
    if !Board::Rp2040.is_ready() {
        return;
    }
    let mut emulator = Emulator::start(Board::Rp2040, &network(Task::go_nogo()), &[]);
    let most = Duration::from_secs(60);
    // No press, no answer.
    let early = emulator.line(Duration::from_secs(5), |line| line == "light on");
    assert_eq!(early, None);
    emulator.order("press");
    let on = emulator.line(most, |line| line == "light on");
    assert!(on.is_some(), "the network answers the button");
    emulator.order("release");
    let off = emulator.line(most, |line| line == "light off");
    assert!(off.is_some(), "the answer ends with the trial");
}

#[test]
fn a_board_that_stands_still_starts_anew_and_says_so() {
    if !Board::Rp2040.is_ready() {
        return;
    }
    let mut emulator = Emulator::start(Board::Rp2040, &network(Task::go_nogo()), &[]);
    let most = Duration::from_secs(60);
    let answer = "said rate2spike rp2040: 0";
    assert!(emulator.line(most, |line| line == answer).is_some());
    emulator.order("hang");
    let watchdog = emulator.line(most, |line| line == "restarted by the watchdog");
    assert!(watchdog.is_some());
    let said = emulator.line(most, |line| line.starts_with("said"));
    let wanted = "said rate2spike rp2040: started anew: it stood still";
    assert_eq!(said.as_deref(), Some(wanted));
    assert!(emulator.line(most, |line| line == answer).is_some());
}

#[test]
fn the_board_sleeps_for_the_share_of_the_time_that_deploy_foretells() {
    if !Board::Rp2040.is_ready() {
        return;
    }
    let bytes = rate2spike_tests::untrained(Task::go_nogo(), 200, 0.5);
    let deployed = Deployed::read(&bytes).expect("a network");
    let experiment = experiment(&deployed, Task::go_nogo());
    let foretold = Budget::new(&Target::RP2040, &experiment, &bytes, TRIALS)
        .time
        .asleep;
    let mut emulator = Emulator::start(Board::Rp2040, &bytes, &[]);
    let most = Duration::from_secs(120);
    let ended = |line: &str| line.starts_with("said");
    let share = |emulator: &mut Emulator| {
        assert!(emulator.line(most, ended).is_some());
        emulator.order("asleep");
        let line = emulator.line(most, |line| line.starts_with("asleep "));
        let line = line.expect("the share");
        line["asleep ".len()..].parse::<f64>().expect("a number")
    };
    // From the end of one trial to the end of the next one.
    share(&mut emulator);
    let found = share(&mut emulator);
    println!("asleep {found:.3}, foretold {foretold:.3}");
    assert!(found > 0.5 && (found - foretold).abs() < 0.05);
}

#[test]
fn a_value_at_the_analog_input_becomes_a_class_on_the_line() {
    if !Board::Rp2040.is_ready() {
        return;
    }
    const SAMPLES: u32 = 100;
    let bytes = analog_network(60, SAMPLES, 1);
    let network = Deployed::read(&bytes).expect("a network");
    let mut emulator = Emulator::start(Board::Rp2040, &bytes, &[]);
    let most = Duration::from_secs(120);
    let mut seen = Vec::new();
    for value in [0, 1500, 4000] {
        emulator.order(&format!("analog {value}"));
        // The trial in which the value changes is left out.
        let mut said = None;
        for _ in 0..2 {
            said = emulator.line(most, |line| line.starts_with("said"));
        }
        let values = vec![value as f32; SAMPLES as usize];
        let (answer, _) = SentTrial::new(&network, &values).on_desktop(&network, 0);
        let name = network.class_name(answer).expect("a name");
        let name = String::from_utf8_lossy(name);
        assert_eq!(said, Some(format!("said rate2spike rp2040: {name}")));
        seen.push(answer);
    }
    seen.dedup();
    assert!(
        seen.len() > 1,
        "the values have different classes: {seen:?}"
    );
}

/// The chip stands still while conversions go on, so that the queue of the converter loses
/// some: the classes that follow are those of the same pins.
#[test]
fn the_analog_inputs_stay_in_their_order_when_the_queue_overflows() {
    if !Board::Rp2040.is_ready() {
        return;
    }
    const SAMPLES: u32 = 60;
    let bytes = analog_network(40, SAMPLES, 3);
    let network = Deployed::read(&bytes).expect("a network");
    // The classes of trials with this value at the last pin. Those of the board have other noise.
    let classes = |value: f32| -> BTreeSet<i16> {
        let values = [0.0, 0.0, value].repeat(SAMPLES as usize);
        let trial = SentTrial::new(&network, &values);
        (0..200)
            .map(|index| trial.on_desktop(&network, index).0)
            .collect()
    };
    let answer = match Vec::from_iter(classes(4095.0))[..] {
        [answer] => answer,
        ref several => panic!("the noise decides: {several:?}"),
    };
    assert!(
        !classes(0.0).contains(&answer),
        "the class tells the pins apart"
    );
    let name = network.class_name(answer).expect("a name");
    let expected = format!("said rate2spike rp2040: {}", String::from_utf8_lossy(name));
    let mut emulator = Emulator::start(Board::Rp2040, &bytes, &[]);
    let most = Duration::from_secs(120);
    let class = |emulator: &mut Emulator| {
        // The trial in which something changes is left out.
        (0..2).fold(None, |_, _| {
            emulator.line(most, |line| line.starts_with("said"))
        })
    };
    let missed = |emulator: &mut Emulator| {
        emulator.order("missed");
        let line = emulator.line(most, |line| line.starts_with("missed "));
        let line = line.expect("a number");
        line["missed ".len()..].parse::<u32>().expect("a number")
    };
    emulator.order("analog 0 0 4095");
    assert_eq!(class(&mut emulator).as_ref(), Some(&expected));
    let mut before = missed(&mut emulator);
    let mut shifts = BTreeSet::new();
    for stalled_ms in 7..12 {
        emulator.order(&format!("stall {stalled_ms}"));
        let found = class(&mut emulator);
        assert_eq!(found.as_ref(), Some(&expected), "{stalled_ms} ms");
        let now = missed(&mut emulator);
        shifts.insert((now - before) % 3);
        before = now;
    }
    assert!(
        shifts.iter().any(|&shift| shift != 0),
        "no conversion was lost that would move the channels"
    );
}

/// A data set of one channel with the numbers of an analog input, as a file `name`: the class
/// is the level around which the input swings.
fn levels(folder: &Path, name: &str) -> Task {
    let (trials, samples) = (60, 40);
    let value = |trial: usize, t: usize| {
        let level = 700.0 + 1300.0 * (trial % 3) as f64;
        let noise = ((trial * 7919 + t * 104_729) % 61) as f64 - 30.0;
        (level + 300.0 * (0.4 * t as f64 + trial as f64).sin() + noise).round()
    };
    let inputs = (0..trials).flat_map(|trial| (0..samples).map(move |t| value(trial, t)));
    let mut file = Npz::new();
    let shape = [trials, samples, 1];
    file.insert("inputs", &shape, Values::F64(inputs.collect()));
    file.vector("labels", (0..trials).map(|k| (k % 3) as f64).collect());
    file.number("sample_ms", 10.0);
    let path = folder.join(name);
    file.write(&path).expect("a file");
    parse(path.to_str().expect("UTF-8")).expect("a data set")
}

/// Plays trials of a data set to the sensor of an emulated Pico, which runs them in real time
/// without a host; `option` is the emulator's for the file of the recording. The classes on
/// the line must be those of the desktop for the same integers.
fn classes_in_real_time(task: &Task, option: impl Fn(&Path) -> String) {
    const TRIALS: u64 = 12;
    let options = RateOptions {
        updates: 1000,
        batch: 8,
        ..RateOptions::defaults(task.clone(), 30, ActivationKind::Lif)
    };
    let trained = train(&options, &mut ());
    let spiking = one_to_one(&trained.network, LIF_LAMBDA, Neuron::LIF).expect("a network");
    let step = TimeStep::new(0.5, Scheme::Exact).expect("a step");
    let bytes = quantize(&spiking, task, &step).expect("a network").bytes;
    let network = Deployed::read(&bytes).expect("a network");
    let trials: Vec<Vec<i32>> = (0..TRIALS).filter_map(|k| task.integers(k)).collect();
    let text: Vec<String> = trials.iter().flatten().map(i32::to_string).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let recording = folder.path().join("recording.txt");
    std::fs::write(&recording, text.join("\n")).expect("a writable folder");
    let mut emulator = Emulator::start(Board::Rp2040, &bytes, &[&option(&recording)]);
    let mut answers = Vec::new();
    for (index, integers) in (0..).zip(&trials) {
        let most = Duration::from_secs(120);
        let said = emulator.line(most, |line| line.starts_with("said"));
        let values: Vec<f32> = integers.iter().map(|&x| x as f32).collect();
        let (answer, _) = SentTrial::new(&network, &values).on_desktop(&network, index);
        let name = match network.class_name(answer) {
            Some(name) => String::from_utf8_lossy(name).into_owned(),
            None => answer.to_string(),
        };
        let wanted = format!("said rate2spike rp2040: {name}");
        assert_eq!(said, Some(wanted), "trial {index}");
        answers.push(answer);
    }
    emulator.order("asleep");
    let asleep = emulator.line(Duration::from_secs(10), |line| line.starts_with("asleep"));
    println!("{answers:?} {asleep:?}");
    answers.sort_unstable();
    answers.dedup();
    assert!(answers.len() > 1, "the classes differ");
}

#[test]
fn a_recorded_data_set_at_the_analog_input_is_answered_in_real_time_as_on_the_desktop() {
    if !Board::Rp2040.is_ready() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let task = levels(folder.path(), "levels.npz");
    // Conversions in a sample of 10 ms: the longest interval is 1.4 ms.
    classes_in_real_time(&task, |file| format!("--recording={}:8", file.display()));
}

#[test]
fn a_recorded_data_set_in_an_accelerometer_is_answered_in_real_time_as_on_the_desktop() {
    if !Board::Rp2040.is_ready() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let task = recorded(folder.path(), "swings.npz", false);
    classes_in_real_time(&task, |file| format!("--accelerometer={}", file.display()));
}

#[test]
fn a_recording_runs_in_real_time_and_the_spikes_are_those_of_the_desktop() {
    const SAMPLES: u32 = 100;
    let bytes = sensor_network(60, SAMPLES);
    let network = Deployed::read(&bytes).expect("a network");
    // Real time in QEMU is a thousand million instructions a second: one board is enough.
    for board in boards().filter(|board| !matches!(board, Board::Riscv | Board::M33)) {
        let emulator = Emulator::start(board, &bytes, &[]);
        let (mut client, _) = emulator.connect();
        for index in 0..1 {
            let integers = sensor_trial(SAMPLES, index);
            let values: Vec<f32> = integers.iter().map(|&x| x as f32).collect();
            let shown = SentTrial::new(&network, &values);
            let mut outputs = 0;
            let outcome = shown
                .on_board(&mut client, &network, index.into(), true, |_| outputs += 1)
                .expect("a trial");
            let answer = answered(&network, &shown, index.into(), &outcome);
            assert!(
                answer.equal || answer.missed_samples > 0,
                "{board:?}: {answer:?}"
            );
            assert_eq!(outputs, SAMPLES, "{board:?}");
            println!("{board:?}: {answer:?}");
        }
    }
}

#[test]
fn the_emulator_says_what_it_takes() {
    if !Board::Rp2040.is_ready() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a writable folder");
        path.display().to_string()
    };
    let uf2 = file("pico.uf2", b"UF2\nWQ]\x9e");
    let network = file("net.snn", b"R2SN");
    for (arguments, words) in [
        (vec![], "usage: node rp2040.js FIRMWARE.bin"),
        (vec!["missing.bin"], "cannot read missing.bin"),
        (vec![uf2.as_str()], "this is a UF2 file"),
        (vec![network.as_str()], "a network without a firmware"),
    ] {
        let output = Command::new("node")
            .arg(repository().join("tests/emulators/rp2040.js"))
            .args(&arguments)
            .output()
            .expect("node starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains(words), "{said}");
    }
}

/// The serial line at 115,200 baud of the board's time, whether the firmware takes the bytes
/// or not, and flash that takes its time. QEMU's line waits for the firmware, so that this is
/// seen on the RP2040 only.
#[test]
fn no_byte_at_the_true_rate_is_lost_at_any_moment() {
    if !Board::Rp2040.is_ready() {
        return;
    }
    const SAMPLES: u32 = 40;
    // Steps of up to a millisecond, in which twelve bytes arrive.
    let old = sensor_network(400, SAMPLES);
    let network = Deployed::read(&old).expect("a network");
    let mut emulator = Emulator::start(Board::Rp2040, &old, &["--rom", "--paced"]);
    // The first request arrives while the board runs trials of its own.
    let (mut client, identity) = emulator.connect();
    assert_eq!(identity.network, Ok(network.checksum()));
    let values = sensor_trial(SAMPLES, 0).into_iter().map(|x| x as f32);
    let shown = SentTrial::new(&network, &values.collect::<Vec<f32>>());
    for live in [false, true] {
        let outcome = shown.on_board(&mut client, &network, 0, live, |_| {});
        let answer = answered(&network, &shown, 0, &outcome.expect("a trial"));
        assert!(answer.equal || answer.missed_samples > 0, "{answer:?}");
    }
    drop(client);
    // Behind a request that takes long, without a pause: a self-test, and flash that is erased
    // and written.
    let new = rate2spike_tests::untrained(Task::xor(), 50, 0.5);
    let mut burst = vec![Request::SelfTest];
    burst.extend([Request::Identify; 12]);
    request(emulator.port(), &burst, burst.len());
    let bytes = new.len() as u32;
    let pieces = (0..).step_by(192).zip(new.chunks_exact(192)).take(2);
    let mut burst = vec![Request::Erase { bytes }];
    burst.extend(pieces.map(|(offset, bytes)| Request::Write { offset, bytes }));
    let [erase, rest] = [&burst[..1], &burst[1..]];
    request(emulator.port(), &[erase, rest].concat(), burst.len());
    let (mut client, _) = emulator.connect();
    let identity = client.replace(&new, |_| {}).expect("it is replaced");
    let checksum = Deployed::read(&new).expect("a network").checksum();
    assert_eq!(identity.network, Ok(checksum));
    emulator.order("lost");
    let lost = emulator.line(Duration::from_secs(10), |line| line.starts_with("lost"));
    assert_eq!(lost.as_deref(), Some("lost 0"));
}

#[test]
fn what_a_line_loses_is_asked_for_again() {
    if !Board::Rp2040.is_ready() {
        return;
    }
    const SAMPLES: u32 = 40;
    let old = sensor_network(60, SAMPLES);
    let network = Deployed::read(&old).expect("a network");
    for drop in ["--drop=331", "--drop=401"] {
        let emulator = Emulator::start(Board::Rp2040, &old, &["--rom", drop]);
        let (mut client, _) = emulator.connect();
        let values = sensor_trial(SAMPLES, 0).into_iter().map(|x| x as f32);
        let shown = SentTrial::new(&network, &values.collect::<Vec<f32>>());
        let outcome = shown.on_board(&mut client, &network, 0, false, |_| {});
        let answer = answered(&network, &shown, 0, &outcome.expect("a trial"));
        assert!(answer.equal, "{drop}: {answer:?}");
    }
    let new = rate2spike_tests::untrained(Task::xor(), 50, 0.5);
    let emulator = Emulator::start(Board::Rp2040, &old, &["--rom", "--drop=331"]);
    let (mut client, _) = emulator.connect();
    let identity = client.replace(&new, |_| {}).expect("it is replaced");
    let checksum = Deployed::read(&new).expect("a network").checksum();
    assert_eq!(identity.network, Ok(checksum));
}

/// Random bytes that go over the line; `RATE2SPIKE_RANDOM_BYTES` sets another number.
fn random_bytes() -> usize {
    let asked = std::env::var("RATE2SPIKE_RANDOM_BYTES").ok();
    asked.map_or(20_000, |count| count.parse().expect("a number of bytes"))
}

/// A line over USB: what goes through the serial line goes through it too.
#[test]
fn a_cable_is_all_that_a_pico_needs() {
    if !Board::Rp2040.is_ready() {
        return;
    }
    let old = network(Task::go_nogo());
    let new = rate2spike_tests::untrained(Task::xor(), 50, 0.5);
    let checksum = |bytes: &[u8]| Deployed::read(bytes).expect("a network").checksum();
    let mut emulator = Emulator::start(Board::Rp2040, &old, &["--usb", "--rom"]);
    let (mut client, identity) = emulator.connect();
    assert_eq!(identity.network, Ok(checksum(&old)));
    let test = client.self_test().expect("a self-test");
    assert_eq!(test.found, test.wanted);
    drop(client);
    // Unplugged in the middle of a replacement, with and without another supply: the old
    // network stays.
    let bytes = new.len() as u32;
    let pieces = (0..).step_by(192).zip(new.chunks_exact(192)).take(5);
    let mut half = vec![Request::Erase { bytes }];
    half.extend(pieces.map(|(offset, bytes)| Request::Write { offset, bytes }));
    for (order, done) in [("restart", "restarted"), ("replug", "plugged in")] {
        request(emulator.port(), &half, half.len());
        emulator.order(order);
        let seen = emulator.line(Duration::from_secs(10), |line| line == done);
        assert!(seen.is_some(), "{order}");
        let (_, identity) = emulator.connect();
        assert_eq!(identity.network, Ok(checksum(&old)), "{order}");
    }
    rate2spike_tests::emulator::pour(emulator.port(), random_bytes());
    let (mut client, identity) = emulator.connect();
    assert_eq!(identity.network, Ok(checksum(&old)));
    let identity = client.replace(&new, |_| {}).expect("it is replaced");
    assert_eq!(identity.network, Ok(checksum(&new)));
    let deployed = Deployed::read(&new).expect("a network");
    let experiment = experiment(&deployed, Task::xor());
    let mut memory = Memory::of(&deployed);
    let pair = pair(&mut client, &experiment, &mut memory, 0).expect("a trial");
    assert_eq!(pair.board, pair.desktop);
    // A stream of samples in real time, which come out as outputs.
    let samples = Task::xor().samples();
    let values: Vec<f32> = (0..2 * samples)
        .map(|k| f32::from(u8::from(k % 97 < 20)))
        .collect();
    let shown = SentTrial::new(&deployed, &values);
    let mut outputs = 0;
    let outcome = shown
        .on_board(&mut client, &deployed, 0, true, |_| outputs += 1)
        .expect("a trial");
    let answer = answered(&deployed, &shown, 0, &outcome);
    println!("{answer:?}");
    assert!(answer.equal || answer.missed_samples > 0, "{answer:?}");
    assert_eq!(outputs, samples);
}

#[test]
fn a_board_without_a_network_blinks() {
    if !Board::Rp2040.is_ready() {
        return;
    }
    let emulator = Emulator::start(Board::Rp2040, &[], &[]);
    for light in ["light on", "light off", "light on"] {
        let seen = emulator.line(Duration::from_secs(30), |line| line == light);
        assert!(seen.is_some(), "{light}");
    }
}

/// Networks that differ in nothing else: 100 units, steps of 0.5 ms.
#[test]
fn four_outputs_cost_a_board_less_than_a_third_more_than_one() {
    let single = rate2spike_tests::untrained(Task::go_nogo(), 100, 0.5);
    for board in [Board::Rp2040, Board::Stm32f405] {
        if !board.is_ready() {
            continue;
        }
        let [one, four] = [1, 4].map(|outputs| {
            let bytes = with_outputs(&single, outputs);
            let deployed = Deployed::read(&bytes).expect("a network");
            let experiment = experiment(&deployed, Task::go_nogo());
            let emulator = Emulator::start(board, &bytes, &[]);
            let (mut client, _) = emulator.connect();
            let mut memory = Memory::of(&deployed);
            let pair = pair(&mut client, &experiment, &mut memory, 0).expect("a trial");
            assert_eq!(pair.board, pair.desktop, "{board:?}, {outputs} outputs");
            let cycles = pair.cycles;
            board.cycles_of_a_count() * cycles.total as f64 / f64::from(cycles.steps)
        });
        println!("{board:?}: a step takes {one:.0} cycles with one output, {four:.0} with four");
        assert!(four > one && four < 4.0 / 3.0 * one, "{board:?}");
    }
}

fn without_cache(target: &Target) -> Target {
    Target {
        cache: None,
        ..*target
    }
}

#[test]
fn deploy_foretells_the_mean_and_the_slowest_step_within_a_tenth() {
    let (go, xor, mante) = (Task::go_nogo(), Task::xor(), Task::mante());
    let mut wrong = Vec::new();
    for (board, target) in [
        (Board::Rp2040, &Target::RP2040),
        (Board::Stm32f405, &Target::STM32F405),
        // The processor of the RP2350, whose flash is as fast as RAM in the emulator.
        (Board::M33, &without_cache(&Target::RP2350)),
    ] {
        if !board.is_ready() {
            continue;
        }
        for (task, units) in [
            (&go, 20),
            (&xor, 50),
            (&go, 100),
            (&xor, 100),
            (&mante, 200),
        ] {
            let bytes = rate2spike_tests::untrained(task.clone(), units, 0.5);
            let deployed = Deployed::read(&bytes).expect("a network");
            let experiment = experiment(&deployed, task.clone());
            let foretold = Foretold::new(board, target, &experiment, &bytes);
            let name = format!("{board:?}, {}, {units} units", task.name());
            println!("{name}: {foretold:.0?}");
            for beside in [foretold.mean, foretold.worst] {
                if (beside.ratio() - 1.0).abs() > 0.1 {
                    wrong.push((name.clone(), beside));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// Networks of the same density and rate, from which `deploy` calculates the largest one
/// that fits.
#[test]
fn a_small_network_says_how_large_one_may_become() {
    for (task, target) in [
        (Task::go_nogo(), &Target::RP2040),
        (Task::mante(), &Target::RP2040),
        (Task::go_nogo(), &Target::STM32F405),
    ] {
        let time = |units| {
            let bytes = rate2spike_tests::untrained(task.clone(), units, 0.5);
            let deployed = Deployed::read(&bytes).expect("a network");
            Budget::new(target, &experiment(&deployed, task.clone()), &bytes, TRIALS).time
        };
        let fits = |units: &usize| {
            let time = time(*units);
            time.cycles_worst <= time.cycles_available
        };
        let sizes = (100..1000).step_by(50).take_while(fits);
        let largest = sizes.last().expect("a network that fits") as f64;
        for units in [20, 50, 100] {
            let most = time(units).most_units as f64;
            println!(
                "{}, {}: {units} units, up to {most}, found {largest}",
                target.name,
                task.name()
            );
            assert!((most / largest - 1.0).abs() < 0.3, "{most} of {largest}");
        }
    }
}

#[test]
fn deploy_foretells_the_steps_of_a_network_in_f32_within_a_tenth() {
    assert!(Target::RP2040.in_f32().is_none());
    for (board, target) in [
        (Board::Stm32f405, Target::STM32F405),
        (Board::M33, without_cache(&Target::RP2350)),
    ] {
        if board.is_ready() {
            foretells_in_f32(board, &target.in_f32().expect("its firmware steps f32"));
        }
    }
}

fn foretells_in_f32(board: Board, target: &Target) {
    for task in [Task::go_nogo(), Task::xor(), Task::mante()] {
        let name = format!("core/tests/golden/f32/{}.snn", task.name());
        let bytes = std::fs::read(repository().join(name)).expect("a frozen network");
        let deployed = Deployed::<f32>::of(&bytes).expect("a frozen network");
        let experiment = Experiment::deployed(&deployed, &task, 1);
        let foretold = Foretold::new(board, target, &experiment, &bytes);
        println!("{board:?} in f32, {}: {foretold:.0?}", task.name());
        for beside in [foretold.mean, foretold.worst] {
            let off = beside.ratio() - 1.0;
            assert!(off.abs() < 0.1, "{board:?}, {}: {beside:?}", task.name());
        }
    }
}

#[test]
fn the_firmware_that_deploy_carries_runs_with_the_spikes_of_the_desktop() {
    let bytes = network(Task::go_nogo());
    let deployed = Deployed::read(&bytes).expect("a frozen network");
    let experiment = experiment(&deployed, Task::go_nogo());
    for (board, target) in [
        (Board::Rp2040, &Target::RP2040),
        (Board::Stm32f405, &Target::STM32F405),
    ] {
        if !board.is_ready() {
            continue;
        }
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), carried_elf(target)).expect("written");
        let emulator = Emulator::start_with(board, file.path(), &bytes, &[]);
        let (mut client, identity) = emulator.connect();
        assert_eq!(identity.board, target.name);
        let mut memory = Memory::of(&deployed);
        let pair = pair(&mut client, &experiment, &mut memory, 0).expect("a trial");
        assert_eq!(pair.board, pair.desktop, "{board:?}");
    }
}

/// No emulator has the peripherals of the RP2350, so that its firmware is looked at and not
/// run. Its step is the one that the emulated Cortex-M33 makes.
#[test]
fn the_firmware_of_the_pico_2_starts_where_its_chip_looks_and_runs_from_ram() {
    if !Board::M33.is_ready() {
        return;
    }
    let file = build("rp2350", Board::M33.target());
    let target = &Target::RP2350;
    let firmware = Firmware::read(&file, target).expect("a firmware that the chip starts");
    assert!(firmware.stack_room > 65_536, "{}", firmware.stack_room);
    let misfit = Firmware::read(&file, &Target::RP2040).expect_err("another chip");
    assert!(misfit.to_string().contains("boot stage"), "{misfit}");
    assert!(Firmware::read(&file, &Target::STM32F405).is_err());

    let word = |at: usize| {
        let bytes = firmware.image.bytes[at..].first_chunk();
        u32::from_le_bytes(*bytes.expect("four bytes"))
    };
    // The vector table: the end of the stack, and the start.
    assert_eq!(word(0), target.ram_address + target.ram_bytes as u32);
    assert_eq!(word(4) & 1, 1);
    assert!(((word(4) - target.flash_address) as usize) < firmware.image.bytes.len());
    let program = Program::read(&file);
    let names = [
        ("rate2spike_core::step::State", "::step"),
        ("", "UART0_IRQ"),
        ("", "TIMER0_IRQ_0"),
    ];
    for (start, end) in names {
        let found = program.functions(start, end);
        assert!(!found.is_empty(), "{end}");
        for address in found {
            assert!(address >= target.ram_address, "{end} at {address:#010x}");
        }
    }
}

#[test]
fn the_linked_step_has_no_panic_and_the_fixed_build_no_floating_point() {
    for board in [Board::Rp2040, Board::Stm32f405] {
        if !board.is_ready() {
            continue;
        }
        let program = Program::read(&board.build());
        let steps = program.functions("rate2spike_core::step::State", "::step");
        // One for each kind of number.
        assert_eq!(steps.len(), 1 + usize::from(board.steps_f32()), "{board:?}");
        // What the second core does is reached by an address in RAM.
        let elsewhere = match board {
            Board::Rp2040 => [
                program.functions("rate2spike_core::step::State", "::step_in_halves"),
                program.functions("rate2spike_rp2040::cores", "::does"),
            ]
            .concat(),
            _ => Vec::new(),
        };
        assert_eq!(elsewhere.is_empty(), board != Board::Rp2040);
        for step in steps.iter().chain(&elsewhere).copied() {
            let calls = reachable(&program, step);
            assert!(
                elsewhere.contains(&step) || calls.iter().any(|name| fires(name)),
                "{board:?}: the walk finds what the step calls: {calls:?}"
            );
            let panics: Vec<_> = calls.iter().filter(|name| name.contains("panic")).collect();
            assert!(panics.is_empty(), "{board:?}: {panics:?}");
        }
        let main = program.functions("rate2spike_", "::__cortex_m_rt_main");
        let [main] = main[..] else {
            panic!("{board:?}: one program has one start");
        };
        let elsewhere = reachable(&program, main);
        assert!(
            elsewhere.iter().any(|name| name.contains("panic")),
            "{board:?}: the walk finds a panic where there is one"
        );
        if board == Board::Rp2040 {
            let float: Vec<_> = program.names().filter(|name| is_float(name)).collect();
            assert!(float.is_empty(), "{float:?}");
        }
    }
}

/// Functions that let a unit fire.
fn fires(name: &str) -> bool {
    name.contains("::fire") || name.contains("units::Fires")
}

/// Routines of floating point, by the names of the ABI and of the compiler's
/// library.
fn is_float(name: &str) -> bool {
    let abi = [
        "__aeabi_f",
        "__aeabi_d",
        "__aeabi_i2",
        "__aeabi_ui2",
        "__aeabi_l2",
    ];
    abi.iter().any(|start| name.starts_with(start)) || name.contains("compiler_builtins::float")
}

//! Measures the emulated boards and prints a table of each:
//! `cargo run --release -p rate2spike-tests --bin boards`. With deployed networks
//! (`boards NET.snn …`) it prints the share of its time that a step of each takes.
//!
//! On the RP2040 a cycle is one of rp2040js, which counts by the tables of the
//! Cortex-M0+, with a model of the flash cache. The parts of a step are fitted without
//! that cache. On the STM32F405, and on the Cortex-M33 that stands for the RP2350, QEMU counts
//! instructions, which a factor turns into cycles. The flash of the Cortex-M33 is as fast as
//! its RAM, so that the steps of the RP2350 are not measured as a whole.

use std::path::PathBuf;

use rate2spike::board::client::{Identity, SampleBytes};
use rate2spike::board::session::{pair, reach, spikes};
use rate2spike::board::target::{Cost, Target};
use rate2spike::formats::elf::Elf;
use rate2spike::formats::snn::NetFile;
use rate2spike::spiking::experiment::{Experiment, task_trial};
use rate2spike::spiking::trial::Memory;
use rate2spike::task::Task;
use rate2spike_core::blob::Deployed;
use rate2spike_core::halves::second_half;
use rate2spike_core::prepared::units_a_step;
use rate2spike_core::preprocessing::OPERATION_BYTES;
use rate2spike_core::{Fixed, Network};
use rate2spike_protocol::message::{Cycles, FILTER_RAM_BYTES, Outcome, UNIT_RAM_BYTES};
use rate2spike_tests::emulator::{Board, Emulator, outcome};
use rate2spike_tests::foretold::Foretold;
use rate2spike_tests::networks::{
    SENSOR_CHANNELS, sensor_network, silent, with_channels, with_outputs, without_preprocessing,
};
use rate2spike_tests::untrained;

/// Seed of the trials.
const SEED: u64 = 1;

/// Step of the networks of the first table, in ms.
const STEP_MS: f64 = 0.5;

/// Units and steps in ms of the second table.
const REAL_TIME: [(usize, f64); 4] = [(200, 0.05), (200, 0.1), (200, 0.5), (1000, 0.5)];

/// The measurements of one network.
struct Row {
    units: usize,
    filters: usize,
    step_ms: f64,
    synapses: usize,
    blob_bytes: usize,
    state_bytes: usize,
    spikes: f64,
    delivered: f64,
    cycles: Cycles,
    /// Cycles of one count.
    scale: f64,
    identity: Identity,
}

fn main() {
    let named: Vec<(PathBuf, Vec<u8>)> = std::env::args_os()
        .skip(1)
        .map(PathBuf::from)
        .map(|path| match std::fs::read(&path) {
            Ok(bytes) => (path, bytes),
            Err(error) => panic!("{}: {error}", path.display()),
        })
        .collect();
    for board in boards() {
        if !board.is_ready() {
            continue;
        }
        if named.is_empty() {
            let sizes = [50, 200, 500, 1000].map(|n| untrained_of(n, STEP_MS));
            print(
                board,
                &sizes.each_ref().map(|network| measure(board, network)),
            );
            let options = without_cache(board);
            let rows = sizes
                .each_ref()
                .map(|network| measure_with(board, network, options));
            let outputs = print_outputs(board);
            print_cost(board, &rows, &outputs);
            print_real_time(
                board,
                &REAL_TIME.map(|(n, step_ms)| untrained_of(n, step_ms)),
            );
            if board != Board::Rp2040OneCore {
                print_foretold(board, &untrained_networks());
            }
        } else {
            println!("\n{board:?}");
            print_real_time(board, &named);
            if board != Board::Rp2040OneCore {
                print_foretold(board, &named);
            }
        }
    }
}

/// The boards, or those that the environment variable `RATE2SPIKE_BOARDS` names, with commas
/// between them.
fn boards() -> Vec<Board> {
    let wanted = std::env::var("RATE2SPIKE_BOARDS").ok();
    let all = [
        Board::Rp2040,
        Board::Rp2040OneCore,
        Board::Stm32f405,
        Board::M33,
    ];
    let is_wanted = |board: &Board| {
        let name = format!("{board:?}");
        let names = wanted.as_ref().map(|names| names.split(','));
        names.is_none_or(|mut names| names.any(|wanted| wanted == name))
    };
    all.into_iter().filter(is_wanted).collect()
}

/// Bytes of RAM that a unit of a network in fixed point takes.
fn unit_ram_bytes(board: Board) -> usize {
    match board {
        Board::Rp2040 => Target::RP2040.unit_ram_bytes::<Fixed>(),
        _ => UNIT_RAM_BYTES,
    }
}

/// An untrained network, and its name in messages.
fn untrained_of(units: usize, step_ms: f64) -> (PathBuf, Vec<u8>) {
    let name = format!("{units} units at {step_ms} ms");
    (name.into(), untrained(Task::go_nogo(), units, step_ms))
}

/// The options of an emulator whose flash is as fast as RAM.
fn without_cache(board: Board) -> &'static [&'static str] {
    match board {
        Board::Rp2040 | Board::Rp2040OneCore => &["--no-cache"],
        _ => &[],
    }
}

fn measure(board: Board, network: &(PathBuf, Vec<u8>)) -> Row {
    measure_with(board, network, &[])
}

fn measure_with(board: Board, (path, bytes): &(PathBuf, Vec<u8>), options: &[&str]) -> Row {
    let file = NetFile::new(path, bytes.clone()).unwrap_or_else(|error| panic!("{error}"));
    let task = file.task(None).unwrap_or_else(|error| panic!("{error}"));
    let deployed = file.deployed();
    let experiment = Experiment::deployed(&deployed, &task, SEED);
    let emulator = Emulator::start(board, bytes, options);
    let (mut client, _) = emulator.connect();
    let mut memory = Memory::of(&deployed);
    // A trial without a change of input, if there is one: its steps differ only in
    // their spikes.
    let index = (0..20)
        .find(|&index| task_trial(&task, SEED, index).label == 0)
        .unwrap_or(0);
    let pair = pair(&mut client, &experiment, &mut memory, index).expect("a trial");
    assert_eq!(pair.board, pair.desktop);
    let (spikes, delivered) = after_first_step(&experiment, index);
    let units = deployed.constants().units;
    let filters = deployed.banks().filters_in_all();
    Row {
        units,
        filters,
        step_ms: experiment.step_ms,
        synapses: deployed.synapses(),
        blob_bytes: bytes.len(),
        state_bytes: unit_ram_bytes(board) * units + FILTER_RAM_BYTES * filters,
        spikes: spikes as f64,
        delivered: delivered as f64,
        cycles: pair.cycles,
        scale: board.cycles_of_a_count(),
        identity: client.identify().expect("it still answers"),
    }
}

/// A new input in a network of few spikes.
struct NewInput {
    units: f64,
    /// Cycles of all steps.
    cycles: f64,
    /// Steps that compute drives.
    parts: f64,
}

/// A new input on `channels` channels of a network of `units` units: each sample differs from
/// the one before.
fn new_input(board: Board, units: usize, channels: u8) -> NewInput {
    let (_, bytes) = untrained_of(units, STEP_MS);
    let bytes = silent(&with_channels(&bytes, channels));
    let network = Deployed::read(&bytes).expect("a network");
    let clock = network.payload().clock;
    let channels = usize::from(channels);
    let samples = clock.sample(clock.steps) as usize + 1;
    let changing: Vec<i16> = (0..channels * samples)
        .map(|k| (k / channels % 2 == 1).into())
        .collect();
    let inputs = [vec![0; channels * samples], changing];
    let inputs = inputs.map(|input| SampleBytes::of_input(channels, &input));
    let [still, changing] = with_inputs(board, &bytes, inputs).map(|outcome| outcome.cycles);
    let more = board.cycles_of_a_count() * (changing.total as f64 - still.total as f64);
    let cores = target(board).cores;
    let of_core = match cores {
        1 => units,
        _ => units - second_half(&network),
    };
    let part = cores * units_a_step(of_core, clock.steps_per_sample - 1);
    NewInput {
        units: units as f64,
        cycles: more / (samples - 1) as f64,
        parts: units.div_ceil(part) as f64,
    }
}

/// The outcomes of trials with these inputs, without a cache.
fn with_inputs<const K: usize>(
    board: Board,
    bytes: &[u8],
    inputs: [SampleBytes; K],
) -> [Outcome; K] {
    let emulator = Emulator::start(board, bytes, without_cache(board));
    let (mut client, _) = emulator.connect();
    inputs.map(|input| outcome(&mut client, SEED, 0, &input))
}

/// Cycles of an operation of the preprocessing: the difference between a network with nine
/// of them and the same network without.
fn operation(board: Board) -> f64 {
    const SAMPLES: u32 = 100;
    let sensor = silent(&sensor_network(60, SAMPLES));
    let plain = without_preprocessing(&sensor);
    let count = Deployed::read(&sensor).expect("a network");
    let count = count.payload().preprocessing.len() / OPERATION_BYTES;
    let samples = SAMPLES as usize;
    let [with] = with_inputs(
        board,
        &sensor,
        [SampleBytes::of_sensor(
            SENSOR_CHANNELS,
            &vec![0; SENSOR_CHANNELS * samples],
        )],
    );
    let [without] = with_inputs(
        board,
        &plain,
        [SampleBytes::of_input(4, &vec![0; 4 * samples])],
    );
    let more = with.cycles.total as f64 - without.cycles.total as f64;
    board.cycles_of_a_count() * more / (samples * count) as f64
}

/// Spikes behind the first step, and the synapses that they reach.
fn after_first_step(experiment: &Experiment<Deployed>, index: u64) -> (usize, usize) {
    let spikes = spikes(experiment, index);
    let units = spikes
        .iter()
        .filter(|(step, _)| *step > 1)
        .map(|(_, unit)| *unit);
    let delivered = units
        .clone()
        .map(|unit| reach(experiment.network, unit.into()))
        .sum();
    (units.count(), delivered)
}

impl Row {
    fn quiet(&self) -> f64 {
        self.scale * self.cycles.quiet_total as f64 / f64::from(self.cycles.quiet_steps)
    }

    fn start(&self) -> f64 {
        self.scale * f64::from(self.cycles.start)
    }

    fn mean(&self) -> f64 {
        self.scale * self.cycles.total as f64 / f64::from(self.cycles.steps)
    }

    /// Cycles for the spikes of all steps, the first excluded; a step without spikes
    /// takes `quiet` cycles.
    fn spiking(&self, quiet: f64) -> f64 {
        let steps = f64::from(self.cycles.steps - 1);
        self.scale * (self.cycles.total as f64 - f64::from(self.cycles.first)) - quiet * steps
    }
}

/// The cycles of new input among those of a step's parts; the others are those of `known`.
fn input_cost(board: Board, known: Cost) -> Cost {
    // cycles = units · (unit + take) + sample + parts · part, in networks of three sizes.
    let solved = |channels| {
        let [a, b, c] = [20, 50, 200].map(|units| new_input(board, units, channels));
        let [first, second] = [(&a, &b), (&b, &c)].map(|(few, many)| NewInput {
            units: many.units - few.units,
            cycles: many.cycles - few.cycles,
            parts: many.parts - few.parts,
        });
        let determinant = first.units * second.parts - second.units * first.parts;
        let unit = (first.cycles * second.parts - second.cycles * first.parts) / determinant;
        let part = (first.units * second.cycles - second.units * first.cycles) / determinant;
        let sample = a.cycles - a.units * unit - a.parts * part;
        (unit - known.take, part, sample)
    };
    let few_inputs = [1, 2, 3, 4].map(solved);
    let (five, ten) = (solved(5), solved(10));
    let channel = (ten.0 - five.0) / 5.0;
    let sample_channel = (few_inputs[3].2 - few_inputs[0].2) / 3.0;
    Cost {
        few_inputs: few_inputs.map(|(unit, ..)| unit),
        inputs: five.0 - 5.0 * channel,
        channel,
        part: few_inputs.iter().map(|(_, part, _)| part).sum::<f64>() / 4.0,
        sample: few_inputs[0].2 - sample_channel,
        sample_channel,
        ..known
    }
}

/// Cycles of the parts of a step, from networks of different sizes and with different
/// numbers of outputs.
fn fitted(board: Board, rows: &[Row], outputs: &[Row]) -> Cost {
    let (one, many) = (&outputs[0], &outputs[outputs.len() - 1]);
    let filter = (many.quiet() - one.quiet()) / (many.filters - one.filters) as f64;
    let [small, large] = [50, 500].map(|units| {
        let (path, bytes) = untrained_of(units, STEP_MS);
        measure_with(board, &(path, silent(&bytes)), without_cache(board))
    });
    let unit = (large.quiet() - small.quiet()) / (large.units - small.units) as f64;
    let quiet = |row: &Row| small.quiet() + unit * (row.units as f64 - small.units as f64);
    // spiking = spike · spikes + synapse · delivered, of two networks.
    let (few, many) = (&rows[1], &rows[3]);
    let spiking = |row: &Row| row.spiking(quiet(row));
    let determinant = few.spikes * many.delivered - many.spikes * few.delivered;
    let spike = (spiking(few) * many.delivered - spiking(many) * few.delivered) / determinant;
    let known = target(board).cost;
    Cost {
        step: small.quiet() - unit * small.units as f64 - filter * small.filters as f64,
        filter,
        unit,
        operation: operation(board),
        // The cycles of `release`, `take` and of the end of the start are counted in the
        // listing of the firmware.
        spike: spike - known.release,
        synapse: (few.spikes * spiking(many) - many.spikes * spiking(few)) / determinant,
        start: rows[3].start() / rows[3].units as f64,
        ..input_cost(board, known)
    }
}

fn print_cost(board: Board, rows: &[Row], outputs: &[Row]) {
    println!("\nwithout a cache: {:.1?}", fitted(board, rows, outputs));
    println!("`deploy` counts with: {:.1?}", target(board).cost);
}

/// Share of the time of a step that the processor needs for it.
fn print_real_time(board: Board, networks: &[(PathBuf, Vec<u8>)]) {
    let target = target(board);
    println!(
        "\n| N | step, ms | spikes a unit, Hz | mean step, % of its time | worst step | first step, in steps |"
    );
    println!("|---|---|---|---|---|---|");
    for row in networks.iter().map(|network| measure(board, network)) {
        let available = row.step_ms * 1e-3 * target.clock_hz;
        let seconds = f64::from(row.cycles.steps) * row.step_ms * 1e-3;
        println!(
            "| {} | {} | {:.1} | {:.0} | {:.0} | {:.1} |",
            row.units,
            row.step_ms,
            row.spikes / row.units as f64 / seconds,
            100.0 * row.mean() / available,
            100.0 * row.scale * f64::from(row.cycles.worst) / available,
            row.scale * f64::from(row.cycles.first) / available,
        );
    }
}

/// Untrained networks of the three tasks, of several sizes.
fn untrained_networks() -> Vec<(PathBuf, Vec<u8>)> {
    let (go, xor, mante) = (Task::go_nogo(), Task::xor(), Task::mante());
    let networks = [
        (&go, 20),
        (&xor, 50),
        (&mante, 50),
        (&go, 100),
        (&xor, 100),
        (&mante, 200),
        (&go, 500),
        (&mante, 500),
        (&go, 1000),
    ];
    let network = |(task, units): (&Task, usize)| {
        let name = format!("{}, {units} units, untrained", task.name());
        (name.into(), untrained(task.clone(), units, STEP_MS))
    };
    networks.map(network).into()
}

/// The mean and the slowest step that `deploy` foretells, beside the measured ones.
fn print_foretold(board: Board, networks: &[(PathBuf, Vec<u8>)]) {
    println!(
        "\n| network | N | channels | step, ms | mean step: foretold | measured | worst step: foretold | measured | foretold / measured |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for (path, bytes) in networks {
        let file = NetFile::new(path, bytes.clone()).unwrap_or_else(|error| panic!("{error}"));
        let task = file.task(None).unwrap_or_else(|error| panic!("{error}"));
        let deployed = file.deployed();
        let experiment = Experiment::deployed(&deployed, &task, SEED);
        let foretold = Foretold::new(board, &target(board), &experiment, file.bytes());
        let (mean, worst) = (foretold.mean, foretold.worst);
        println!(
            "| {} | {} | {} | {} | {:.0} | {:.0} | {:.0} | {:.0} | {:.3} |",
            path.file_stem().unwrap_or_default().to_string_lossy(),
            deployed.constants().units,
            deployed.constants().inputs,
            experiment.step_ms,
            mean.foretold,
            mean.measured,
            worst.foretold,
            worst.measured,
            worst.ratio(),
        );
    }
}

/// `deploy` prices the usual firmware, which uses both cores of an RP2040.
fn target(board: Board) -> Target {
    match board {
        Board::Rp2040 | Board::Rp2040OneCore => Target::RP2040,
        // No flash waits in the emulator.
        Board::M33 => Target {
            cache: None,
            ..Target::RP2350
        },
        _ => Target::STM32F405,
    }
}

fn print(board: Board, rows: &[Row]) {
    let bytes = std::fs::read(board.build()).expect("the firmware just built");
    let firmware = Elf::from_bytes(&bytes).expect("a linked firmware");
    let loaded = firmware.segments.iter().map(|segment| segment.bytes.len());
    println!("\n{board:?}\n");
    println!(
        "firmware {} bytes of flash, {} bytes of static RAM, {} bytes of stack used\n",
        loaded.sum::<usize>(),
        firmware.static_ram,
        rows.iter()
            .map(|row| row.identity.stack_bytes)
            .max()
            .unwrap_or(0)
    );
    println!(
        "| N | synapses | flash, bytes | a synapse | RAM, bytes | step without spikes | a unit | mean step | worst step | first step | trial of 1 s, million cycles |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for row in rows {
        println!(
            "| {} | {} | {} | {:.2} | {} | {:.0} | {:.1} | {:.0} | {:.0} | {:.0} | {:.1} |",
            row.units,
            row.synapses,
            row.blob_bytes,
            row.blob_bytes as f64 / row.synapses as f64,
            row.state_bytes,
            row.quiet(),
            row.quiet() / row.units as f64,
            row.mean(),
            row.scale * f64::from(row.cycles.worst),
            row.scale * f64::from(row.cycles.first),
            row.scale * row.cycles.total as f64 / 1e6,
        );
    }
}

/// The cost of several outputs: networks of 100 units that differ in nothing else.
fn print_outputs(board: Board) -> Vec<Row> {
    println!(
        "\n| outputs | flash, bytes | RAM of the filters, bytes | mean step | step without spikes |"
    );
    println!("|---|---|---|---|---|");
    let (name, single) = untrained_of(100, STEP_MS);
    let measured = [1, 4, 10].map(|outputs| {
        let network = (name.clone(), with_outputs(&single, outputs));
        let row = measure_with(board, &network, without_cache(board));
        println!(
            "| {outputs} | {} | {} | {:.0} | {:.0} |",
            row.blob_bytes,
            row.state_bytes - unit_ram_bytes(board) * row.units,
            row.mean(),
            row.quiet(),
        );
        row
    });
    measured.into()
}

//! Measures the parts of a step in f32 on the emulated STM32F405 and on the emulated
//! Cortex-M33, for `deploy`: `cargo run --release -p rate2spike-tests --bin float_cost`. QEMU
//! counts instructions, which become cycles as in the program `boards`.

use rate2spike::board::client::{Client, SampleBytes};
use rate2spike::board::session::{reach, spikes};
use rate2spike::board::target::{Cost, Target};
use rate2spike::convert::one_to_one;
use rate2spike::quantize::floating::quantize_f32;
use rate2spike::rate::network::RateNetwork;
use rate2spike::rate::options::{DecayTaus, RateOptions};
use rate2spike::spiking::experiment::Experiment;
use rate2spike::spiking::network::SpikingNetwork;
use rate2spike::spiking::neuron::Neuron;
use rate2spike::spiking::time_step::TimeStep;
use rate2spike::task::Task;
use rate2spike_core::blob::Deployed;
use rate2spike_core::neuron::Scheme;
use rate2spike_core::prepared::units_a_step;
use rate2spike_core::step::FADE_STEPS;
use rate2spike_protocol::message::Outcome;
use rate2spike_tests::emulator::{Board, Emulator, outcome};

/// Seed of the trials.
const SEED: u64 = 1;

/// Drive that keeps each unit below its threshold, in mV.
const SILENT_MV: f64 = -100.0;

/// A network that was never trained, as the program `boards` has it.
fn untrained(units: usize) -> SpikingNetwork {
    let options = RateOptions {
        dale: false,
        taus: DecayTaus::from_numbers(&[4.0, 20.0]).expect("two taus"),
        updates: 1,
        ..RateOptions::published(Task::go_nogo(), units)
    };
    one_to_one(&RateNetwork::start(&options), 25.0, Neuron::LIF).expect("a network")
}

fn silent(units: usize) -> SpikingNetwork {
    SpikingNetwork {
        offset_mv: vec![SILENT_MV; units],
        ..untrained(units)
    }
}

fn bytes(network: &SpikingNetwork) -> Vec<u8> {
    let step = TimeStep::new(0.5, Scheme::Exact).expect("a step");
    let made = quantize_f32(network, &Task::go_nogo(), &step);
    made.expect("it fits").bytes
}

/// A trial with this input, sample by sample.
fn run(client: &mut Client, channels: usize, input: &[i16]) -> Outcome {
    outcome(client, SEED, 0, &SampleBytes::of_input(channels, input))
}

/// A trial without a change of input.
fn still(board: Board, network: &SpikingNetwork) -> Outcome {
    let emulator = Emulator::start(board, &bytes(network), &[]);
    let (mut client, _) = emulator.connect();
    run(&mut client, network.channels, &vec![0; network.channels])
}

fn quiet(board: Board, outcome: &Outcome) -> f64 {
    let cycles = &outcome.cycles;
    board.cycles_of_a_count() * cycles.quiet_total as f64 / f64::from(cycles.quiet_steps)
}

/// The board that the emulated one stands for.
fn target(board: Board) -> &'static Target {
    match board {
        Board::M33 => &Target::RP2350,
        _ => &Target::STM32F405,
    }
}

/// Cycles in which the drive of a unit is computed from `channels` channels.
fn input(board: Board, channels: usize) -> f64 {
    const UNITS: usize = 200;
    /// Samples of 5 ms, and steps of 0.5 ms.
    const STEPS_PER_SAMPLE: u32 = 10;
    let network = silent(UNITS);
    let network = SpikingNetwork {
        channels,
        input_weights: network.input_weights.repeat(channels),
        ..network
    };
    let emulator = Emulator::start(board, &bytes(&network), &[]);
    let (mut client, _) = emulator.connect();
    let samples = Task::go_nogo().samples();
    let unchanged = run(&mut client, channels, &vec![0; channels * samples]);
    let changes = |k: usize| (k.is_multiple_of(channels) && k / channels % 2 == 1).into();
    let changing: Vec<i16> = (0..channels * samples).map(changes).collect();
    let changing = run(&mut client, channels, &changing);
    let more = changing.cycles.total - unchanged.cycles.total;
    let step = board.cycles_of_a_count() * more as f64 / samples as f64;
    // Taking the drives, and the steps that compute them, cost as in fixed point.
    let known = target(board).cost;
    let parts = UNITS.div_ceil(units_a_step(UNITS, STEPS_PER_SAMPLE - 1)) as f64;
    (step - known.sample(channels) - parts * known.part) / UNITS as f64 - known.take
}

/// Spikes behind the first step, the synapses that they reach, and their cycles beside
/// those of steps without spikes.
fn spiking(board: Board, units: usize, quiet: f64) -> [f64; 3] {
    let network = untrained(units);
    let bytes = bytes(&network);
    let deployed = Deployed::<f32>::of(&bytes).expect("a network");
    let experiment = Experiment::deployed(&deployed, &Task::go_nogo(), SEED);
    // A trial without a cue.
    let index = (0..20).find(|&index| experiment.trial(index).label == 0);
    let index = index.expect("a trial without a cue");
    let later: Vec<u16> = spikes(&experiment, index)
        .into_iter()
        .filter(|(step, _)| *step > 1)
        .map(|(_, unit)| unit)
        .collect();
    let delivered: usize = later
        .iter()
        .map(|&unit| reach(&deployed, unit.into()))
        .sum();
    let emulator = Emulator::start(board, &bytes, &[]);
    let (mut client, _) = emulator.connect();
    let input = SampleBytes::of_input(1, &[0]);
    let cycles = outcome(&mut client, SEED, index, &input).cycles;
    let steps = f64::from(cycles.steps - 1);
    let total = board.cycles_of_a_count() * (cycles.total as f64 - f64::from(cycles.first));
    [later.len() as f64, delivered as f64, total - quiet * steps]
}

fn main() {
    for board in [Board::Stm32f405, Board::M33] {
        if board.is_ready() {
            println!("f32 on {board:?}: {:.1?}", cost(board));
        }
    }
}

fn cost(board: Board) -> Cost {
    let scale = board.cycles_of_a_count();
    let quiet = |outcome: &Outcome| quiet(board, outcome);
    let [small, large] = [50, 500].map(|units| still(board, &silent(units)));
    let more = 450.0;
    let mean = (quiet(&large) - quiet(&small)) / more;
    let worst = |outcome: &Outcome| scale * f64::from(outcome.cycles.worst);
    // The mean step has its share of the steps that end synapses.
    let share = 1.0 / f64::from(FADE_STEPS);
    let fade = ((worst(&large) - worst(&small)) / more - mean) / (1.0 - share);
    let unit = mean - share * fade;
    let one = silent(50);
    let ten = SpikingNetwork {
        readout: rate2spike::readout::Readout {
            weights: one.readout.weights.repeat(10),
            offset: one.readout.offset.repeat(10),
        },
        ..one
    };
    let filter = (quiet(&still(board, &ten)) - quiet(&small)) / 72.0;
    let [few, many] = [100, 600].map(|units| {
        let quiet = quiet(&small) + mean * (units as f64 - 50.0);
        spiking(board, units, quiet)
    });
    let determinant = few[0] * many[1] - many[0] * few[1];
    let spike = (few[2] * many[1] - many[2] * few[1]) / determinant;
    let (five, ten) = (input(board, 5), input(board, 10));
    let channel = (ten - five) / 5.0;
    // The refractory time and the samples of a sensor are counted as in fixed point.
    let known = target(board).cost;
    let release = known.release;
    Cost {
        step: quiet(&small) - 50.0 * mean - 8.0 * filter,
        filter,
        unit,
        few_inputs: [1, 2, 3, 4].map(|channels| input(board, channels)),
        inputs: five - 5.0 * channel,
        channel,
        part: known.part,
        take: known.take,
        sample: known.sample,
        sample_channel: known.sample_channel,
        operation: known.operation,
        spike: spike - release,
        synapse: (few[0] * many[2] - many[0] * few[2]) / determinant,
        release,
        end_start: known.end_start,
        fade,
        start: scale * f64::from(large.cycles.start - small.cycles.start) / more,
    }
}

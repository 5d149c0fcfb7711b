//! A network with several outputs: each of them is the output that a network with
//! this readout alone has.

use std::path::Path;

use rate2spike_core::Fixed;
use rate2spike_core::arithmetic::Arithmetic;
use rate2spike_core::blob::{self, Deployed, Payload, readout_bytes};
use rate2spike_core::block::{Block, ReadoutBlock};
use rate2spike_core::decision::{Evidence, Kind};
use rate2spike_core::lanes::blocks;
use rate2spike_core::network::Network;
use rate2spike_core::noise::Noise;
use rate2spike_core::refractory::Waiting;
use rate2spike_core::step::{State, StateMemory};
use rate2spike_core::trial::Run;

const OUTPUTS: usize = 4;

fn frozen() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/mante.snn");
    std::fs::read(path).expect("a frozen network")
}

fn written(payload: &Payload) -> Vec<u8> {
    let mut buffer = vec![0; 1 << 17];
    let blob = blob::write(payload, &mut buffer).expect("the buffer is large enough");
    blob.to_vec()
}

/// The outputs of each step, and the answer of a trial.
fn run(network: &Deployed) -> (Vec<Vec<Fixed>>, i16) {
    let constants = network.constants();
    let mut noise = Noise::new(1, 0);
    let mut unit_blocks = vec![Block::default(); blocks(constants.units)];
    let mut readout = vec![ReadoutBlock::default(); network.banks().blocks()];
    let mut waiting = vec![Waiting::default(); constants.units];
    let mut outputs = vec![Fixed::ZERO; constants.outputs];
    let memory = StateMemory {
        blocks: &mut unit_blocks,
        readout: &mut readout,
        waiting: &mut waiting,
        outputs: &mut outputs,
    };
    let state = State::start(network, memory, &mut noise).expect("enough memory");
    let mut run = Run::new(network, state, noise, network.payload().clock);
    let (mut seen, mut evidence) = (Vec::new(), Evidence::default());
    let decision = &network.payload().decision;
    while let Some(step) = run.step(|sample| network.self_test_input(sample)) {
        let outputs = run.state().outputs();
        seen.push(outputs.to_vec());
        evidence.see(decision, step, outputs);
    }
    (seen, decision.answer(&evidence))
}

/// The weights of output `output`: those of the frozen network, of another unit
/// for each output.
fn row(readout: &[u8], unit: usize, output: usize) -> [u8; 4] {
    let rows = readout.chunks_exact(readout_bytes(1));
    let units = rows.len();
    let rows: Vec<&[u8]> = rows.collect();
    let other = rows[(unit + 31 * output) % units];
    // The shares in two filters belong together; the first filter stays.
    [other[1], other[2], other[3], other[4]]
}

fn each_output_is_that_of_its_own_network(double_filter: bool) {
    let bytes = frozen();
    let frozen = Deployed::read(&bytes).expect("a frozen network");
    let mut payload = *frozen.payload();
    payload.shared.double_filter = double_filter;
    payload.decision.kind = Kind::Class;
    let firsts = payload.readout.chunks_exact(readout_bytes(1));
    let firsts: Vec<u8> = firsts.map(|row| row[0]).collect();
    let filters = payload.filters.len() / 4;
    // A first filter that leaves room for the next one.
    let first = |unit: usize| firsts[unit].min(filters as u8 - 2);
    let offset = |output: usize| Fixed::from_num(output as f64 * 3.25 - 4.0);
    let table = |outputs: &[usize]| -> Vec<u8> {
        (0..firsts.len())
            .flat_map(|unit| {
                let pairs = outputs
                    .iter()
                    .flat_map(move |&k| row(frozen.payload().readout, unit, k));
                [first(unit)].into_iter().chain(pairs).collect::<Vec<u8>>()
            })
            .collect()
    };
    let offsets = |outputs: &[usize]| -> Vec<u8> {
        let bytes = outputs.iter().flat_map(|&k| offset(k).to_le_bytes());
        bytes.collect()
    };
    let all: Vec<usize> = (0..OUTPUTS).collect();
    let (readout, output_offsets) = (table(&all), offsets(&all));
    payload.outputs = OUTPUTS as u8;
    payload.readout = &readout;
    payload.output_offsets = &output_offsets;
    payload.class_names = b"a\nbc\n\nd";
    let together = written(&payload);
    let network = Deployed::read(&together).expect("what was written");
    assert_eq!(network.payload(), &payload);
    let names = [0, 1, 2, 3, 4, -1].map(|label| network.class_name(label));
    let wanted: [Option<&[u8]>; 6] = [Some(b"a"), Some(b"bc"), Some(b""), Some(b"d"), None, None];
    assert_eq!(names, wanted);

    let (outputs, answer) = run(&network);
    let mut sums = [Fixed::EMPTY_SUM; OUTPUTS];
    let mean = payload.decision.mean;
    for output in 0..OUTPUTS {
        let (readout, output_offsets) = (table(&[output]), offsets(&[output]));
        let single = Payload {
            outputs: 1,
            readout: &readout,
            output_offsets: &output_offsets,
            class_names: b"",
            ..payload
        };
        let alone = written(&single);
        let (alone, _) = run(&Deployed::read(&alone).expect("what was written"));
        assert_eq!(alone.len(), outputs.len());
        let mut moved = false;
        for (step, (alone, outputs)) in (1u32..).zip(alone.iter().zip(&outputs)) {
            assert_eq!(alone[0], outputs[output], "output {output}, step {step}");
            moved |= alone[0] != offset(output);
            if (mean.first..=mean.last).contains(&step) {
                sums[output] = alone[0].added_to(sums[output]);
            }
        }
        assert!(moved, "output {output} shows nothing");
    }
    let largest = (0..OUTPUTS).rev().max_by_key(|&k| sums[k]);
    assert_eq!(largest, Some(answer as usize));
}

#[test]
fn each_of_several_outputs_is_bit_for_bit_that_of_a_network_with_it_alone() {
    each_output_is_that_of_its_own_network(true);
}

#[test]
fn the_same_holds_with_the_single_filter() {
    each_output_is_that_of_its_own_network(false);
}

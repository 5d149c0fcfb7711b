//! Frozen networks and the hashes of their spikes: the same on every machine,
//! in every build. `golden/README.md` says how the networks were made.

use std::collections::BTreeMap;
use std::path::Path;

use fixed::types::I4F12;
use rate2spike_core::blob::Deployed;
use rate2spike_core::block::{Block, ReadoutBlock};
use rate2spike_core::lanes::blocks;
use rate2spike_core::refractory::Waiting;
use rate2spike_core::step::{StartError, State, StateMemory, TooFew};
use rate2spike_core::stepwise::{OtherChannels, Stepwise};
use rate2spike_core::trial::{Run, SpikeHash};
use rate2spike_core::{Fixed, Network, noise::Noise};

/// Hash of a network's spikes over its self-test's input, in the trials 0, 1 and 2
/// of seed 1.
const HASHES: [(&str, u64); 3] = [
    ("go-nogo.snn", 0x8169_99d1_171e_1638),
    ("mante.snn", 0xec76_4e30_b91e_ef87),
    ("xor.snn", 0xa643_436a_27f6_3c30),
];

fn networks() -> BTreeMap<String, Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    std::fs::read_dir(folder)
        .expect("the folder of frozen networks")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "snn"))
        .map(|path| {
            let name = path
                .file_name()
                .expect("a file")
                .to_string_lossy()
                .into_owned();
            (name, std::fs::read(&path).expect("a frozen network"))
        })
        .collect()
}

/// Everything that a run needs, for `network`.
struct Memory {
    blocks: Vec<Block<Fixed>>,
    readout: Vec<ReadoutBlock<Fixed>>,
    waiting: Vec<Waiting>,
    outputs: Vec<Fixed>,
}

impl Memory {
    fn of(network: &Deployed) -> Self {
        let units = network.constants().units;
        Self {
            blocks: vec![Block::default(); blocks(units)],
            readout: vec![ReadoutBlock::default(); network.banks().blocks()],
            waiting: vec![Waiting::default(); units],
            outputs: vec![Fixed::ZERO; network.constants().outputs],
        }
    }

    fn all(&mut self) -> StateMemory<'_, Fixed> {
        StateMemory {
            blocks: &mut self.blocks,
            readout: &mut self.readout,
            waiting: &mut self.waiting,
            outputs: &mut self.outputs,
        }
    }

    fn start(&mut self, network: &Deployed, noise: &mut Noise) -> State<'_, Fixed> {
        State::start(network, self.all(), noise).expect("enough memory")
    }
}

fn spike_hash(network: &Deployed) -> u64 {
    let mut memory = Memory::of(network);
    let mut hash = SpikeHash::default();
    for trial in 0..3 {
        let mut noise = Noise::new(1, trial);
        let state = memory.start(network, &mut noise);
        let mut run = Run::new(network, state, noise, network.payload().clock);
        while let Some(step) = run.step(|sample| network.self_test_input(sample)) {
            hash.add_step(step, run.state());
        }
    }
    hash.value()
}

#[test]
fn frozen_networks_spike_as_ever() {
    let networks = networks();
    let names: Vec<&str> = networks.keys().map(String::as_str).collect();
    assert_eq!(names, HASHES.map(|(name, _)| name));
    for (name, wanted) in HASHES {
        let network = Deployed::read(&networks[name]).expect("a valid network");
        let found = spike_hash(&network);
        assert_eq!(
            found, wanted,
            "{name}: {found:#018x} and not {wanted:#018x}"
        );
    }
}

#[test]
fn frozen_networks_pass_their_own_self_test() {
    for (name, bytes) in networks() {
        let network = Deployed::read(&bytes).expect("a valid network");
        let found = network.self_test(Memory::of(&network).all());
        assert_eq!(found, Ok(network.payload().self_test.spike_hash), "{name}");
    }
}

#[test]
fn too_little_memory_is_refused() {
    let bytes = &networks()["go-nogo.snn"];
    let network = Deployed::read(bytes).expect("a valid network");
    let units = network.constants().units;
    let too_few = |needed: usize| TooFew {
        needed,
        found: needed - 1,
    };
    let mut memory = Memory::of(&network);
    memory.waiting.pop();
    assert_eq!(
        network.self_test(memory.all()),
        Err(StartError::Waiting(too_few(units)))
    );
    let mut memory = Memory::of(&network);
    memory.blocks.pop();
    assert_eq!(
        network.self_test(memory.all()),
        Err(StartError::Blocks(too_few(blocks(units))))
    );
    let mut memory = Memory::of(&network);
    memory.readout.pop();
    let filters = network.banks().blocks();
    assert_eq!(
        network.self_test(memory.all()),
        Err(StartError::Readout(too_few(filters)))
    );
    let mut memory = Memory::of(&network);
    memory.outputs.pop();
    assert_eq!(
        network.self_test(memory.all()),
        Err(StartError::Outputs(too_few(1)))
    );
}

#[test]
fn an_input_without_a_value_for_every_channel_changes_nothing() {
    let networks = networks();
    let network = Deployed::read(&networks["xor.snn"]).expect("a frozen network");
    let run = |input: &[I4F12]| -> Vec<_> {
        let mut memory = Memory::of(&network);
        let mut noise = Noise::new(1, 0);
        let mut state = memory.start(&network, &mut noise);
        state.set_input(&network, input);
        (0..100).for_each(|_| state.step(&network, &mut noise));
        (0..network.constants().units)
            .map(|unit| state.potential(unit))
            .collect()
    };
    let one = I4F12::ONE;
    let still = run(&[I4F12::ZERO; 2]);
    assert!(run(&[one]) == still && run(&[one; 3]) == still);
    assert!(run(&[one; 2]) != still);
}

#[test]
fn a_trial_by_steps_has_the_spikes_of_the_self_test() {
    for (name, bytes) in networks() {
        let network = Deployed::read(&bytes).expect("a valid network");
        let (clock, test) = (network.payload().clock, &network.payload().self_test);
        let mut memory = Memory::of(&network);
        let trial = Stepwise::start(&network, memory.all(), test.seed, 0);
        let mut trial = trial.expect("enough memory");
        let mut shown = None;
        for step in 1..=clock.steps {
            let sample = clock.sample(step);
            if shown.replace(sample) != Some(sample) {
                let input = network.self_test_input(sample);
                assert_eq!(trial.set_input(&network, &input), Ok(()));
            }
            trial.step(&network);
        }
        assert_eq!(trial.now(), clock.steps);
        assert_eq!(trial.spike_hash(), test.spike_hash, "{name}");
        let needed = network.constants().inputs;
        let found = needed + 1;
        let wrong = trial.set_input(&network, &vec![I4F12::ZERO; found]);
        assert_eq!(wrong, Err(OtherChannels { needed, found }));
        let wrong = trial.set_sample(&network, &[5]);
        let needed = 0;
        assert_eq!(wrong, Err(OtherChannels { needed, found: 1 }));
    }
}

//! Runs a deployed network from its bytes: the self-test, and a trial.
//!
//! `cargo run --example run_blob` runs a network that comes with the tests;
//! `cargo run --example run_blob -- NET.snn` runs a file.

use std::error::Error;

use rate2spike_core::Fixed;
use rate2spike_core::arithmetic::Arithmetic;
use rate2spike_core::blob::Deployed;
use rate2spike_core::block::{Block, ReadoutBlock};
use rate2spike_core::decision::Evidence;
use rate2spike_core::lanes::blocks;
use rate2spike_core::network::Network;
use rate2spike_core::noise::Noise;
use rate2spike_core::refractory::Waiting;
use rate2spike_core::step::{State, StateMemory};
use rate2spike_core::trial::Run;

const GO_NOGO: &[u8] = include_bytes!("../tests/golden/go-nogo.snn");

fn main() -> Result<(), Box<dyn Error>> {
    let bytes = match std::env::args_os().nth(1) {
        Some(path) => std::fs::read(path)?,
        None => GO_NOGO.to_vec(),
    };
    let network = Deployed::read(&bytes).map_err(|error| format!("no network: {error:?}"))?;
    let payload = network.payload();
    let units = network.constants().units;
    println!(
        "task {}, {units} units, {} synapses",
        String::from_utf8_lossy(payload.task),
        network.synapses()
    );

    let mut unit_blocks = vec![Block::<Fixed>::default(); blocks(units)];
    let mut readout = vec![ReadoutBlock::default(); network.banks().blocks()];
    let mut waiting = vec![Waiting::default(); units];
    let mut outputs = vec![Fixed::ZERO; network.constants().outputs];
    let found = network
        .self_test(StateMemory {
            blocks: &mut unit_blocks,
            readout: &mut readout,
            waiting: &mut waiting,
            outputs: &mut outputs,
        })
        .map_err(|error| format!("{error:?}"))?;
    let wanted = payload.self_test.spike_hash;
    println!("self-test: spike hash {found:016x}, as stored {wanted:016x}");

    let mut noise = Noise::new(1, 0);
    let memory = StateMemory {
        blocks: &mut unit_blocks,
        readout: &mut readout,
        waiting: &mut waiting,
        outputs: &mut outputs,
    };
    let state = State::start(&network, memory, &mut noise).map_err(|error| format!("{error:?}"))?;
    let mut run = Run::new(&network, state, noise, payload.clock);
    let mut evidence = Evidence::default();
    let mut spikes = 0;
    while let Some(step) = run.step(|sample| network.self_test_input(sample)) {
        spikes += run.state().fired().count();
        evidence.see(&payload.decision, step, run.state().outputs());
    }
    let one = f64::from(Fixed::OUTPUT_ONE.to_bits());
    println!(
        "trial: {spikes} spikes, largest output {:.2}, answer {}",
        f64::from(evidence.highest.to_bits()) / one,
        payload.decision.answer(&evidence)
    );
    Ok(())
}

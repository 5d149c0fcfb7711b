//! The cycles of a step that `deploy` foretells, beside those of an emulated board.

use rate2spike::board::budget::Budget;
use rate2spike::board::session::pair;
use rate2spike::board::target::Target;
use rate2spike::spiking::experiment::Experiment;
use rate2spike::spiking::trial::{Deployable, Memory};
use rate2spike_core::blob::Deployed;

use crate::emulator::{Board, Emulator};

/// Cycles of a step.
#[derive(Clone, Copy, Debug)]
pub struct Beside {
    /// What `deploy` says.
    pub foretold: f64,
    /// What the emulated board takes.
    pub measured: f64,
}

impl Beside {
    /// The foretold cycles, divided by the measured ones.
    pub fn ratio(&self) -> f64 {
        self.foretold / self.measured
    }
}

/// Trials that are compared: fewer than those of `deploy`, since an emulator takes long.
const TRIALS: u64 = 4;

/// The steps of the same trials.
#[derive(Clone, Copy, Debug)]
pub struct Foretold {
    /// The average step.
    pub mean: Beside,
    /// The slowest step, the first one of each trial excluded.
    pub worst: Beside,
}

impl Foretold {
    /// Runs the trials on an emulated board; the network was decoded from `bytes`.
    pub fn new<A: Deployable>(
        board: Board,
        target: &Target,
        experiment: &Experiment<Deployed<A>>,
        bytes: &[u8],
    ) -> Self {
        let time = Budget::new(target, experiment, bytes, TRIALS).time;
        let emulator = Emulator::start(board, bytes, &[]);
        let (mut client, _) = emulator.connect();
        let mut memory = Memory::of(experiment.network);
        let (mut total, mut steps, mut worst) = (0, 0, 0);
        for index in 0..TRIALS {
            let pair = pair(&mut client, experiment, &mut memory, index).expect("a trial");
            assert_eq!(pair.board.spike_hash, pair.desktop.spike_hash);
            total += pair.cycles.total;
            steps += pair.cycles.steps;
            worst = worst.max(pair.cycles.worst);
        }
        let scale = board.cycles_of_a_count();
        Self {
            mean: Beside {
                foretold: time.cycles_mean,
                measured: scale * total as f64 / f64::from(steps),
            },
            worst: Beside {
                foretold: time.cycles_worst,
                measured: scale * f64::from(worst),
            },
        }
    }
}

//! Trials and noise, drawn for a batch.

use rand_distr::{Distribution, StandardNormal};
use rate2spike_core::noise::Noise;

use super::network::RateNetwork;
use super::normal::{START_NOISE, STEP_NOISE, fill};
use super::spare::Spare;
use crate::random::{Stream, generator};
use crate::task::{SAMPLE_MS, Task, Trial};

/// Time constant of the spiking neuron's membrane, which filters direct inputs, ms.
const MEMBRANE_MS: f64 = 10.0;

/// The trials of a stream that are drawn.
#[derive(Clone, Copy, Debug)]
pub struct TrialRange {
    /// The stream.
    pub stream: Stream,
    /// The place of the first trial in it.
    pub first: u64,
    /// Number of trials, B.
    pub trials: usize,
    /// True if r fluctuates.
    pub fluctuating: bool,
    /// Standard deviation of the noise on each input sample.
    pub jitter: f32,
}

/// The input, noise and targets of a batch of trials. Arrays are samples ×
/// trials × units, T × B × N.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// B.
    pub trials: usize,
    /// T.
    pub samples: usize,
    /// K.
    pub outputs: usize,
    /// x at the first sample, B × N.
    pub start: Spare,
    /// u, T × B × channels; direct inputs are filtered by the membrane.
    pub input: Vec<f32>,
    /// Whether the inputs bypass the synapses; see [`RateNetwork::direct_inputs`].
    pub direct: bool,
    /// `Σ_k w_in,ik u_k[t]`, T × B × N.
    pub current: Spare,
    /// Added to `x[t]`, T × B × N; entry 0 is not used. Empty: no noise.
    pub noise: Spare,
    /// Normal deviates that drive the fluctuations of r, T × B × N; their variance is one
    /// with steps of 5 ms, and inversely proportional to the step. Empty: none.
    pub fluctuations: Spare,
    /// The words that `start`, `noise` and `fluctuations` are made of, and the weights that
    /// make `current` of `input`, in place of these arrays.
    pub words: Option<Words>,
    /// The outputs that are wanted at t = 1 … T−1, B × (T − 1) × K: the published
    /// code meets them with z[0 … T−2], one sample apart.
    pub target: Vec<f32>,
    /// Weight of each of these targets in the loss, B × (T − 1) × K. `None`: all weigh the
    /// same.
    pub mask: Option<Vec<f32>>,
    /// The right answers, B.
    pub labels: Vec<i16>,
}

/// The numbers from which noise and currents of a batch are made, sample by sample.
#[derive(Clone, Debug)]
pub struct Words {
    /// Input weights, N × channels.
    pub w_in: Vec<f32>,
    /// Number of input channels.
    pub channels: usize,
    /// The first word of the start of each trial, B.
    pub start: Vec<u32>,
    /// The first word of the noise of each sample, T × B; entry 0 is not used.
    pub noise: Vec<u32>,
    /// The first word of the deviates of each sample, T × B. Empty: no fluctuations.
    pub fluctuations: Vec<u32>,
    /// Standard deviation of these deviates.
    pub spread: f32,
}

impl Batch {
    /// Draws the trials `range`. Each trial has its own random numbers: how they are
    /// grouped into batches changes nothing.
    pub fn draw(network: &RateNetwork, task: &Task, seed: u64, range: TrialRange) -> Self {
        let TrialRange {
            stream,
            first,
            trials,
            fluctuating,
            ..
        } = range;
        let drawn = drawn(task, seed, range);
        let mut batch = Self::of_trials(network, task.samples(), &drawn);
        let (n, samples) = (network.units, batch.samples);
        batch.noise = Spare::dirty(samples * trials * n);
        if fluctuating {
            batch.fluctuations = Spare::dirty(samples * trials * n);
        }
        let spread = spread(network);
        let mut start = vec![0.0; n];
        for b in 0..trials {
            let mut noise = noise_of(seed, stream, first + b as u64);
            fill(&mut noise, START_NOISE, &mut start);
            batch.start[b * n..(b + 1) * n].copy_from_slice(&start);
            for t in 1..samples {
                let range = (t * trials + b) * n..(t * trials + b + 1) * n;
                fill(&mut noise, STEP_NOISE, &mut batch.noise[range.clone()]);
                if fluctuating {
                    fill(&mut noise, spread, &mut batch.fluctuations[range]);
                }
            }
        }
        batch
    }

    /// The same trials as [`draw`](Self::draw) has, with [`Words`] in place of the arrays.
    pub fn draw_words(network: &RateNetwork, task: &Task, seed: u64, range: TrialRange) -> Self {
        let TrialRange {
            stream,
            first,
            trials,
            fluctuating,
            ..
        } = range;
        let mut batch = Self::without_arrays(network, task.samples(), &drawn(task, seed, range));
        let samples = batch.samples;
        let mut words = Words {
            w_in: network.w_in.clone(),
            channels: network.channels,
            start: Vec::with_capacity(trials),
            noise: vec![0; samples * trials],
            fluctuations: vec![0; if fluctuating { samples * trials } else { 0 }],
            spread: spread(network),
        };
        for b in 0..trials {
            let mut noise = noise_of(seed, stream, first + b as u64);
            words.start.push(noise.word());
            for t in 1..samples {
                words.noise[t * trials + b] = noise.word();
                if fluctuating {
                    words.fluctuations[t * trials + b] = noise.word();
                }
            }
        }
        batch.words = Some(words);
        batch
    }

    /// Given trials without noise, starting at zero.
    pub fn of_trials(network: &RateNetwork, samples: usize, trials: &[Trial]) -> Self {
        let (n, b) = (network.units, trials.len());
        let channels = network.channels;
        let mut batch = Self::without_arrays(network, samples, trials);
        batch.start = Spare::zeros(b * n);
        batch.current = Spare::zeros(samples * b * n);
        for (u, row) in (batch.input)
            .chunks_exact(channels)
            .zip(batch.current.chunks_exact_mut(n))
        {
            for (channel, &u) in u.iter().enumerate() {
                if u != 0.0 {
                    let weights = network.w_in.iter().skip(channel).step_by(channels);
                    row.iter_mut().zip(weights).for_each(|(x, w)| *x += w * u);
                }
            }
        }
        batch
    }

    /// Given trials, without arrays of N units.
    fn without_arrays(network: &RateNetwork, samples: usize, trials: &[Trial]) -> Self {
        let b = trials.len();
        let outputs = network.readout.outputs();
        let channels = network.channels;
        let row = b * channels;
        let mut input: Vec<f32> = (0..samples * row)
            .map(|place| {
                trials[place % row / channels].input[place % channels * samples + place / row]
            })
            .collect();
        if network.direct_inputs {
            let keep = (-network.sample_ms / MEMBRANE_MS).exp() as f32;
            for place in 0..input.len() {
                let before = place.checked_sub(row).map_or(0.0, |before| input[before]);
                input[place] += keep * (before - input[place]);
            }
        }
        Self {
            trials: b,
            samples,
            outputs,
            input,
            direct: network.direct_inputs,
            target: trials
                .iter()
                .flat_map(|trial| by_sample(&trial.target, samples, outputs))
                .collect(),
            mask: masks(trials, samples, outputs),
            labels: trials.iter().map(|trial| trial.label).collect(),
            ..Self::default()
        }
    }
}

/// The trials `range` of a task.
fn drawn(task: &Task, seed: u64, range: TrialRange) -> Vec<Trial> {
    let TrialRange {
        stream,
        first,
        trials,
        jitter,
        ..
    } = range;
    let drawn = (0..trials as u64).map(|b| {
        let mut trial = task.draw(seed, stream, first + b);
        if jitter > 0.0 {
            let mut random = generator(seed, Stream::Jitter, first + b);
            for value in &mut trial.input {
                let deviate: f32 = StandardNormal.sample(&mut random);
                *value += jitter * deviate;
            }
        }
        trial
    });
    drawn.collect()
}

/// Standard deviation of the deviates that drive the fluctuations: spike trains fluctuate
/// less over longer steps.
fn spread(network: &RateNetwork) -> f32 {
    (SAMPLE_MS / network.sample_ms).sqrt() as f32
}

/// The first T − 1 samples of T × K numbers that are given output by output, sample by
/// sample.
fn by_sample(values: &[f32], samples: usize, outputs: usize) -> impl Iterator<Item = f32> {
    (0..(samples - 1) * outputs)
        .map(move |place| values[place % outputs * samples + place / outputs])
}

/// The masks of trials, B × (T − 1) × K; `None` if no trial has one.
fn masks(trials: &[Trial], samples: usize, outputs: usize) -> Option<Vec<f32>> {
    trials.iter().find(|trial| trial.mask.is_some())?;
    let of_trial = |trial: &Trial| match &trial.mask {
        Some(mask) => by_sample(mask, samples, outputs).collect(),
        None => vec![1.0; (samples - 1) * outputs],
    };
    Some(trials.iter().flat_map(of_trial).collect())
}

/// The noise of the `index`-th trial of a stream: one word of it for the start,
/// then one for the noise of each step and, where r fluctuates, one for that.
pub(super) fn noise_of(seed: u64, stream: Stream, index: u64) -> Noise {
    // The high bits name the stream: membranes and trials share no noise.
    Noise::new(seed, ((stream as u64) << 56) | index)
}

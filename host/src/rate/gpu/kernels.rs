//! The kernels. The equations are in [`crate::rate::ensemble`]; [`super::plan`] divides
//! the work among threads.
//!
//! A cube runs one trial of one network through all its samples in one launch.
//! Each step has two barriers: after the partial products, and after the new
//! vector is written.

// The macros write items without documentation beside each kernel.
#![allow(missing_docs)]

use cubecl::prelude::*;

use super::plan::Plan;
use crate::rate::normal::{DEVIATE_SD, PERMUTATION, START_NOISE, STEP_NOISE};

/// The activation φ at the time when a kernel is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Curve {
    /// 1 / (1 + e^−x).
    Sigmoid,
    /// min(max(x, 0), 20).
    ClippedRelu,
    /// min(ln(1 + e^x), 20).
    Softplus,
    /// Linear between the entries of a table.
    Table,
}

/// Variants of a forward pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Features {
    /// φ.
    pub shape: Curve,
    /// True if noise is added to x.
    pub noisy: bool,
    /// True if r fluctuates.
    pub fluctuating: bool,
    /// True if the trajectory is kept for the adjoint.
    pub keeping: bool,
}

/// The input arrays of a forward pass.
#[derive(CubeType, CubeLaunch)]
pub struct ForwardGiven {
    /// Aᵀ, K × N × (N + 1).
    pub matrix: Array<f32>,
    /// 1/τ, K × N.
    pub alpha: Array<f32>,
    /// Gain of the fluctuations' deviates, K × N.
    pub kick: Array<f32>,
    /// Low end, density, index of the last value, values.
    pub table: Array<f32>,
    /// K × B × N.
    pub start: Array<f32>,
    /// K × T × B × N.
    pub current: Array<f32>,
    /// K × T × B × N.
    pub noise: Array<f32>,
    /// K × T × B × N.
    pub deviates: Array<f32>,
}

/// The output arrays of a forward pass.
#[derive(CubeType, CubeLaunch)]
pub struct ForwardLeft {
    /// Without the offset, K × B × (T − 1).
    pub outputs: Array<f32>,
    /// K × T × B × N.
    pub r: Array<f32>,
    /// K × (T − 1) × B × N.
    pub slope: Array<f32>,
    /// K × (T − 1) × B × N.
    pub drift: Array<f32>,
}

/// The input arrays of the adjoint.
#[derive(CubeType, CubeLaunch)]
pub struct AdjointGiven {
    /// A, K × (N + 1) × N.
    pub matrix: Array<f32>,
    /// 1/τ, K × N.
    pub alpha: Array<f32>,
    /// K × B × (T − 1).
    pub by_output: Array<f32>,
    /// K × (T − 1) × B × N.
    pub slope: Array<f32>,
    /// K × (T − 1) × B × N.
    pub drift: Array<f32>,
}

/// The output arrays of the adjoint.
#[derive(CubeType, CubeLaunch)]
pub struct AdjointLeft {
    /// K × T × B × (N + 1).
    pub z: Array<f32>,
    /// K × B × N.
    pub by_alpha: Array<f32>,
}

/// A thread and its weights.
#[derive(CubeType)]
struct Worker {
    /// Number of the thread.
    unit: usize,
    /// Index of the product's number that the thread adds to.
    row: usize,
    /// The first column of the thread.
    first: usize,
    /// Index at which the network's matrix begins.
    base: usize,
    registers: Array<f32>,
    shared: SharedMemory<f32>,
    /// The sums of all threads.
    partial: SharedMemory<f32>,
}

#[cube]
impl Worker {
    /// Fetches the thread's weights from `matrix`, inner × outer for each network.
    fn new(matrix: &Array<f32>, network: usize, #[comptime] plan: Plan) -> Worker {
        let unit = UNIT_POS as usize;
        let threads = comptime!(plan.threads());
        let mut worker = Worker {
            unit,
            row: unit % plan.outer,
            first: unit / plan.outer * plan.columns,
            base: network * comptime!(plan.inner * plan.outer),
            registers: Array::new(comptime!(plan.in_registers.max(1))),
            shared: SharedMemory::new(comptime!((plan.in_shared * threads).max(1))),
            partial: SharedMemory::new(threads),
        };
        #[unroll]
        for c in 0..plan.in_registers {
            worker.registers[c] = worker.weight(matrix, c, plan);
        }
        for c in 0..plan.in_shared {
            worker.shared[c * threads + unit] = worker.weight(matrix, plan.in_registers + c, plan);
        }
        worker
    }

    /// The worker's weight in column `c`, from global memory. Columns beyond the
    /// matrix fill up the last group; the vector is zero there.
    fn weight(&self, matrix: &Array<f32>, c: usize, #[comptime] plan: Plan) -> f32 {
        let column = clamp_max(self.first + c, comptime!(plan.inner - 1));
        matrix[self.base + column * plan.outer + self.row]
    }

    /// The product of the matrix and `vector`, complete in the threads of the
    /// first group; a barrier for the whole cube.
    fn product(
        &mut self,
        matrix: &Array<f32>,
        vector: &SharedMemory<f32>,
        #[comptime] plan: Plan,
    ) -> f32 {
        let threads = comptime!(plan.threads());
        let mut sum = 0.0f32;
        #[unroll]
        for c in 0..plan.in_registers {
            sum += self.registers[c] * vector[self.first + c];
        }
        for c in 0..plan.in_shared {
            sum +=
                self.shared[c * threads + self.unit] * vector[self.first + plan.in_registers + c];
        }
        for c in comptime!(plan.on_chip())..plan.columns {
            sum += self.weight(matrix, c, plan) * vector[self.first + c];
        }
        self.partial[self.unit] = sum;
        sync_cube();
        let mut total = 0.0f32;
        if self.unit < plan.outer {
            #[unroll]
            for group in 0..plan.groups {
                total += self.partial[group * plan.outer + self.row];
            }
        }
        total
    }
}

/// A vector of zeros with the padded length of the plan. The caller sets a barrier
/// before the first read.
#[cube]
fn zeros(#[comptime] plan: Plan) -> SharedMemory<f32> {
    let padded = comptime!(plan.padded());
    let mut vector = SharedMemory::<f32>::new_aligned(padded, 16usize);
    let mut index = UNIT_POS as usize;
    while index < padded {
        vector[index] = 0.0;
        index += comptime!(plan.threads());
    }
    sync_cube();
    vector
}

#[cube]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + f32::exp(-clamp(x, -87.0, 88.0)))
}

/// φ(x).
#[cube]
fn rate(x: f32, table: &Array<f32>, #[comptime] shape: Curve) -> f32 {
    if comptime!(shape == Curve::Sigmoid) {
        sigmoid(x)
    } else if comptime!(shape == Curve::ClippedRelu) {
        clamp(x, 0.0, 20.0)
    } else if comptime!(shape == Curve::Softplus) {
        clamp_max(unclipped_softplus(x), 20.0)
    } else {
        let inside = clamp((x - table[0]) * table[1], 0.0, table[2] - 1e-3);
        let index = u32::cast_from(inside) as usize;
        let here = table[3 + index];
        here + (inside - f32::cast_from(index as u32)) * (table[4 + index] - here)
    }
}

/// φ'(x), where `rate` is φ(x).
#[cube]
fn slope(x: f32, rate: f32, table: &Array<f32>, #[comptime] shape: Curve) -> f32 {
    if comptime!(shape == Curve::Sigmoid) {
        rate * (1.0 - rate)
    } else if comptime!(shape == Curve::ClippedRelu) {
        select(x > 0.0 && x <= 20.0, 1.0, 0.0)
    } else if comptime!(shape == Curve::Softplus) {
        select(unclipped_softplus(x) <= 20.0, sigmoid(x), 0.0)
    } else {
        let position = (x - table[0]) * table[1];
        let inside = clamp(position, 0.0, table[2] - 1e-3);
        let index = u32::cast_from(inside) as usize;
        let steepness = (table[4 + index] - table[3 + index]) * table[1];
        select(inside == position, steepness, 0.0)
    }
}

#[cube]
fn unclipped_softplus(x: f32) -> f32 {
    max(x, 0.0) + f32::log1p(f32::exp(-f32::abs(x)))
}

/// Runs one trial of one network forward through all samples. Cubes: B × K.
#[cube(launch_unchecked)]
pub fn forward(
    given: &ForwardGiven,
    left: &mut ForwardLeft,
    samples: u32,
    #[comptime] plan: Plan,
    #[comptime] features: Features,
) {
    let n = plan.inner;
    let samples = samples as usize;
    let trials = CUBE_COUNT_X as usize;
    let trial = CUBE_POS_X as usize;
    let network = CUBE_POS_Y as usize;
    let mut vector = zeros(plan);
    let mut worker = Worker::new(&given.matrix, network, plan);
    let unit = worker.unit;

    let mut x = 0.0f32;
    let mut alpha = 0.0f32;
    let mut kick = 0.0f32;
    let mut fluctuation = 0.0f32;
    if unit < n {
        alpha = given.alpha[network * n + unit];
        x = given.start[(network * trials + trial) * n + unit];
        let r = rate(x, &given.table, features.shape);
        vector[unit] = r;
        if comptime!(features.keeping) {
            left.r[(network * samples * trials + trial) * n + unit] = r;
        }
        if comptime!(features.fluctuating) {
            kick = given.kick[network * n + unit];
        }
    }
    sync_cube();

    for t in 0..samples {
        let here = ((network * samples + t) * trials + trial) * n + unit;
        let next = here + trials * n;
        let moving = unit < n && t + 1 < samples;
        // The load begins before the product and has ended after it.
        let mut current = 0.0f32;
        let mut noise = 0.0f32;
        let mut deviate = 0.0f32;
        if moving {
            current = given.current[here];
            if comptime!(features.noisy) {
                noise = given.noise[next];
            }
            if comptime!(features.fluctuating) {
                deviate = given.deviates[next];
            }
        }
        let product = worker.product(&given.matrix, &vector, plan);
        if unit == n && t > 0 {
            left.outputs[(network * trials + trial) * (samples - 1) + t - 1] = product;
        }
        if moving {
            let drift = product + current - x;
            x = x + alpha * drift + noise;
            let value = rate(x, &given.table, features.shape);
            let mut r = value;
            if comptime!(features.fluctuating) {
                let kicked = kick * f32::sqrt(max(value, 0.0)) * deviate;
                fluctuation = (1.0 - alpha) * fluctuation + kicked;
                r += fluctuation;
            }
            vector[unit] = r;
            if comptime!(features.keeping) {
                left.r[next] = r;
                let step = ((network * (samples - 1) + t) * trials + trial) * n + unit;
                left.slope[step] = slope(x, value, &given.table, features.shape);
                left.drift[step] = drift;
            }
        }
        sync_cube();
    }
}

/// Runs one trial of one network backward through all samples. Cubes: B × K.
#[cube(launch_unchecked)]
pub fn adjoint(given: &AdjointGiven, left: &mut AdjointLeft, samples: u32, #[comptime] plan: Plan) {
    let n = plan.outer;
    let samples = samples as usize;
    let trials = CUBE_COUNT_X as usize;
    let trial = CUBE_POS_X as usize;
    let network = CUBE_POS_Y as usize;
    let mut vector = zeros(plan);
    let mut worker = Worker::new(&given.matrix, network, plan);
    let unit = worker.unit;

    let mut alpha = 0.0f32;
    let mut by_x = 0.0f32;
    let mut by_alpha = 0.0f32;
    let outputs = (network * trials + trial) * (samples - 1);
    let last = ((network * samples + samples - 1) * trials + trial) * (n + 1);
    if unit < n {
        alpha = given.alpha[network * n + unit];
        left.z[last + unit] = 0.0;
    }
    if unit == 0 {
        let by_output = given.by_output[outputs + samples - 2];
        vector[n] = by_output;
        left.z[last + n] = by_output;
    }
    sync_cube();

    for back in 1..samples {
        let t = samples - back;
        let mut slope = 0.0f32;
        let mut drift = 0.0f32;
        let mut by_output = 0.0f32;
        if unit < n {
            let step = ((network * (samples - 1) + t - 1) * trials + trial) * n + unit;
            slope = given.slope[step];
            drift = given.drift[step];
        }
        if unit == 0 && t > 1 {
            by_output = given.by_output[outputs + t - 2];
        }
        let by_r = worker.product(&given.matrix, &vector, plan);
        let before = ((network * samples + t - 1) * trials + trial) * (n + 1);
        if unit < n {
            let total = by_x + slope * by_r;
            let y = alpha * total;
            by_alpha += total * drift;
            by_x = total - y;
            vector[unit] = y;
            left.z[before + unit] = y;
        }
        if unit == 0 {
            vector[n] = by_output;
            left.z[before + n] = by_output;
        }
        sync_cube();
    }
    if unit < n {
        left.by_alpha[(network * trials + trial) * n + unit] = by_alpha;
    }
}

/// The input arrays of the draw of K networks' trials.
#[derive(CubeType, CubeLaunch)]
pub struct DrawGiven {
    /// The generator's word for the noise of each step and the one for its
    /// fluctuations, K × B × T × 2.
    pub words: Array<u32>,
    /// Multiplier and increment from the first unit to each, N × 2.
    pub jumps: Array<u32>,
    /// K × N × channels.
    pub w_in: Array<f32>,
    /// K × B × channels × T.
    pub input: Array<f32>,
}

/// The trials of K networks.
#[derive(CubeType, CubeLaunch)]
pub struct DrawLeft {
    /// K × B × N.
    pub start: Array<f32>,
    /// K × T × B × N.
    pub current: Array<f32>,
    /// K × T × B × N.
    pub noise: Array<f32>,
    /// K × T × B × N.
    pub deviates: Array<f32>,
}

/// Shapes of a draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Drawing {
    /// N.
    pub units: usize,
    /// Channels of the input.
    pub channels: usize,
    /// True if r fluctuates.
    pub fluctuating: bool,
}

/// Draws current and noise; a thread serves one unit at one sample.
#[cube(launch_unchecked)]
pub fn draw(
    given: &DrawGiven,
    left: &mut DrawLeft,
    trials: u32,
    samples: u32,
    #[comptime] drawing: Drawing,
) {
    let trials = trials as usize;
    let samples = samples as usize;
    let n = drawing.units;
    let place = ABSOLUTE_POS;
    if place >= left.current.len() {
        terminate!();
    }
    let unit = place % n;
    let trial = place / n % trials;
    let t = place / (n * trials) % samples;
    let network = place / (n * trials * samples);
    let row = network * trials + trial;

    let mut current = 0.0f32;
    for channel in 0..drawing.channels {
        current += given.w_in[(network * n + unit) * drawing.channels + channel]
            * given.input[(row * drawing.channels + channel) * samples + t];
    }
    left.current[place] = current;

    let words = (row * samples + t) * 2;
    let z = deviate(given.words[words], &given.jumps, unit);
    if t == 0 {
        left.start[row * n + unit] = z * comptime!(START_NOISE / DEVIATE_SD as f32);
        left.noise[place] = 0.0;
    } else {
        left.noise[place] = z * comptime!(STEP_NOISE / DEVIATE_SD as f32);
    }
    if comptime!(drawing.fluctuating) {
        let z = deviate(given.words[words + 1], &given.jumps, unit);
        left.deviates[place] = z * comptime!(1.0 / DEVIATE_SD as f32);
    }
}

/// The deviate of a unit: the same as in [`crate::rate::normal`], in operations of a
/// kernel.
#[cube]
fn deviate(first: u32, jumps: &Array<u32>, unit: usize) -> f32 {
    let word = first * jumps[2 * unit] + jumps[2 * unit + 1];
    let y = (word ^ (word >> 16)) * comptime!(PERMUTATION);
    let sum = (y & 0xff) + ((y >> 8) & 0xff) + ((y >> 16) & 0xff);
    let scale = 240 + (y >> 24);
    let centred = 2 * i32::cast_from(sum) - 765;
    f32::cast_from((centred * i32::cast_from(scale) + 32) >> 6)
}

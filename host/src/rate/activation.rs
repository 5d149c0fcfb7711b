//! φ: from a unit's current to its rate.
//!
//! φ has three forms: on slices here, which trains on the CPU; on tensors in
//! [`super::ensemble::operations`], which Burn can differentiate by itself; and in
//! the GPU's kernels, whose language is CubeCL. To add an activation, add it to
//! [`ActivationKind`] with its name, give it a [`Table`] of its values, and give it
//! candidates for λ in `convert/search.rs`. All three forms know tables. An activation that
//! needs a formula also touches `ensemble/operations.rs`, `gpu/kernels.rs` and `gpu/launch.rs`.

use std::sync::{Arc, LazyLock};

use super::siegert::NoisyNeuron;

/// The choices that `--act` offers.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ActivationKind {
    /// 1 / (1 + e^−x), the published choice.
    Sigmoid,
    /// min(max(x, 0), 20).
    #[value(name = "clipped_relu", alias = "clipped-relu", alias = "relu")]
    ClippedRelu,
    /// min(ln(1 + e^x), 20).
    Softplus,
    /// The firing rate of the spiking neuron itself, over λ₀.
    Lif,
}

/// Largest rate of the clipped activations.
pub(super) const CLIP: f32 = 20.0;

/// λ₀ in Hz: the rate of the spiking neuron that stands for a rate of one, and
/// the scaling factor of the conversion of a network that was trained with
/// [`ActivationKind::Lif`].
pub const LIF_LAMBDA: f64 = 50.0;

/// φ, ready to evaluate.
#[derive(Clone, Debug)]
pub enum Activation {
    /// See [`ActivationKind::Sigmoid`].
    Sigmoid,
    /// See [`ActivationKind::ClippedRelu`].
    ClippedRelu,
    /// See [`ActivationKind::Softplus`].
    Softplus,
    /// See [`ActivationKind::Lif`].
    Table(Arc<Table>),
}

impl ActivationKind {
    /// The name in model files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sigmoid => "sigmoid",
            Self::ClippedRelu => "clipped_relu",
            Self::Softplus => "softplus",
            Self::Lif => "lif",
        }
    }

    /// The activation of that name, which may be one of the names of `--act`.
    pub fn from_name(name: &str) -> Option<Self> {
        <Self as clap::ValueEnum>::from_str(name, false).ok()
    }

    /// φ itself.
    pub fn activation(self) -> Activation {
        match self {
            Self::Sigmoid => Activation::Sigmoid,
            Self::ClippedRelu => Activation::ClippedRelu,
            Self::Softplus => Activation::Softplus,
            Self::Lif => Activation::Table(LIF_TABLE.clone()),
        }
    }
}

/// The published neuron at its published time step.
static LIF_TABLE: LazyLock<Arc<Table>> = LazyLock::new(|| {
    let neuron = NoisyNeuron {
        tau_m: 10.0,
        refractory: 2.0,
        threshold_above_reset: 25.0,
        sigma: 1.0,
        step: 0.05,
    };
    Arc::new(Table::new(-8.0, 64.0, 1.0 / 16.0, |x| {
        (neuron.rate_hz(x) / LIF_LAMBDA) as f32
    }))
});

/// Arguments that are looked up in a table together. Fewer would be taken one by one.
const BLOCK: usize = 64;

/// A function as a table, linear between its entries and constant outside.
#[derive(Clone, Debug)]
pub struct Table {
    /// First argument.
    pub low: f32,
    /// Entries per unit of the argument.
    pub density: f32,
    /// Values at `low`, `low + 1/density`, ….
    pub values: Vec<f32>,
}

impl Table {
    fn new(low: f64, high: f64, spacing: f64, function: impl Fn(f64) -> f32) -> Self {
        let entries = ((high - low) / spacing).round() as usize + 1;
        let values = (0..entries)
            .map(|i| function(low + spacing * i as f64))
            .collect();
        Self {
            low: low as f32,
            density: (1.0 / spacing) as f32,
            values,
        }
    }

    /// Values and slopes at `x`.
    #[inline(always)]
    fn apply(&self, x: &[f32], r: &mut [f32], slope: &mut [f32]) {
        let (x, x_rest) = x.as_chunks::<BLOCK>();
        let (r, r_rest) = r.as_chunks_mut::<BLOCK>();
        let (slope, slope_rest) = slope.as_chunks_mut::<BLOCK>();
        for ((x, r), slope) in x.iter().zip(r).zip(slope) {
            self.apply_block(x, r, slope);
        }
        if !x_rest.is_empty() {
            let (mut x, mut r, mut slope) = ([0.0; BLOCK], [0.0; BLOCK], [0.0; BLOCK]);
            x[..x_rest.len()].copy_from_slice(x_rest);
            self.apply_block(&x, &mut r, &mut slope);
            r_rest.copy_from_slice(&r[..r_rest.len()]);
            slope_rest.copy_from_slice(&slope[..slope_rest.len()]);
        }
    }

    /// Values and slopes at the arguments of a block. The compiler makes vectors of each loop,
    /// the loads from the table included.
    #[inline(always)]
    fn apply_block(&self, x: &[f32; BLOCK], r: &mut [f32; BLOCK], slope: &mut [f32; BLOCK]) {
        assert!(self.values.len() > 1, "a table has two entries or more");
        let last = (self.values.len() - 1) as f32;
        let last_pair = self.values.len() as i32 - 2;
        let (mut inside, mut free) = ([0.0f32; BLOCK], [0.0f32; BLOCK]);
        let mut index = [0i32; BLOCK];
        for l in 0..BLOCK {
            let position = (x[l] - self.low) * self.density;
            inside[l] = position.clamp(0.0, last - 1e-3);
            free[l] = if inside[l] == position {
                self.density
            } else {
                0.0
            };
            // SAFETY: `max` takes the other number in place of NaN, so that this one lies between
            // 0 and the last index.
            let found: i32 = unsafe { inside[l].max(0.0).to_int_unchecked() };
            index[l] = found.min(last_pair);
        }
        let (mut here, mut next) = ([0.0f32; BLOCK], [0.0f32; BLOCK]);
        for l in 0..BLOCK {
            let place = index[l] as usize;
            // SAFETY: `place` is between 0 and the last index but one. Checked loads would be
            // made one by one.
            unsafe {
                here[l] = *self.values.get_unchecked(place);
                next[l] = *self.values.get_unchecked(place + 1);
            }
        }
        for l in 0..BLOCK {
            let rise = next[l] - here[l];
            r[l] = here[l] + (inside[l] - index[l] as f32) * rise;
            slope[l] = rise * free[l];
        }
    }
}

/// [`Activation::apply`], as [`pulp`] wants it.
struct Apply<'a> {
    activation: &'a Activation,
    x: &'a [f32],
    r: &'a mut [f32],
    slope: &'a mut [f32],
}

impl pulp::NullaryFnOnce for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.activation.apply(self.x, self.r, self.slope);
    }
}

impl Activation {
    /// [`apply`](Self::apply), in the widest vectors of the processor.
    pub fn apply_wide(&self, x: &[f32], r: &mut [f32], slope: &mut [f32]) {
        let activation = self;
        pulp::Arch::new().dispatch(Apply {
            activation,
            x,
            r,
            slope,
        });
    }

    /// r = φ(x) and φ'(x), element by element.
    #[inline(always)]
    pub fn apply(&self, x: &[f32], r: &mut [f32], slope: &mut [f32]) {
        if let Self::Table(table) = self {
            return table.apply(x, r, slope);
        }
        let elements = x.iter().zip(r).zip(slope);
        match self {
            Self::Sigmoid => elements.for_each(|((x, r), slope)| {
                *r = sigmoid(*x);
                *slope = *r * (1.0 - *r);
            }),
            Self::ClippedRelu => elements.for_each(|((x, r), slope)| {
                *r = x.clamp(0.0, CLIP);
                *slope = if *x > 0.0 && *x <= CLIP { 1.0 } else { 0.0 };
            }),
            Self::Softplus => elements.for_each(|((x, r), slope)| {
                let value = x.max(0.0) + (-x.abs()).exp().ln_1p();
                *r = value.min(CLIP);
                *slope = if value <= CLIP { sigmoid(*x) } else { 0.0 };
            }),
            Self::Table(_) => {}
        }
    }
}

/// 1 / (1 + e^−x).
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// e^x to 2e-7, in operations that the compiler can vectorize: the power of
/// two by its exponent bits, the rest by a polynomial on ±½ ln 2.
#[inline(always)]
fn exp(x: f32) -> f32 {
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    // Adding and subtracting 1.5·2²³ rounds to an integer.
    const ROUND: f32 = 12_582_912.0;
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let f = (x - n * LN2_HIGH) - n * LN2_LOW;
    let mut p = 1.0 / 720.0;
    for coefficient in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        p = p * f + coefficient;
    }
    // n as an integer, from the low bits: a cast would saturate, which is no vector operation.
    let power = shifted.to_bits().wrapping_sub(ROUND.to_bits());
    p * f32::from_bits(power.wrapping_add(127) << 23)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_exp() {
        for i in -8600..8700 {
            let x = i as f32 / 100.0;
            assert!((exp(x) / (x as f64).exp() as f32 - 1.0).abs() < 5e-7, "{x}");
        }
    }

    #[test]
    fn slopes_are_differences() {
        for &kind in <ActivationKind as clap::ValueEnum>::value_variants() {
            let activation = kind.activation();
            for i in -90..190 {
                // Off the kinks of relu and of the table.
                let x = i as f32 / 8.0 + 0.03;
                let d = 0.01f32;
                let (mut r, mut slope) = ([0.0; 3], [0.0; 3]);
                activation.apply(&[x - d, x, x + d], &mut r, &mut slope);
                let difference = (r[2] - r[0]) / (2.0 * d);
                assert!(
                    (difference - slope[1]).abs() < 2e-3,
                    "{kind:?} at {x}: {difference} {}",
                    slope[1]
                );
            }
        }
    }
}

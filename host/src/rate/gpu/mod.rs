//! K networks side by side on a GPU, by CubeCL kernels: through CUDA (feature
//! `cuda`), or through Vulkan, Metal or DirectX (feature `wgpu`). The tests
//! run the kernels through Vulkan where there is no NVIDIA GPU.
//!
//! [`device`] finds the GPU. With one of the features, `kernels` holds the
//! kernels, `plan` says where the weights lie, `tensors` turns tensors into
//! arrays of kernels, `launch` launches them, and `draw` draws trials and noise on
//! the device.

pub mod device;
#[cfg(feature = "gpu")]
pub mod draw;
#[cfg(feature = "gpu")]
pub mod kernels;
#[cfg(feature = "gpu")]
pub mod launch;
#[cfg(feature = "gpu")]
pub mod plan;
#[cfg(feature = "gpu")]
pub mod tensors;

/// Floating-point operations of one update of a network: the products forward,
/// backward and for the weight gradient.
pub fn flop_of_update(units: usize, samples: usize, trials: usize) -> f64 {
    let product = (2 * units * (units + 1)) as f64;
    product * trials as f64 * (3 * samples - 1) as f64
}

/// Bytes that one update of a network moves to and from memory, by the count in
/// docs/experiments.md.
pub fn bytes_of_update(units: usize, samples: usize, trials: usize) -> f64 {
    const STEP_ARRAYS: f64 = 12.0;
    const WEIGHT_ARRAYS: f64 = 33.0;
    let steps = (units * samples * trials) as f64;
    let weights = (units * units) as f64;
    4.0 * (STEP_ARRAYS * steps + WEIGHT_ARRAYS * weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_are_those_of_the_experiments() {
        let (flop, bytes) = (flop_of_update(200, 200, 1), bytes_of_update(200, 200, 1));
        assert!((flop / 48.2e6 - 1.0).abs() < 0.01, "{flop}");
        assert!((bytes / 7.2e6 - 1.0).abs() < 0.01, "{bytes}");
    }
}

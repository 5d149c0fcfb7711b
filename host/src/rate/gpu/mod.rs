//! K networks side by side on a GPU, by CubeCL kernels: through CUDA (feature
//! `cuda`), or through Vulkan, Metal or DirectX (feature `wgpu`), which is what
//! tests the kernels where there is no NVIDIA GPU.
//!
//! [`device`] finds the GPU. With one of the features, `kernels` holds the
//! kernels, `plan` says where the weights lie, `launch` launches them, and
//! `draw` draws trials and noise on the device.
//!
//! # What a GPU could do
//!
//! One update of one network, one trial, N = 200, T = 200, counted by hand:
//!
//! ```text
//! FLOP    forward 2 T N (N+1) = 16.1 M, adjoint 2 (T−1) N (N+1) = 16.0 M, weight gradient 2 T N (N+1) = 16.1 M: 48.2 M
//! bytes   a number of K × T × B × N is 160 kB a network. Draw writes current and noise; forward reads both and writes
//!         r, slope, drift; adjoint reads slope, drift and writes z; the product reads z, r: 12 × 160 kB = 1.92 MB.
//!         Weights, 160 kB: mask and sign (2 reads, 2 writes, and as much for the gradient), A and Aᵀ (2 + 2),
//!         read by forward, adjoint (2), written by the product (1), Adam (some 20 in separate operations): 33 × 160 kB = 5.3 MB.
//! ```
//!
//! An H100 or H200 (SXM) has 132 multiprocessors of 128 multiply-adds a cycle at
//! up to 1.98 GHz, 67 TFLOP/s, and reads 3.35 (H100) or 4.8 TB/s (H200); figures
//! of NVIDIA's data sheets. For K = 1,056 = 8 × 132 networks that makes
//!
//! ```text
//! arithmetic  1,056 × 48.2 MFLOP / 67 TFLOP/s                      0.76 ms
//! memory      1,056 × 7.2 MB / 3.35 TB/s (H100), 4.8 TB/s (H200)   2.3 ms, 1.6 ms
//! ```
//!
//! so that the operations around the recurrence would bound it. For K = 132, an
//! eighth of that: 0.1 ms arithmetic, 0.28 ms or 0.20 ms memory, less what of it
//! fits the 50 MB of L2. For K = 1 neither bounds it, but the chain of steps: a
//! product of 40,000 multiply-adds is 313 cycles of one multiprocessor, with two
//! barriers and the sum over groups some 500: 2 × 200 × 500 cycles, 0.1 ms,
//! and the launches of some 100 small kernels, at 3 to 5 µs each 0.3 to 0.5 ms.
//! These are floors and estimates; `cargo bench --bench gpu` measures.

pub mod device;
#[cfg(feature = "gpu")]
pub mod draw;
#[cfg(feature = "gpu")]
pub mod kernels;
#[cfg(feature = "gpu")]
pub mod launch;
#[cfg(feature = "gpu")]
pub mod plan;

/// Floating-point operations of one update of a network: the products forward,
/// backward and for the weight gradient.
pub fn flop_of_update(units: usize, samples: usize, trials: usize) -> f64 {
    let product = (2 * units * (units + 1)) as f64;
    product * trials as f64 * (3 * samples - 1) as f64
}

/// Bytes that one update of a network moves to and from memory, by the count
/// above.
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
    fn the_counts_are_those_of_the_documentation() {
        let (flop, bytes) = (flop_of_update(200, 200, 1), bytes_of_update(200, 200, 1));
        assert!((flop / 48.2e6 - 1.0).abs() < 0.01, "{flop}");
        assert!((bytes / 7.2e6 - 1.0).abs() < 0.01, "{bytes}");
    }
}

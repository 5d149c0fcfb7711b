//! The place of each weight while one cube (a block of threads) runs a network, and
//! the thread that multiplies with it.
//!
//! A product takes a vector of `inner` numbers to one of `outer`. The threads
//! form `groups` of `outer`: a thread owns one number of the result and
//! `columns` weights of its row, and the partial sums of the groups are added
//! at the end. A thread keeps its first weights in registers, the next in
//! shared memory, and reads those that fit in neither from global memory each
//! step; a weight on the chip is read from global memory once a launch.
//!
//! The fastest number of groups depends on the registers that are left to each
//! thread; [`Plan::new`] compares the numbers of groups by the cycles that a product
//! would take on a streaming multiprocessor of an H100 or H200 (128
//! multiply-adds and one access to shared memory for 32 threads a cycle, 64 Ki
//! registers, 227 KiB of shared memory). There, the weights of N = 200 lie in registers,
//! except four columns of a thread, and every N up to 315 stays on the chip.

/// Threads of a warp.
const WARP: usize = 32;

/// Schedulers of a streaming multiprocessor, each with its own registers.
const SCHEDULERS: usize = 4;

/// Registers of a scheduler, on every CUDA GPU since compute capability 5.0.
const REGISTERS: usize = 16_384;

/// Most registers of a thread. The hardware has 255, but with all of them (at
/// N = 250) the CUDA compiler, 12.6, moved weights to memory and back within the
/// step; at N = 200, whose kernels take 128 and 96, it did not. Values
/// between the two have not been tried. The test in tests/cuda counts the registers and the
/// bytes that a newer compiler moves.
const REGISTERS_OF_A_THREAD: usize = 168;

/// Registers are given to a thread in multiples of this number.
const REGISTERS_AT_ONCE: usize = 8;

/// Registers that a thread needs beside those of its weights.
const REGISTERS_APART: usize = 32;

/// Cycles from a multiply-add to the next one of the same sum. A scheduler is busy if
/// it has at least this number of warps.
const LATENCY: usize = 4;

/// Cycles in which a warp's weights come from the second-level cache: the weights are
/// 128 bytes, and the cache gives each multiprocessor about 24 bytes a cycle.
const CACHE_CYCLES: usize = 5;

/// A thread has a multiple of this number of columns, so that the vector is read
/// four numbers at a time.
const COLUMNS: usize = 4;

/// The thread and the place of each weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Plan {
    /// Length of the vector.
    pub inner: usize,
    /// Length of the product.
    pub outer: usize,
    /// Threads that share a number of the product.
    pub groups: usize,
    /// Weights of a thread.
    pub columns: usize,
    /// Weights of a thread that lie in registers.
    pub in_registers: usize,
    /// Weights of a thread that lie in shared memory.
    pub in_shared: usize,
}

/// The limits of a cube.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most threads.
    pub threads: usize,
    /// Most bytes of shared memory.
    pub shared: usize,
}

impl Plan {
    /// The plan of a product of this shape; `None` if a cube has fewer threads than the
    /// product has numbers.
    pub fn new(inner: usize, outer: usize, limits: Limits) -> Option<Self> {
        let most = (limits.threads / outer).min(inner.div_ceil(COLUMNS));
        (1..=most)
            .filter_map(|groups| Self::with_groups(inner, outer, groups, limits))
            .min_by_key(Self::cycles)
    }

    fn with_groups(inner: usize, outer: usize, groups: usize, limits: Limits) -> Option<Self> {
        let columns = inner.div_ceil(groups).next_multiple_of(COLUMNS);
        let plan = Self {
            inner,
            outer,
            // Rounding up may leave nothing for the last groups.
            groups: inner.div_ceil(columns),
            columns,
            in_registers: 0,
            in_shared: 0,
        };
        let of_a_thread = REGISTERS / (plan.warps_of_a_scheduler() * WARP);
        let of_a_thread = of_a_thread / REGISTERS_AT_ONCE * REGISTERS_AT_ONCE;
        let free = of_a_thread
            .min(REGISTERS_OF_A_THREAD)
            .saturating_sub(REGISTERS_APART);
        let in_registers = columns.min(free / COLUMNS * COLUMNS);
        let threads = plan.threads();
        let shared = (limits.shared / size_of::<f32>()).checked_sub(plan.padded() + threads)?;
        Some(Self {
            in_registers,
            in_shared: (columns - in_registers).min(shared / threads),
            ..plan
        })
    }

    fn warps_of_a_scheduler(&self) -> usize {
        self.threads().div_ceil(WARP).div_ceil(SCHEDULERS)
    }

    /// Cycles of a product: the larger of the busiest scheduler's multiply-adds and the
    /// accesses to shared memory and cache, plus the sum over groups.
    fn cycles(&self) -> usize {
        let sums = self.warps_of_a_scheduler().max(LATENCY) * self.columns;
        let warps = self.threads().div_ceil(WARP);
        let elsewhere = (self.columns - self.on_chip()) * CACHE_CYCLES;
        let loads = warps * (self.columns / COLUMNS + self.in_shared + elsewhere);
        let groups = self.outer.div_ceil(WARP) * self.groups;
        sums.max(loads) + groups
    }

    /// Threads of a cube.
    pub fn threads(&self) -> usize {
        self.groups * self.outer
    }

    /// Length of the vector with the zeros that fill the last group's columns.
    pub fn padded(&self) -> usize {
        self.groups * self.columns
    }

    /// Weights of a thread that lie in registers or in shared memory.
    pub fn on_chip(&self) -> usize {
        self.in_registers + self.in_shared
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOPPER: Limits = Limits {
        threads: 1024,
        shared: 227 * 1024,
    };

    #[test]
    fn every_weight_has_one_place() {
        for inner in 1..700 {
            for outer in [inner - 1, inner, inner + 1] {
                let Some(plan) = Plan::new(inner, outer.max(1), HOPPER) else {
                    panic!("{inner} × {outer} fits into a cube");
                };
                assert!(plan.padded() >= inner, "{plan:?}");
                assert!((plan.groups - 1) * plan.columns < inner, "{plan:?}");
                assert!(plan.on_chip() <= plan.columns, "{plan:?}");
                assert!(plan.threads() <= HOPPER.threads, "{plan:?}");
                let floats = plan.padded() + plan.threads() * (1 + plan.in_shared);
                assert!(4 * floats <= HOPPER.shared, "{plan:?}");
            }
        }
    }

    #[test]
    fn networks_of_up_to_315_units_stay_on_the_chip() {
        for n in 1..=315 {
            for (inner, outer) in [(n, n + 1), (n + 1, n)] {
                let plan = Plan::new(inner, outer, HOPPER).expect("it fits into a cube");
                assert_eq!(plan.on_chip(), plan.columns, "{plan:?}");
            }
        }
    }

    #[test]
    fn a_network_larger_than_a_cube_has_no_plan() {
        assert!(Plan::new(1023, 1024, HOPPER).is_some());
        assert!(Plan::new(1024, 1025, HOPPER).is_none());
    }
}

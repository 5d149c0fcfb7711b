//! The places of a network's parts in the memory of the caller.

use core::alloc::Layout;
use core::slice;

use rate2spike_core::Fixed;
use rate2spike_core::blob::Deployed;
use rate2spike_core::block::{Block, ReadoutBlock};
use rate2spike_core::lanes::blocks;
use rate2spike_core::network::Network as _;
use rate2spike_core::refractory::Waiting;
use rate2spike_core::step::StateMemory;

use crate::network::Network;

/// Offsets in bytes from the beginning of the [`Network`], which comes first.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    blocks: Part,
    readout: Part,
    waiting: Part,
    outputs: Part,
    whole: Layout,
}

/// A table: its offset in bytes and its number of entries.
#[derive(Clone, Copy, Debug)]
struct Part {
    offset: usize,
    entries: usize,
}

impl Places {
    /// The places for `network`; `None` if they do not fit an address space.
    pub fn of(network: &Deployed) -> Option<Self> {
        let units = network.constants().units;
        let whole = Layout::new::<Network>();
        let (whole, blocks) = behind::<Block<Fixed>>(whole, blocks(units))?;
        let filters = network.banks().blocks();
        let (whole, readout) = behind::<ReadoutBlock<Fixed>>(whole, filters)?;
        let (whole, waiting) = behind::<Waiting>(whole, units)?;
        let outputs = network.constants().outputs;
        let (whole, outputs) = behind::<Fixed>(whole, outputs)?;
        Some(Self {
            blocks,
            readout,
            waiting,
            outputs,
            whole,
        })
    }

    /// Bytes that are enough wherever the memory begins.
    pub fn bytes(&self) -> usize {
        self.whole.size().saturating_add(self.whole.align() - 1)
    }

    /// The first place for a [`Network`] in `bytes` of memory from `start` on;
    /// `None` if the memory is too small.
    pub fn begin_in(&self, start: *mut u8, bytes: usize) -> Option<*mut Network> {
        // An alignment is a power of two. `align_offset` would check that, with a panic.
        let below = self.whole.align().wrapping_sub(1);
        let skipped = start.addr().wrapping_neg() & below;
        let enough = skipped.checked_add(self.whole.size())? <= bytes;
        enough.then(|| start.wrapping_add(skipped).cast())
    }

    /// The tables behind the network at `start`, all zero at first.
    ///
    /// # Safety
    /// `start` came from [`Places::begin_in`] for memory that is valid for reads
    /// and writes, and no other reference to the tables is in use.
    pub unsafe fn tables<'m>(&self, start: *mut Network) -> StateMemory<'m, Fixed> {
        let start = start.cast::<u8>();
        // SAFETY: the layout was made for these types, so that each part is aligned,
        // inside the memory and apart from the others; `fill` writes each entry
        // before the slice is made.
        unsafe {
            StateMemory {
                blocks: fill(start, self.blocks, Block::<Fixed>::EMPTY),
                readout: fill(start, self.readout, ReadoutBlock::<Fixed>::EMPTY),
                waiting: fill(start, self.waiting, Waiting::EMPTY),
                outputs: fill(start, self.outputs, Fixed::ZERO),
            }
        }
    }
}

/// `layout` with `entries` of a table behind it.
fn behind<T>(layout: Layout, entries: usize) -> Option<(Layout, Part)> {
    let table = Layout::array::<T>(entries).ok()?;
    let (whole, offset) = layout.extend(table).ok()?;
    Some((whole, Part { offset, entries }))
}

/// The table at `part`, each entry written with `value`.
///
/// # Safety
/// See [`Places::tables`].
unsafe fn fill<'m, T: Copy>(start: *mut u8, part: Part, value: T) -> &'m mut [T] {
    let first = start.wrapping_add(part.offset).cast::<T>();
    for index in 0..part.entries {
        // SAFETY: the entry is inside the part.
        unsafe { first.add(index).write(value) };
    }
    // SAFETY: every entry was written, and the caller uses no other reference.
    unsafe { slice::from_raw_parts_mut(first, part.entries) }
}

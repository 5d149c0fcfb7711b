//! The second core, which does half of each step.
//!
//! The core sleeps until it gets a piece of work, does the work, and sleeps again. The code and
//! the table of interrupts lie in RAM, and the core has no interrupts: while the flash is
//! written, the core has no work and reads no flash.

use core::mem::ManuallyDrop;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering};

use cortex_m::asm::{sev, wfe};

use crate::hal::multicore::{Multicore, StackAllocation};
use crate::hal::pac;
use crate::hal::sio::SioFifo;

/// The two ends of the second core's stack: a bank of RAM that nothing else uses, so that
/// neither core waits there for the other.
const STACK: [usize; 2] = [crate::SECOND_STACK, crate::SECOND_STACK + 0x1000];

/// A function that does the piece of work at an address.
type Does = unsafe fn(*mut ());

/// A piece of work for the second core.
struct Work {
    /// A [`Does`]; null if there is nothing to do.
    does: AtomicPtr<()>,
    at: AtomicPtr<()>,
}

static WORK: Work = Work {
    does: AtomicPtr::new(null_mut()),
    at: AtomicPtr::new(null_mut()),
};

/// Starts the second core.
pub fn start(power: &mut pac::PSM, own: &mut pac::PPB, fifo: &mut SioFifo) {
    let [low, high] = STACK.map(|address| address as *mut usize);
    // SAFETY: this RAM is not in `memory.x`, and the second core is started once.
    let stack = unsafe { StackAllocation::from_raw_parts(low, high) };
    let mut cores = Multicore::new(power, own, fifo);
    let [_, second] = cores.cores() else {
        return;
    };
    let started = second.spawn(stack, work);
    started.expect("a chip with two cores");
}

/// What the second core does.
fn work() {
    loop {
        let does = WORK.does.load(Ordering::Acquire);
        if does.is_null() {
            wfe();
            continue;
        }
        // SAFETY: `both` has written a function of this type, and its piece of work stays
        // where it is until the function has returned.
        unsafe {
            let does: Does = core::mem::transmute(does);
            does(WORK.at.load(Ordering::Relaxed));
        }
        WORK.does.store(null_mut(), Ordering::Release);
        sev();
    }
}

/// Does `here` on this core and `there` on the second one, and returns when both are done. A
/// panic of either does not return: it starts the chip anew.
#[inline(always)]
pub fn both<There: FnOnce() + Send>(here: impl FnOnce(), there: There) {
    let mut there = ManuallyDrop::new(there);
    WORK.at.store((&raw mut there).cast(), Ordering::Relaxed);
    WORK.does
        .store(does::<There> as Does as *mut (), Ordering::Release);
    sev();
    here();
    while !WORK.does.load(Ordering::Acquire).is_null() {
        wfe();
    }
}

/// # Safety
/// A `There` lies at this address, which nobody else uses, and which is taken once.
unsafe fn does<There: FnOnce()>(at: *mut ()) {
    // SAFETY: as the caller promises.
    let there = unsafe { ManuallyDrop::take(&mut *at.cast::<ManuallyDrop<There>>()) };
    there();
}

//! The spiking core as a C library.
//!
//! [`network`] has the functions, [`status`] their status codes, [`memory`] the
//! places of a network's parts in the caller's memory. The header
//! `include/rate2spike.h` is made from them by cbindgen.
//!
//! This crate is the only one with `unsafe`: C hands over pointers. Each function
//! says which pointers it takes.

#![no_std]
#![deny(unsafe_op_in_unsafe_fn)]

mod memory;
mod network;
mod status;

/// The end of a panic. No function of this library can panic; the tests check
/// that no linked program contains this handler.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

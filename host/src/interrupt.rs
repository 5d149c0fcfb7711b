//! Ctrl-C, SIGTERM and SIGHUP: work that can stop in order does so, and everything
//! else ends at once.

use std::io::Write;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

/// Exit status of a program that Ctrl-C has ended.
const STATUS: i32 = 130;

/// Work that asks [`asked`] from time to time and stops in order. While one of these
/// lives, the first signal is left to it; a second one ends the program at once.
#[derive(Debug)]
pub struct Orderly(());

impl Orderly {
    /// Before the work begins.
    pub fn begin() -> Self {
        static HANDLER: Once = Once::new();
        // Without a handler a signal ends the program: no reason not to work.
        HANDLER.call_once(|| drop(ctrlc::set_handler(interrupted)));
        UNDER_WAY.fetch_add(1, Ordering::SeqCst);
        Self(())
    }
}

impl Drop for Orderly {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Whether the program was asked to stop.
pub fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}

fn interrupted() {
    let again = ASKED.swap(true, Ordering::SeqCst);
    if again || UNDER_WAY.load(Ordering::SeqCst) == 0 {
        // A closed standard error is no reason to stay.
        let _ = writeln!(std::io::stderr(), "rate2spike: interrupted");
        std::process::exit(STATUS);
    }
}

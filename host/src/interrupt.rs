//! Ctrl-C, SIGTERM and SIGHUP.
//!
//! A program that does nothing else ends at once, with status 130. While an
//! [`Orderly`] lives, the work asks [`asked`] and stops by itself. While an
//! [`Ending`] lives, the program ends at once with the sentence of that work and
//! status 130. No signal cuts a file: a writer holds the end back with [`hold`], once the
//! program [`listen`]s. A process that keeps the signals for itself, such as an
//! interpreter, stops a training by its progress:
//! [`crate::rate::training::Progress::stops`].

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError, RwLock, RwLockReadGuard};

static ASKED: AtomicBool = AtomicBool::new(false);
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);
static SENTENCE: Mutex<Option<Sentence>> = Mutex::new(None);
static WRITING: RwLock<()> = RwLock::new(());

type Sentence = Box<dyn Fn() -> String + Send>;

/// Exit status of a program that Ctrl-C, SIGTERM or SIGHUP has ended.
pub const STATUS: u8 = 130;

/// Work that calls [`asked`] between its steps and stops in order. While one of these
/// lives, the first signal is left to the work; a second signal ends the program.
#[derive(Debug)]
pub struct Orderly(());

impl Orderly {
    /// Call this before the work begins.
    pub fn begin() -> Self {
        listen();
        UNDER_WAY.fetch_add(1, Ordering::SeqCst);
        Self(())
    }
}

impl Drop for Orderly {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Work that may end between any two writes of a file. While this lives and no
/// [`Orderly`] does, a signal ends the program with a sentence and status 130.
#[derive(Debug)]
pub struct Ending(());

impl Ending {
    /// Call this before the work begins. A signal prints `sentence` after
    /// `rate2spike: interrupted`.
    pub fn with(sentence: impl Fn() -> String + Send + 'static) -> Self {
        listen();
        *locked(&SENTENCE) = Some(Box::new(sentence));
        Self(())
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        *locked(&SENTENCE) = None;
    }
}

/// Whether the program was asked to stop.
pub fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}

/// Holds the end of the program back until the guard is dropped, so that a signal
/// leaves no temporary file behind. A thread holds one guard at a time.
pub fn hold() -> RwLockReadGuard<'static, ()> {
    WRITING.read().unwrap_or_else(PoisonError::into_inner)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the signals over. A program calls this first, so that a signal cuts none of
/// its files; a library leaves the signals to its caller until work begins that stops
/// in order.
pub fn listen() {
    static HANDLER: Once = Once::new();
    // Without a handler a signal ends the program, and the work can be done all the same.
    HANDLER.call_once(|| drop(ctrlc::set_handler(interrupted)));
}

fn interrupted() {
    let again = ASKED.swap(true, Ordering::SeqCst);
    if !again && UNDER_WAY.load(Ordering::SeqCst) > 0 {
        return;
    }
    let _writers_are_done = WRITING.write();
    let end = match &*locked(&SENTENCE) {
        Some(sentence) if !again => format!(": {}", sentence()),
        _ => String::new(),
    };
    // A closed standard error is no reason to stay.
    let _ = writeln!(std::io::stderr(), "rate2spike: interrupted{end}");
    std::process::exit(STATUS.into());
}

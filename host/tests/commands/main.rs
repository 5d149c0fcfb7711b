//! The command line as a user types it: what scripts rely on, and the answer to a
//! mistake. One module a command, all in one test program, because each test
//! program links the whole host: `cargo test -p rate2spike --test commands train::`.

mod bench;
mod closed_pipe;
mod convert;
mod damaged;
mod data;
mod exchange;
mod files;
mod flags;
mod found_with;
#[cfg(unix)]
mod fpga;
mod golden;
mod help;
mod inputs_unharmed;
mod inspect;
mod model_task;
mod pages;
mod pipeline;
mod place;
mod reference;
mod restarts;
mod run;
mod signals;
mod simulate;
mod train;
mod trials;
mod user_task;
mod warnings;
mod watch;

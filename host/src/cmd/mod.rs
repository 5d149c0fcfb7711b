//! The command line: one file a subcommand, and one for each subject that several of
//! them share.

pub mod bars;
pub mod command_line;
pub mod convert;
pub mod data;
pub mod deploy;
pub mod deploy_args;
mod deploy_logic;
pub mod deployed_step;
pub mod error;
pub mod export;
mod export_verilog;
pub mod files;
pub mod gpu;
pub mod idle;
pub mod import;
pub mod inspect;
pub mod options;
pub mod perturbation;
pub mod pipeline;
pub mod plot;
pub mod quantize;
pub mod report;
pub mod reproduce;
pub mod run;
pub mod run_input;
pub mod run_on;
pub mod run_report;
pub mod shared;
pub mod shell;
pub mod simulate;
pub mod sweep;
pub mod train;
pub mod trials;
pub mod warnings;
pub mod watch;

pub use error::CommandError;

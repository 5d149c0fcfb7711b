//! The program `rate2spike`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(rate2spike::cmd::command_line::run(std::env::args_os()))
}

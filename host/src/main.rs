//! The command line: read it, run the command, say how it ended.

use std::process::ExitCode;

use rate2spike::cmd::command_line::CommandLine;
use rate2spike::interrupt;
use rate2spike::print::console::{self, Console};

fn main() -> ExitCode {
    interrupt::listen();
    let line = match CommandLine::read() {
        Ok(line) => line,
        Err(answer) => return console::answer(&answer),
    };
    let console = Console::new(line.print);
    let done = line.command.run(&console);
    let printed = console.finish().map_err(Into::into);
    match done.and(printed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console.complain(&error);
            ExitCode::from(error.exit_status())
        }
    }
}

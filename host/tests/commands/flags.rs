//! Every command and every flag explains itself.

use clap::CommandFactory;
use rate2spike::cmd::command_line::CommandLine;

#[test]
fn every_command_has_an_example_and_every_flag_has_help() {
    let mut program = CommandLine::command();
    program.build();
    for command in program.get_subcommands().filter(|c| c.get_name() != "help") {
        let name = command.get_name();
        let about = command.get_long_about().or(command.get_about());
        let about = about.map(ToString::to_string).unwrap_or_default();
        assert!(about.contains("Example:"), "{name} has no example: {about}");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{name} {argument}: no help");
        }
    }
}

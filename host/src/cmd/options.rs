//! Flags of a network and its training, shared by `train`, `pipeline` and
//! `sweep`.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Args, FromArgMatches};

use super::CommandError;
use super::shared::read_model;
use crate::formats::rate_model::RateModelFile;
use crate::print::console::Console;
use crate::rate::activation::ActivationKind;
use crate::rate::fields::{FIELDS, Field, Given};
use crate::rate::options::{RateOptions, usual_units};
use crate::rate::restarts::MOST_STARTS;
use crate::task::Task;

/// The network and its training; shared by `train` and `pipeline`.
#[derive(Clone, Debug, Args)]
pub struct OptionArgs {
    /// Number of units [default: 200, and 100 for a data set]
    #[arg(
        long = "N",
        visible_aliases = ["units", "n"],
        value_name = "N",
        allow_negative_numbers = true
    )]
    pub units: Option<usize>,
    /// Activation [default: sigmoid for train, lif for pipeline]
    #[arg(long, value_enum, ignore_case = true)]
    pub act: Option<ActivationKind>,
    /// Everything else
    #[command(flatten)]
    pub training: TrainingArgs,
    /// Seed of everything random [default: 1]
    #[arg(long, allow_negative_numbers = true, value_name = "SEED")]
    pub seed: Option<u64>,
    /// Begin with a trained model, for a harder task with the same inputs
    #[arg(long, value_name = "MODEL.mat")]
    pub from: Option<PathBuf>,
    /// How often the training begins
    #[command(flatten)]
    pub restarts: RestartArgs,
}

/// The random starts of a training; shared by `train`, `pipeline` and `sweep`.
#[derive(Clone, Debug, Args)]
pub struct RestartArgs {
    /// Train from K random starts at once, and keep the first network that meets the criterion and, in `pipeline` and `sweep`, is right in 97 % of the trials as a deployed network; its seed is printed and stored, and --seed with it gives the same network
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = starts)]
    pub restarts: usize,
}

/// Reads a number of random starts.
fn starts(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(starts @ 1..=MOST_STARTS) => Ok(starts),
        _ => Err(format!(
            "give a whole number of starts, at least 1 and at most {MOST_STARTS}"
        )),
    }
}

impl RestartArgs {
    /// The number of starts.
    ///
    /// # Errors
    /// [`CommandError::Usage`] where no start could meet a criterion.
    pub fn starts(&self, options: &RateOptions) -> Result<usize, CommandError> {
        if self.restarts > 1 && options.validated() {
            return Err(CommandError::Usage(
                "--restarts: the training on a data set has no criterion by which a start could win; leave it out"
                    .into(),
            ));
        }
        Ok(self.restarts)
    }
}

/// The options of [`FIELDS`] that were given.
#[derive(Clone, Debug, Default)]
pub struct TrainingArgs {
    /// The given options.
    pub given: Given,
}

impl Args for TrainingArgs {
    fn augment_args(command: clap::Command) -> clap::Command {
        command.args(FIELDS.iter().map(argument))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for TrainingArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = Given::collect(|field| {
            let values = matches.get_many::<String>(field.flag)?;
            Some(values.cloned().collect())
        });
        Ok(Self { given })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Options to read defaults from, and to try values on.
fn example(activation: ActivationKind) -> RateOptions {
    let task = Task::go_nogo();
    let units = usual_units(&task);
    RateOptions::defaults(task, units, activation)
}

/// The flag of a field.
fn argument(field: &'static Field) -> Arg {
    let choices = (field.choices)();
    let argument = Arg::new(field.flag)
        .long(field.flag)
        .value_name(field.value_name)
        .num_args(1..=field.most_values)
        .allow_negative_numbers(true)
        .visible_aliases(visible_names(field))
        .aliases(hidden_names(field))
        .help(help(field));
    if choices.is_empty() {
        return argument.value_parser(move |text: &str| value_of(field, text));
    }
    argument
        .ignore_case(true)
        .value_parser(PossibleValuesParser::new(choices))
}

/// Checks one value of a flag. A value below 0 is checked against its range here, so
/// that the answer names the flag; other values wait for the other options.
fn value_of(field: &Field, text: &str) -> Result<String, String> {
    let mut options = example(ActivationKind::Sigmoid);
    (field.set)(&mut options, &[text])?;
    if text.starts_with('-') {
        options.checked().map_err(|error| error.to_string())?;
    }
    Ok(text.into())
}

/// The kebab-case name of a flag, where it differs, and its further names.
fn visible_names(field: &Field) -> Vec<String> {
    let kebab = field.flag.to_lowercase().replace('_', "-");
    let other = field.aliases.iter().map(ToString::to_string);
    other
        .chain((kebab != field.flag).then_some(kebab))
        .collect()
}

/// Names that differ from the flag or from its kebab-case name in capitals only.
fn hidden_names(field: &Field) -> Vec<String> {
    let names = [field.flag.to_lowercase(), field.flag.replace('_', "-")];
    let known = visible_names(field);
    let mut hidden: Vec<String> = names
        .into_iter()
        .filter(|name| *name != field.flag && !known.contains(name))
        .collect();
    hidden.dedup();
    hidden
}

/// The help text of a field with its defaults.
fn help(field: &Field) -> String {
    let text = |options: &RateOptions| (field.text)(options).join(" ");
    let published = text(&example(ActivationKind::Sigmoid));
    let lif = match field.lif_default {
        Some(words) => words.into(),
        None => text(&example(ActivationKind::Lif)),
    };
    let data = match field.data_default.or(field.lif_default) {
        Some(words) => words.into(),
        None => text(&RateOptions::recorded(Task::go_nogo(), 100)),
    };
    let mut default = published.clone();
    if lif != published {
        default += &format!("; {lif} with --act lif");
    }
    if data != lif {
        default += &format!("; {data} with --act lif and a data set");
    }
    format!("{} [default: {default}]", field.help)
}

impl OptionArgs {
    /// The model to begin with.
    ///
    /// # Errors
    /// If the model cannot be read.
    pub fn from(&self, console: &Console) -> Result<Option<RateModelFile>, CommandError> {
        let path = self.from.as_deref();
        path.map(|path| read_model(path, console)).transpose()
    }

    /// What to try after a training that did not meet its criterion.
    pub fn advice(&self) -> &'static str {
        match self.from {
            Some(_) => "Try more --n_trials or another --seed",
            None => "Try more --n_trials, more --restarts or another --seed",
        }
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed.unwrap_or(1)
    }

    /// Checked options; `default` is the activation where no `--act` is given.
    ///
    /// # Errors
    /// [`CommandError::Usage`].
    pub fn options(
        &self,
        task: &Task,
        default: ActivationKind,
    ) -> Result<RateOptions, CommandError> {
        let units = self.units.unwrap_or_else(|| usual_units(task));
        let activation = self.act.unwrap_or(default);
        self.training.options(task, units, activation, self.seed())
    }
}

impl TrainingArgs {
    /// Checked options of one network.
    ///
    /// # Errors
    /// [`CommandError::Usage`].
    pub fn options(
        &self,
        task: &Task,
        units: usize,
        activation: ActivationKind,
        seed: u64,
    ) -> Result<RateOptions, CommandError> {
        let default = RateOptions {
            seed,
            ..RateOptions::defaults(task.seeded(seed), units, activation)
        };
        let options = self.given.apply_to(default).map_err(CommandError::Usage)?;
        Ok(options.checked()?)
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command, FromArgMatches};

    use super::*;

    fn parse(words: &[&str]) -> Result<RateOptions, String> {
        let command = OptionArgs::augment_args(Command::new("train").no_binary_name(true));
        let matches = command
            .try_get_matches_from(words)
            .map_err(|error| error.to_string())?;
        let args = OptionArgs::from_arg_matches(&matches).map_err(|error| error.to_string())?;
        args.options(&Task::xor(), ActivationKind::Sigmoid)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn every_name_of_a_flag_sets_the_same_option() {
        let lif = RateOptions::defaults(Task::xor(), 20, ActivationKind::Lif);
        for field in &FIELDS {
            let values = (field.text)(&lif);
            let given = |name: &str| {
                let flag = format!("--{name}");
                let mut words = vec![flag.as_str()];
                words.extend(values.iter().map(String::as_str));
                parse(&words).expect(name)
            };
            let wanted = given(field.flag);
            let mut names = visible_names(field);
            names.extend(hidden_names(field));
            names.push(field.flag.to_lowercase().replace('_', "-"));
            for name in names {
                assert_eq!(given(&name), wanted, "{name}");
            }
        }
        for units in ["--N", "--n", "--units"] {
            assert_eq!(parse(&[units, "7"]).expect("units").units, 7);
        }
    }

    #[test]
    fn a_command_line_made_from_options_gives_the_same_options() {
        for activation in <ActivationKind as clap::ValueEnum>::value_variants() {
            let options = RateOptions {
                gain: 2.5,
                dale: false,
                settle: 7,
                settle_fluctuations: 0.75,
                taus: crate::rate::options::DecayTaus::Fixed(7.5),
                seed: 1 << 60,
                ..RateOptions::defaults(Task::xor(), 30, *activation)
            };
            let flags = options.flags();
            let words: Vec<&str> = flags.iter().map(String::as_str).collect();
            assert_eq!(parse(&words), Ok(options));
        }
    }

    #[test]
    fn a_value_that_cannot_be_read_is_answered_by_the_name_of_its_flag() {
        for (words, parts) in [
            (["--gain", "much"], ["--gain", "number"]),
            (
                ["--apply_dale", "perhaps"],
                ["--apply_dale", "True or False"],
            ),
            (["--n_trials", "-5"], ["--n_trials", "whole number"]),
            (["--batch", "-1"], ["--batch", "whole number"]),
            (["--N", "-3"], ["--N", "-3"]),
            (["--seed", "-3"], ["--seed", "-3"]),
            (["--w_dist", "flat"], ["--w_dist", "gaussian"]),
            (["--gain", "-1"], ["--gain", "positive"]),
        ] {
            let error = parse(&words).expect_err("a wrong value");
            for part in parts {
                assert!(error.contains(part), "{words:?}: {error}");
            }
        }
    }
}

//! The options of a training, one table entry each: the flag, the column of a
//! sweep's rows, and how the value is read and written.
//!
//! The flags of `train`, `pipeline` and `sweep`, the columns of a sweep, and
//! [`RateOptions::flags`] are made from [`FIELDS`]. To add an option: add a
//! field to [`RateOptions`] with its default and its check, and an entry here.

use std::num::{IntErrorKind, ParseIntError};
use std::str::FromStr;

use clap::ValueEnum;
use clap::builder::PossibleValue;

use super::options::{DecayTaus, Loss, RateOptions, Schedule, WeightStart};

/// One option of a training.
#[derive(Debug)]
pub struct Field {
    /// The flag without its dashes: the published name where there is one.
    pub flag: &'static str,
    /// Further names of the flag; its kebab-case name is made from `flag`.
    pub aliases: &'static [&'static str],
    /// The word that stands for the value in a help text.
    pub value_name: &'static str,
    /// The name of the column in a sweep's rows.
    pub column: &'static str,
    /// What the option does, for a help text.
    pub help: &'static str,
    /// The default with `--act lif`, where it is not a plain number.
    pub lif_default: Option<&'static str>,
    /// The default for a data set, where it is not a plain number.
    pub data_default: Option<&'static str>,
    /// The possible values; empty where the value is a number.
    pub choices: fn() -> Vec<PossibleValue>,
    /// The largest number of values; the smallest is one.
    pub most_values: usize,
    /// Reads the values from their text.
    pub set: fn(&mut RateOptions, &[&str]) -> Result<(), String>,
    /// Writes the values as text that `set` reads.
    pub text: fn(&RateOptions) -> Vec<String>,
}

/// The options of a training, except task, number of units, activation and
/// seed, in the order of the columns of a sweep's rows.
pub static FIELDS: [Field; 21] = [
    Field {
        flag: "P_inh",
        value_name: "P",
        column: "p_inh",
        help: "Probability that a unit is inhibitory",
        lif_default: Some("0.5 below 50 units"),
        data_default: Some("0.2"),
        set: |o, values| number(values, &mut o.p_inh),
        text: |o| one(o.p_inh),
        ..PLAIN
    },
    Field {
        flag: "exact_inhibition",
        value_name: "BOOL",
        column: "exact_inhibition",
        help: "Make exactly the share P_inh of the units inhibitory, in place of a coin for \
               each unit: True or False",
        lif_default: Some("true below 50 units"),
        data_default: Some("false"),
        set: |o, values| truth(values, &mut o.exact_inhibition),
        text: |o| one(o.exact_inhibition),
        ..PLAIN
    },
    Field {
        flag: "P_rec",
        value_name: "P",
        column: "p_rec",
        help: "Probability of a recurrent connection at the start",
        lif_default: Some("40 connections a unit"),
        set: |o, values| number(values, &mut o.p_rec),
        text: |o| one(o.p_rec),
        ..PLAIN
    },
    Field {
        flag: "som_N",
        aliases: &["som"],
        value_name: "N",
        column: "som_units",
        help: "Inhibitory units that receive no inhibition",
        set: |o, values| count(values, &mut o.som_units),
        text: |o| one(o.som_units),
        ..PLAIN
    },
    Field {
        flag: "apply_dale",
        aliases: &["dale"],
        value_name: "BOOL",
        column: "dale",
        help: "Dale's principle: True or False",
        set: |o, values| truth(values, &mut o.dale),
        text: |o| one(o.dale),
        ..PLAIN
    },
    Field {
        flag: "gain",
        value_name: "GAIN",
        column: "gain",
        help: "Spread of the recurrent weights at the start",
        set: |o, values| number(values, &mut o.gain),
        text: |o| one(o.gain),
        ..PLAIN
    },
    Field {
        flag: "input_gain",
        value_name: "GAIN",
        column: "input_gain",
        help: "Spread of the input weights at the start",
        lif_default: Some("√(200 / N), at least 1,"),
        data_default: Some("8 / √channels"),
        set: |o, values| number(values, &mut o.input_gain),
        text: |o| one(o.input_gain),
        ..PLAIN
    },
    Field {
        flag: "w_dist",
        aliases: &["start"],
        value_name: "START",
        column: "start",
        help: "Distribution of the recurrent weights at the start",
        choices: values::<WeightStart>,
        set: |o, values| choice(values, &mut o.start),
        text: |o| one(name(&o.start)),
        ..PLAIN
    },
    Field {
        flag: "loss_fn",
        aliases: &["loss"],
        value_name: "LOSS",
        column: "loss",
        help: "Loss of a trial; cross_entropy is the default for classes",
        choices: values::<Loss>,
        set: |o, values| choice(values, &mut o.loss),
        text: |o| one(name(&o.loss)),
        ..PLAIN
    },
    Field {
        flag: "decay_taus",
        aliases: &["taus"],
        value_name: "TAU",
        column: "taus",
        help: "Synaptic decay times in steps of 5 ms: one, or the two ends of a range to train in",
        most_values: 2,
        set: |o, values| taus(values, &mut o.taus),
        text: |o| o.taus.numbers().iter().map(f32::to_string).collect(),
        ..PLAIN
    },
    Field {
        flag: "n_trials",
        aliases: &["updates"],
        value_name: "N",
        column: "most_updates",
        help: "The largest number of updates; the published code makes one a trial",
        lif_default: Some("20000 below 50 units"),
        data_default: Some("1000"),
        set: |o, values| count(values, &mut o.updates),
        text: |o| one(o.updates),
        ..PLAIN
    },
    Field {
        flag: "batch",
        value_name: "N",
        column: "batch",
        help: "Trials of an update",
        set: |o, values| count(values, &mut o.batch),
        text: |o| one(o.batch),
        ..PLAIN
    },
    Field {
        flag: "learning_rate",
        aliases: &["rate"],
        value_name: "RATE",
        column: "learning_rate",
        help: "Adam's learning rate",
        set: |o, values| number(values, &mut o.learning_rate),
        text: |o| one(o.learning_rate),
        ..PLAIN
    },
    Field {
        flag: "schedule",
        value_name: "SCHEDULE",
        column: "schedule",
        help: "Adam's learning rate over the updates",
        choices: values::<Schedule>,
        set: |o, values| choice(values, &mut o.schedule),
        text: |o| one(name(&o.schedule)),
        ..PLAIN
    },
    Field {
        flag: "weight_decay",
        value_name: "SHARE",
        column: "weight_decay",
        help: "Share of each weight that an update takes away, times the learning rate",
        set: |o, values| number(values, &mut o.weight_decay),
        text: |o| one(o.weight_decay),
        ..PLAIN
    },
    Field {
        flag: "rate_penalty",
        value_name: "WEIGHT",
        column: "rate_penalty",
        data_default: Some("0.3 for one class a recording"),
        help: "Weight of the units' mean rate in the loss: a larger one makes a network fire less",
        set: |o, values| number(values, &mut o.rate_penalty),
        text: |o| one(o.rate_penalty),
        ..PLAIN
    },
    Field {
        flag: "train_inputs",
        value_name: "BOOL",
        column: "train_inputs",
        help: "Train the input weights too: True or False",
        set: |o, values| truth(values, &mut o.train_inputs),
        text: |o| one(o.train_inputs),
        ..PLAIN
    },
    Field {
        flag: "jitter",
        value_name: "SD",
        column: "jitter",
        help: "Standard deviation of noise on the inputs while training",
        set: |o, values| number(values, &mut o.jitter),
        text: |o| one(o.jitter),
        ..PLAIN
    },
    Field {
        flag: "settle",
        value_name: "N",
        column: "settle",
        help: "Updates with a falling rate after the criterion is met",
        set: |o, values| count(values, &mut o.settle),
        text: |o| one(o.settle),
        ..PLAIN
    },
    Field {
        flag: "fluctuations",
        value_name: "C",
        column: "fluctuations",
        lif_default: Some("1 from 50 units on"),
        data_default: Some("1"),
        help: "Fluctuations of the rates while training, like those of spike trains; \
               also sets --settle_fluctuations where that is not given",
        set: |o, values| {
            number(values, &mut o.fluctuations)?;
            o.settle_fluctuations = o.fluctuations;
            Ok(())
        },
        text: |o| one(o.fluctuations),
        ..PLAIN
    },
    Field {
        flag: "settle_fluctuations",
        value_name: "C",
        column: "settle_fluctuations",
        lif_default: Some("2.5 from 50 units on"),
        data_default: Some("1"),
        help: "Fluctuations of the rates in the updates of --settle",
        set: |o, values| number(values, &mut o.settle_fluctuations),
        text: |o| one(o.settle_fluctuations),
        ..PLAIN
    },
];

/// The entry of an option that is one number.
const PLAIN: Field = Field {
    flag: "",
    aliases: &[],
    value_name: "",
    column: "",
    help: "",
    lif_default: None,
    data_default: None,
    choices: Vec::new,
    most_values: 1,
    set: |_, _| Ok(()),
    text: |_| Vec::new(),
};

impl Field {
    /// The entry of this flag.
    pub fn of_flag(flag: &str) -> Option<&'static Field> {
        FIELDS.iter().find(|field| field.flag == flag)
    }
}

/// Options that were given by hand, in the order of [`FIELDS`]; the rest are
/// defaults.
#[derive(Clone, Debug, Default)]
pub struct Given(Vec<(&'static Field, Vec<String>)>);

impl Given {
    /// The given options from what `values` finds for each field.
    pub fn collect(values: impl Fn(&'static Field) -> Option<Vec<String>>) -> Self {
        let found = |field| values(field).map(|values| (field, values));
        Self(FIELDS.iter().filter_map(found).collect())
    }

    /// The flags that were given.
    pub fn flags(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(field, _)| field.flag)
    }

    /// `options` with the given values in place of its own.
    ///
    /// # Errors
    /// A sentence that names the flag whose value cannot be read.
    pub fn apply_to(&self, mut options: RateOptions) -> Result<RateOptions, String> {
        for (field, values) in &self.0 {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            (field.set)(&mut options, &values)
                .map_err(|reason| format!("--{}: {reason}", field.flag))?;
        }
        Ok(options)
    }
}

impl RateOptions {
    /// The flags of `train` and `pipeline` that stand for these options, except the
    /// task. Every option is there, so that no default decides.
    pub fn flags(&self) -> Vec<String> {
        let mut flags = vec!["--N".into(), self.units.to_string()];
        flags.extend(["--act".into(), self.activation.name().into()]);
        for field in &FIELDS {
            flags.push(format!("--{}", field.flag));
            flags.extend((field.text)(self));
        }
        flags.extend(["--seed".into(), self.seed.to_string()]);
        flags
    }
}

fn one(value: impl ToString) -> Vec<String> {
    vec![value.to_string()]
}

fn single<'a>(values: &[&'a str]) -> Result<&'a str, String> {
    match values {
        [value] => Ok(value),
        _ => Err("give one value".into()),
    }
}

fn number<T: FromStr>(values: &[&str], place: &mut T) -> Result<(), String> {
    *place = single(values)?.parse().map_err(|_| "give a number")?;
    Ok(())
}

/// The way out where a text is not a whole number: the error of the standard library
/// speaks of digits.
pub fn whole_number(error: &ParseIntError) -> &'static str {
    match error.kind() {
        IntErrorKind::Zero => "give a whole number, 1 or more",
        IntErrorKind::PosOverflow => "give a smaller whole number",
        _ => "give a whole number, 0 or more",
    }
}

fn count(values: &[&str], place: &mut usize) -> Result<(), String> {
    let text = single(values)?;
    *place = text.parse().map_err(|error| whole_number(&error))?;
    Ok(())
}

fn truth(values: &[&str], place: &mut bool) -> Result<(), String> {
    *place = match single(values)?.to_lowercase().as_str() {
        "yes" | "true" | "t" | "y" | "1" => true,
        "no" | "false" | "f" | "n" | "0" => false,
        _ => return Err("give True or False".into()),
    };
    Ok(())
}

fn choice<T: ValueEnum>(values: &[&str], place: &mut T) -> Result<(), String> {
    *place =
        T::from_str(single(values)?, true).map_err(|_| format!("give one of {}", names::<T>()))?;
    Ok(())
}

fn taus(values: &[&str], place: &mut DecayTaus) -> Result<(), String> {
    let numbers: Result<Vec<f32>, _> = values.iter().map(|text| text.parse()).collect();
    let numbers = numbers.map_err(|_| "give a number")?;
    *place = DecayTaus::from_numbers(&numbers).ok_or("give one or two numbers")?;
    Ok(())
}

fn name<T: ValueEnum>(value: &T) -> String {
    let value = value.to_possible_value();
    value.map_or(String::new(), |value| value.get_name().into())
}

fn values<T: ValueEnum>() -> Vec<PossibleValue> {
    let values = T::value_variants().iter();
    values.filter_map(T::to_possible_value).collect()
}

fn names<T: ValueEnum>() -> String {
    let names: Vec<String> = T::value_variants().iter().map(name).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rate::activation::ActivationKind;
    use crate::task::Task;

    #[test]
    fn every_field_reads_what_it_writes_and_changes_nothing_else() {
        let from = RateOptions::defaults(Task::xor(), 50, ActivationKind::Lif);
        let to = RateOptions::published(Task::xor(), 50);
        for field in &FIELDS {
            let mut options = from.clone();
            let values = (field.text)(&to);
            let texts: Vec<&str> = values.iter().map(String::as_str).collect();
            (field.set)(&mut options, &texts).expect(field.flag);
            assert_eq!((field.text)(&options), values, "{}", field.flag);
            for other in FIELDS.iter().filter(|other| other.flag != field.flag) {
                let follows = field.flag == "fluctuations" && other.flag == "settle_fluctuations";
                assert!(
                    follows || (other.text)(&options) == (other.text)(&from),
                    "{} changes {}",
                    field.flag,
                    other.flag
                );
            }
        }
    }

    #[test]
    fn the_table_covers_every_option() {
        let json = serde_json::to_value(RateOptions::published(Task::xor(), 5)).expect("options");
        let named = ["task", "units", "activation", "seed"].len();
        assert_eq!(
            json.as_object().expect("fields").len(),
            FIELDS.len() + named
        );
    }

    /// Options of every kind, sensible or not.
    pub fn any_options() -> impl Strategy<Value = RateOptions> {
        let kinds = (
            prop::sample::select(ActivationKind::value_variants()),
            prop::sample::select(WeightStart::value_variants()),
            prop::sample::select(Loss::value_variants()),
            prop::sample::select(Schedule::value_variants()),
            prop_oneof![
                any::<f32>().prop_map(DecayTaus::Fixed),
                any::<(f32, f32)>().prop_map(|(low, high)| DecayTaus::Trained(low, high)),
            ],
            any::<[bool; 3]>(),
        );
        let numbers = (
            any::<[f64; 6]>(),
            any::<[f32; 4]>(),
            any::<[usize; 5]>(),
            any::<u64>(),
        );
        (kinds, numbers).prop_map(|(kinds, numbers)| {
            let (activation, start, loss, schedule, taus, [dale, train_inputs, exact_inhibition]) =
                kinds;
            let (wide, narrow, counts, seed) = numbers;
            RateOptions {
                task: Task::go_nogo(),
                units: counts[0],
                p_inh: wide[0],
                exact_inhibition,
                p_rec: wide[1],
                som_units: counts[1],
                dale,
                gain: wide[2],
                input_gain: wide[5],
                start,
                activation,
                loss,
                taus,
                updates: counts[2],
                batch: counts[3],
                learning_rate: wide[3],
                schedule,
                weight_decay: wide[4],
                rate_penalty: narrow[3],
                train_inputs,
                jitter: narrow[2],
                settle: counts[4],
                fluctuations: narrow[0],
                settle_fluctuations: narrow[1],
                seed,
            }
        })
    }

    proptest! {
        #[test]
        fn flags_give_the_options_that_they_were_made_from(options in any_options()) {
            let flags = options.flags();
            let given = Given::collect(|field| {
                let at = flags.iter().position(|flag| *flag == format!("--{}", field.flag))?;
                let values = flags[at + 1..].iter().take_while(|text| !text.starts_with("--"));
                Some(values.cloned().collect())
            });
            let default = RateOptions {
                units: options.units,
                activation: options.activation,
                seed: options.seed,
                ..RateOptions::published(options.task.clone(), 1)
            };
            let read = given.apply_to(default).expect("our own flags");
            prop_assert_eq!(read, options);
        }
    }
}

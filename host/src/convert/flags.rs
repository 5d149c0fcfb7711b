//! Flags of `convert`, as a model stores them.

use super::search::Search;

/// Flags of a command line, each followed by its value as a word of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags(Vec<String>);

impl Flags {
    /// No flags.
    pub fn new() -> Self {
        Self::default()
    }

    /// The flags of a calibration by this number of trials; `refit` is the number of trials to
    /// which the readout is fitted. The neuron and the step are not among them.
    pub fn of_calibration(trials: usize, seed: u64, refit: Option<usize>) -> Self {
        let flags = Self::new().with("--calibrate");
        flags
            .with_given("--refit-readout", refit)
            .with_value("--trials", trials)
            .with_value("--seed", seed)
    }

    /// The flags of a search; `refit` is the number of trials to which the readout is
    /// fitted. The neuron and the step are not among them.
    pub fn of_search(search: &Search, refit: Option<usize>) -> Self {
        let lambdas: Vec<String> = search.lambdas.iter().map(f64::to_string).collect();
        let mut flags = Self::new().with_value("--lambdas", lambdas.join(","));
        if search.race {
            flags = flags.with("--race");
        }
        flags
            .with_given("--refit-readout", refit)
            .with_value("--trials", search.trials)
            .with_value("--seed", search.seed)
    }

    /// Adds a flag without a value.
    pub fn with(mut self, flag: &str) -> Self {
        self.0.push(flag.into());
        self
    }

    /// Adds a flag and its value, which has no spaces.
    pub fn with_value(self, flag: &str, value: impl ToString) -> Self {
        self.with(flag).with(&value.to_string())
    }

    /// Adds a flag and its value, if there is one.
    pub fn with_given(self, flag: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.with_value(flag, value),
            None => self,
        }
    }

    /// Adds a flag and the name of its value, if there is one.
    pub fn with_choice(self, flag: &str, value: Option<impl clap::ValueEnum>) -> Self {
        let name = value.and_then(|value| value.to_possible_value());
        self.with_given(flag, name.as_ref().map(|name| name.get_name()))
    }

    /// Adds other flags.
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Whether a calibration has these flags.
    pub fn is_calibration(&self) -> bool {
        self.words().any(|word| word == "--calibrate")
    }

    /// The value of a flag.
    pub fn value(&self, flag: &str) -> Option<&str> {
        let mut words = self.words().skip_while(|word| *word != flag);
        words.nth(1)
    }

    /// The words of the flags.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl std::fmt::Display for Flags {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

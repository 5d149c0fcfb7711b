//! A task in the files of the program.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::built_in::unknown;
use super::definition::{Draw, Recorded};
use super::description::Description;
use super::handle::Task;
use super::spec::Spec;

/// A task in a file: a built-in one by its name, another by its description.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Form {
    Name(String),
    Pulses(Box<Spec>),
    Data(Box<Described>),
}

/// A data set in a model file: what it is, and where it was.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Described {
    data: Description,
    path: String,
}

/// Where a data set lies is no part of what it is.
impl PartialEq for Described {
    fn eq(&self, other: &Self) -> bool {
        self.data == other.data
    }
}

impl From<&Recorded> for Described {
    fn from(recorded: &Recorded) -> Self {
        Self {
            data: recorded.description.clone(),
            path: recorded.path.clone(),
        }
    }
}

impl Described {
    /// The task, without its trials.
    fn task(self) -> Result<Task, String> {
        Recorded {
            description: self.data,
            path: self.path,
            trials: None,
        }
        .task()
    }
}

impl From<Task> for Form {
    fn from(task: Task) -> Self {
        match &task.definition().draw {
            Draw::Generator(_) => Form::Name(task.name().into()),
            Draw::Pulses { spec, .. } => Form::Pulses(spec.clone()),
            Draw::Data(recorded) => Form::Data(Box::new(recorded.as_ref().into())),
        }
    }
}

impl TryFrom<Form> for Task {
    type Error = String;

    fn try_from(form: Form) -> Result<Self, String> {
        match form {
            Form::Name(name) => Task::from_name(&name).ok_or_else(|| unknown(&name)),
            Form::Pulses(spec) => spec.task().map_err(|error| error.to_string()),
            Form::Data(described) => described.task(),
        }
    }
}

impl Serialize for Task {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Form::from(self.clone()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Task {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = Form::deserialize(deserializer)?;
        form.try_into().map_err(D::Error::custom)
    }
}

/// Two tasks are the same if they have the same name and, where a file describes
/// them, the same description.
impl PartialEq for Task {
    fn eq(&self, other: &Self) -> bool {
        let same = std::ptr::eq(self.definition(), other.definition());
        same || Form::from(self.clone()) == Form::from(other.clone())
    }
}

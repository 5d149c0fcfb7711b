//! A task of the user's own: pulses on the input channels, as a TOML file describes
//! them. [`EXAMPLE`] shows every field. Times are whole samples of 5 ms.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// A task file with every field, for people: `rate2spike trials --help` prints it.
pub const EXAMPLE: &str = r#"name = "same-sign"        # letters, digits and hyphens, at most 32
channels = 2              # number of inputs, 1 to 8
duration_ms = 1000        # length of a trial, 100 to 20000

[[pulse]]                 # one table for each pulse
channel = 1               # counted from 1
onset_ms = 200
duration_ms = 200
values = [1, -1]          # each trial draws one of these sizes, -4 to 4

[[pulse]]
channel = 2
onset_ms = 450
duration_ms = 200
values = [1, -1]
noise = 0.1               # standard deviation of each sample, 0 to 1; 0 if left out

[target]
rule = "product"          # the label: sign of the product; "sum": sign of the sum;
                          # "any": 1 if a value is not 0, else 0
onset_ms = 700            # where the output has to be the label
duration_ms = 300

[decision]                # may be left out
response_ms = 800         # where the published criterion begins
mean_ms = [800, 1000]     # window of the strict criterion
threshold = 0.5           # size above which the mean is an answer, 0.3 to below 1
"#;

/// The description of a task in a TOML file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    pub(super) name: String,
    pub(super) channels: usize,
    pub(super) duration_ms: f64,
    #[serde(rename = "pulse")]
    pub(super) pulses: Vec<Pulse>,
    pub(super) target: Target,
    #[serde(default)]
    pub(super) decision: Decision,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pulse {
    pub(super) channel: usize,
    pub(super) onset_ms: f64,
    pub(super) duration_ms: f64,
    pub(super) values: Vec<f32>,
    #[serde(default)]
    pub(super) noise: f32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Target {
    pub(super) rule: Rule,
    pub(super) onset_ms: f64,
    pub(super) duration_ms: f64,
}

/// How the label follows from the values of the pulses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Rule {
    Product,
    Sum,
    Any,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Decision {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response_ms: Option<f64>,
    #[serde(
        default,
        deserialize_with = "begin_and_end",
        skip_serializing_if = "Option::is_none"
    )]
    pub(super) mean_ms: Option<[f64; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) threshold: Option<f64>,
}

/// Two numbers; serde's own array of two takes the first two of three.
fn begin_and_end<'de, D: Deserializer<'de>>(from: D) -> Result<Option<[f64; 2]>, D::Error> {
    let times = Vec::deserialize(from)?;
    let pair = times.as_slice().try_into();
    let fault = |_| format!("{} numbers; give two times, [begin, end]", times.len());
    pair.map(Some).map_err(fault).map_err(D::Error::custom)
}

//! The text of a page, part by part, in the order of the pipeline.
//!
//! `scores` counts right answers, `trained` describes the training, `converted`
//! the choice of λ, `deployed` the deployed form and its boards, and `again` lists
//! the commands that make the same network.

mod again;
mod converted;
mod deployed;
mod input;
mod scores;
mod trained;

use rate2spike_core::Fixed;
use rate2spike_core::blob::Deployed;
use rate2spike_core::decision::Kind;

use self::deployed::DeployedForm;
pub use self::input::ReportInput;
use self::scores::FormScore;
use super::figures::{self, Figure, activity, network, output, principal, raster};
use super::observe::{self, Observation, ObservedTrials};
use super::page::{Page, Section, Table};
use crate::convert::ConvertError;
use crate::number::counted;
use crate::quantize::ArithmeticName;
use crate::spiking::experiment::Experiment;
use crate::spiking::trial::Deployable;

/// The numbers of a page that a script reads.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Numbers {
    /// Accuracy of the rate network, the spiking network and the deployed network.
    pub accuracy: [Option<f64>; 3],
    /// Strict accuracy of the three.
    pub strict: [Option<f64>; 3],
    /// Mean firing rate of the spiking network's units, Hz.
    pub mean_rate_hz: f64,
}

/// The number of times that [`tell`] calls `told`.
pub const PARTS: u64 = 5;

/// Writes the page of `input`; `told` is called after each of [`PARTS`] parts.
///
/// # Errors
/// If the model cannot be converted.
pub fn tell(input: &ReportInput, told: impl FnMut()) -> Result<(Page, Numbers), ConvertError> {
    match input.numbers() {
        ArithmeticName::Fixed => tell_in::<Fixed>(input, told),
        ArithmeticName::F32 => tell_in::<f32>(input, told),
    }
}

/// [`tell`], with the deployed form in the numbers `A`, which are those of `input`.
fn tell_in<A: Deployable>(
    input: &ReportInput,
    mut told: impl FnMut(),
) -> Result<(Page, Numbers), ConvertError> {
    let trials = &input.trials;
    let rate = &input.model.network;
    let fluctuations = scores::fluctuations(input);
    let form = DeployedForm::new::<A>(input);

    let seen_rate = observe::rate(rate, fluctuations, trials);
    told();
    let seen_spiking = observe::spiking(&input.spiking, &input.unit_lambdas(), trials);
    told();
    let deployed = form.bytes().and_then(|bytes| Deployed::<A>::of(bytes).ok());
    let experiment = deployed
        .as_ref()
        .map(|deployed| Experiment::deployed(deployed, &trials.task, trials.seed));
    let seen_deployed = deployed
        .as_ref()
        .map(|deployed| observe::deployed(deployed, trials));
    let rows = scores::scores(input, experiment.as_ref());
    told();
    let candidates = converted::search(input)?;
    told();

    let mut forms = vec![
        ("rate network", &seen_rate),
        ("spiking network", &seen_spiking),
    ];
    if let Some(seen) = &seen_deployed {
        forms.push(("deployed network", seen));
    }
    let mut sections = vec![
        result(input, &rows, output::outputs(trials, &forms)),
        task(trials),
        trained::section(input),
        converted::section(input, &candidates, &rows[1], &seen_rate.drives),
        active(input, &seen_rate, &seen_spiking),
        deployed::section(&form, deployed.as_ref(), trials),
    ];
    if let (Some(experiment), Some(bytes)) = (&experiment, form.bytes()) {
        sections.push(deployed::boards(experiment, bytes, form.numbers));
    }
    sections.push(again::section(input, &form));
    told();
    let page = Page {
        title: format!(
            "{}, {} units: rate network to spiking network",
            trials.task.name(),
            rate.units
        ),
        lead: lead(&rows, input, form.numbers),
        sections,
    };
    let all = |value: fn(&FormScore) -> f64| std::array::from_fn(|k| rows.get(k).map(value));
    let numbers = Numbers {
        accuracy: all(|row| row.accuracy.accuracy),
        strict: all(|row| row.accuracy.strict),
        mean_rate_hz: rows[1].rate_hz.unwrap_or_default(),
    };
    Ok((page, numbers))
}

fn lead(rows: &[FormScore], input: &ReportInput, numbers: ArithmeticName) -> String {
    // The space does not break, so that a number and its unit stay on one line.
    let percent = |row: &FormScore| format!("{:.0}\u{a0}%", 100.0 * row.accuracy.accuracy);
    if rows[0].accuracy.r2.is_some() {
        let r2 = |row: &FormScore| format!("{:.3}", row.accuracy.accuracy);
        let all: Vec<String> = rows
            .iter()
            .map(|row| format!("{} {}", row.name, r2(row)))
            .collect();
        return format!(
            "R² of the outputs against the targets of {}, over {}: {}.",
            input.trials.task.name(),
            counted(input.trials.count, "trial"),
            all.join("; ")
        );
    }
    let mut lead = format!(
        "The rate network answers {} of {} of {} right, its spiking form {}",
        percent(&rows[0]),
        counted(input.trials.count, "trial"),
        input.trials.task.name(),
        percent(&rows[1])
    );
    if let Some(deployed) = rows.get(2) {
        lead += &format!(
            ", and the network in {} that runs on a microcontroller {}",
            numbers.words(),
            percent(deployed)
        );
    }
    lead + "."
}

fn result(input: &ReportInput, rows: &[FormScore], outputs: Figure) -> Section {
    Section {
        title: "Result",
        text: vec![format!(
            "Each form of one network, {}, over {} with seed {}. {}",
            converted::scaling(input),
            counted(input.trials.count, "trial"),
            input.trials.seed,
            match input.trials.task.definition().kind {
                Kind::Class =>
                    "Accuracy is the share of the trials whose class has the largest mean output in the decision window.",
                Kind::Label =>
                    "Accuracy is the mean over the trials of the share of samples whose label has the largest output.",
                Kind::Track =>
                    "R² is the share of the targets' variance that the outputs explain; the error is their root mean square distance.",
                Kind::Detection | Kind::Sign | Kind::Rhythm { .. } =>
                    "The column accuracy counts by the published criterion: it looks at the output's extreme, which noise can reach by chance. The column strict counts by the output's mean in a window.",
            }
        )],
        tables: vec![Table {
            head: rows[0].heads(),
            rows: rows.iter().map(FormScore::texts).collect(),
            ..Table::default()
        }],
        figures: confusion(rows).into_iter().chain([outputs]).collect(),
        ..Section::default()
    }
}

/// The confusion matrices, for a task with classes.
fn confusion(rows: &[FormScore]) -> Option<Figure> {
    let forms = rows
        .iter()
        .map(|row| (row.name.clone(), row.per_class.clone()));
    let forms: Vec<_> = forms.filter(|(_, classes)| !classes.is_empty()).collect();
    (!forms.is_empty()).then(|| figures::confusion::matrices(&forms))
}

fn task(trials: &ObservedTrials) -> Section {
    let task = &trials.task;
    let names: Vec<&str> = trials
        .labels()
        .iter()
        .map(|label| task.label_name(*label))
        .collect();
    let seconds = trials.times_s().last().copied().unwrap_or_default();
    Section {
        title: "Task",
        text: vec![format!(
            "{}: {} input{}, {seconds} s a trial; answers: {}.",
            task.name(),
            task.channels(),
            if task.channels() == 1 { "" } else { "s" },
            names.join(", ")
        )],
        figures: vec![output::inputs(trials)],
        ..Section::default()
    }
}

fn active(input: &ReportInput, rate: &Observation, spiking: &Observation) -> Section {
    let (trials, inhibitory) = (&input.trials, &input.model.network.inhibitory);
    let units = inhibitory.len();
    Section {
        title: "Activity",
        figures: vec![
            raster::raster(trials, spiking, inhibitory),
            network::firing_rates(&spiking.rates_hz, inhibitory),
            activity::units(trials, rate, spiking, units),
            principal::components(trials, rate, spiking, units),
        ],
        ..Section::default()
    }
}

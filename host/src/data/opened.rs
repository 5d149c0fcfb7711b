//! A data set that was read: its trials where they are, and its settings.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rate2spike_core::arithmetic::LARGEST_OUTPUT;
use rate2spike_core::decision::MOST_OUTPUTS;
use rate2spike_core::network::MOST_INPUTS;
use rate2spike_core::preprocessing::MOST_VALUES;

use crate::ending::ends_in;
use crate::in_use::InUse;
use crate::task::description::{Description, Goal, LONGEST, Part, SAMPLES_MS};
use crate::task::preprocessing::{self, Feature};
use crate::task::{Recorded, SAMPLE_MS, Task};

use super::error::{DataError, regular};
use super::parts::{self, Parts};
use super::set::{DataSet, Range, Survey, joined};
use super::settings::{self, Settings};
use super::{folder, npz, ts, write};

/// Length of the longest recording where no length of a sample is given.
const USUAL_RECORDING_MS: f64 = 500.0;

/// Longest step of a rate network for a data set. With longer ones the spiking network
/// answers otherwise than the rate network (docs/experiments.md).
const LONGEST_STEP_MS: f64 = 10.0;

/// The seed by which parts are drawn where none is given.
pub const SEED: u64 = 1;

/// A data set that was read, with its settings.
#[derive(Clone, Debug)]
pub struct Opened {
    pub(super) set: Arc<DataSet>,
    pub(super) survey: Arc<Survey>,
    pub(super) settings: Settings,
    /// No command writes over what is read here.
    _in_use: Arc<InUse>,
}

/// The name of the task: letters, digits and hyphens of the data set's name, and not
/// that of a built-in task.
pub(super) fn name(path: &Path) -> String {
    let usual = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = settings::stem(path).chars().map(usual).take(32).collect();
    let name = name.trim_matches('-');
    if name.is_empty() || Task::from_name(name).is_some() {
        return format!("data-{name}");
    }
    name.into()
}

/// Whether `text` on a command line is the path of a data set: a name that ends in
/// `.npz` or `.ts`, or a folder.
pub fn is_path(text: &str) -> bool {
    let path = Path::new(text);
    ends_in(path, "npz") || ends_in(path, "ts") || path.is_dir()
}

/// Reads the data set at `path`. What `given` leaves out is taken from the TOML file
/// beside it, and then from the data set itself.
///
/// # Errors
/// [`DataError`], for the first problem for which the data set cannot be read; see
/// [`Opened::problems`] for the others.
pub fn read(path: &Path, given: Settings) -> Result<Opened, DataError> {
    let path = &path.components().collect::<PathBuf>();
    if given.time_column.is_some() && !path.is_dir() {
        return Err(DataError::Settings {
            path: path.into(),
            reason: "--time-column names a column of the CSVs in a folder, and this is none; leave it out".into(),
        });
    }
    let settings = given.or(Settings::beside(path)?);
    if let Some(reason) = settings.classes.as_deref().and_then(settings::odd_name) {
        let reason = format!("classes: {reason}");
        let path = path.into();
        return Err(DataError::Settings { path, reason });
    }
    let set = if path.is_dir() {
        folder::read(path, &settings)?
    } else if ends_in(path, "npz") {
        regular(path)?;
        npz::read(path)?
    } else if ends_in(path, "ts") {
        regular(path)?;
        ts::read(path)?
    } else {
        return Err(DataError::Kind { path: path.into() });
    };
    let mut files = vec![path.clone()];
    files.extend(ts::files(path));
    of_set(set, settings, &files)
}

/// Reads a data set from the bytes of an `.npz`; `name` stands for its path.
///
/// # Errors
/// [`DataError`]; see [`read`].
pub fn read_bytes(name: &Path, bytes: Vec<u8>, given: Settings) -> Result<Opened, DataError> {
    of_set(npz::read_bytes(name, bytes)?, given, &[])
}

fn of_set(mut set: DataSet, given: Settings, files: &[PathBuf]) -> Result<Opened, DataError> {
    let path = set.path.clone();
    let settings = given.or(set.said.clone());
    if let Some(classes) = &settings.classes
        && !set.classes.is_empty()
    {
        if classes.len() != set.classes.len() {
            return Err(DataError::Settings {
                path,
                reason: format!(
                    "classes has {} names, but the data set has {} classes",
                    classes.len(),
                    set.classes.len()
                ),
            });
        }
        set.classes.clone_from(classes);
    }
    let survey = set.survey();
    Ok(Opened {
        set: Arc::new(set),
        survey: Arc::new(survey),
        settings,
        _in_use: Arc::new(InUse::new(files)),
    })
}

/// The task of the data set at `path`.
///
/// # Errors
/// [`DataError`].
pub fn task(path: &Path, given: Settings) -> Result<Task, DataError> {
    read(path, given)?.task(SEED)
}

/// The task that a model was trained for, with the trials of the data set at `path`.
///
/// # Errors
/// [`DataError::Changed`], if the data set is another one.
pub fn task_again(path: &Path, description: &Description) -> Result<Task, DataError> {
    let given = Settings {
        classes: (!description.classes.is_empty()).then(|| description.classes.clone()),
        ..Settings::default()
    };
    let opened = read(path, given)?;
    opened.made(opened.again(description)?)
}

/// `task` with the trials of its data set, if it has one: a task that a model or a plan
/// describes comes without them.
///
/// # Errors
/// [`DataError`].
pub fn opened(task: Task) -> Result<Task, DataError> {
    match task.recorded() {
        Some(recorded) if recorded.trials.is_none() => {
            task_again(Path::new(&recorded.path), &recorded.description)
        }
        _ => Ok(task),
    }
}

impl Opened {
    /// The hash of all numbers, 16 hexadecimal digits.
    pub fn hash(&self) -> String {
        format!("{:016x}", self.survey.hash)
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Length of a recorded sample. Without a setting it is 5 ms or a multiple of 10 ms, so
    /// that the longest recording lasts at least half a second.
    pub fn sample_ms(&self) -> f64 {
        let wanted = USUAL_RECORDING_MS / self.set.longest().max(1) as f64;
        let usual = if wanted <= SAMPLE_MS {
            SAMPLE_MS
        } else {
            ((wanted / LONGEST_STEP_MS).ceil() * LONGEST_STEP_MS).min(SAMPLES_MS.1)
        };
        self.settings.sample_ms.unwrap_or(usual)
    }

    /// The samples of the network for which a recorded one is held, so that a step of the
    /// rate network is no longer than [`LONGEST_STEP_MS`] and a whole number of ms.
    pub(super) fn hold(&self) -> usize {
        let ms = self.sample_ms();
        let least = (ms / LONGEST_STEP_MS).ceil().max(1.0) as usize;
        let divides = |hold: &usize| (ms / *hold as f64).fract() == 0.0;
        (least..=ms as usize).find(divides).unwrap_or(1)
    }

    /// All that is wrong, with the parts that `seed` draws.
    pub fn problems(&self, seed: u64) -> Vec<DataError> {
        let set = &*self.set;
        let mut problems = Vec::new();
        let mut odd = self.survey.odd.iter().enumerate();
        if let Some((trial, Some((t, k, x)))) = odd.find(|(_, odd)| odd.is_some()) {
            problems.push(DataError::Value {
                place: set.place(trial),
                what: format!("sample {t} of {}", set.channels[*k]),
                value: x.to_string(),
                wanted: format!(
                    "fill it in, or remove the trial; {} numbers of the data set are not finite",
                    self.survey.not_finite
                ),
            });
        }
        for (what, names) in [("classes", &set.classes), ("channels", &set.channels)] {
            problems.extend(settings::odd_name(names).map(|reason| DataError::Folder {
                path: set.path.clone(),
                reason: format!("{what}: {reason}"),
            }));
        }
        let too_many = |found, what, most, wanted| DataError::TooMany {
            path: set.path.clone(),
            found,
            what,
            most,
            wanted,
        };
        let most = match self.settings.inputs {
            Some(_) => MOST_VALUES,
            None => MOST_INPUTS,
        };
        if set.channels.len() > most {
            let wanted = "leave some out, or combine them with inputs";
            let found = set.channels.len();
            problems.push(too_many(found, "channels", most, wanted));
        }
        if set.outputs() > MOST_OUTPUTS {
            let wanted = "leave some out, or join them";
            let found = set.outputs();
            problems.push(too_many(found, "classes or outputs", MOST_OUTPUTS, wanted));
        }
        let inputs = self.settings.inputs.as_ref().map_or(0, Vec::len);
        if inputs > MOST_INPUTS {
            let wanted = "leave some of inputs out";
            problems.push(too_many(inputs, "inputs", MOST_INPUTS, wanted));
        }
        let longest = (LONGEST - 1) / self.hold();
        if set.longest() > longest {
            let wanted = "cut the recordings, or take every second sample";
            problems.push(too_many(set.longest(), "samples", longest, wanted));
        }
        if set.goal() == Goal::Label && set.classes.is_empty() {
            problems.push(DataError::Folder {
                path: set.path.clone(),
                reason: "labels = -1 in every sample, so that no sample has a class; give classes from 0".into(),
            });
        }
        if set.classes.len() == 1 {
            problems.push(DataError::Folder {
                path: set.path.clone(),
                reason: format!(
                    "{} is the only class, so that an accuracy would say nothing; add trials of another class",
                    set.classes[0]
                ),
            });
        }
        let parts = parts::parts(set, seed);
        if let Err(reason) = self.times(&parts) {
            let path = set.path.clone();
            problems.push(DataError::Settings { path, reason });
        }
        if set.channels.len() <= most
            && let Err(reason) = self.inputs(&parts)
        {
            let path = set.path.clone();
            problems.push(DataError::Settings { path, reason });
        }
        let silent = self.silent_channels(&parts).into_iter();
        problems.extend(silent.map(|reason| DataError::Settings {
            path: set.path.clone(),
            reason,
        }));
        problems.extend(match set.odd_target() {
            Some(odd) => vec![odd],
            None => self.constant_targets(&parts),
        });
        problems.extend(self.missing(&parts));
        problems
    }

    /// Outputs without a target, or whose targets are all the same.
    fn constant_targets(&self, parts: &Parts) -> Vec<DataError> {
        let set = &*self.set;
        if set.goal() != Goal::Track {
            return Vec::new();
        }
        let failed = |reason: String| DataError::Folder {
            path: set.path.clone(),
            reason,
        };
        // Each trial is in one part.
        let of_parts = Part::ALL.map(|part| (part, set.target_ranges(parts.of(part))));
        let all = (0..set.outputs()).map(|output| {
            let of_output = of_parts.iter().filter_map(|(_, ranges)| ranges.get(output));
            of_output.fold(None, |all, range| joined(all, *range))
        });
        let fault = |(k, range): (usize, Range)| match range {
            None => Some(failed(format!(
                "mask = 0 for each target of output {k}, which is asked for nothing; give a weight above 0"
            ))),
            Some((least, most)) if least == most => Some(failed(format!(
                "output {k} has the same target, {least}, in every sample: R² says nothing; leave the output out"
            ))),
            Some(_) => None,
        };
        let mut problems: Vec<DataError> = all.enumerate().filter_map(fault).collect();
        for (part, ranges) in &of_parts {
            let varies = |range: &Range| range.is_some_and(|(a, b)| a != b);
            let asked = !parts.of(*part).is_empty();
            if problems.is_empty() && asked && !ranges.iter().any(varies) {
                problems.push(failed(format!(
                    "each output has the same target in every sample of the {} part: R² says nothing; move other trials there with split",
                    part.name()
                )));
            }
        }
        problems
    }

    /// What a user must know of a data set that can be used, in sentences.
    pub(super) fn warnings(&self, parts: &Parts) -> Vec<String> {
        let set = &*self.set;
        let path = set.path.display();
        let mut warnings = set.remarks.clone();
        for (part, what) in [
            (Part::Validation, "no network is chosen by it"),
            (Part::Test, "it is never tested"),
        ] {
            let seen = self.seen(parts.of(part));
            let unseen = set.classes.iter().zip(seen).filter(|(_, seen)| !seen);
            warnings.extend(unseen.map(|(class, _)| {
                format!(
                    "{path}: no trial of the {} part has the class {class}, so that {what}; record more, or move some there with split",
                    part.name()
                )
            }));
        }
        let all: Vec<u32> = (0..set.trials() as u32).collect();
        let ranges = set.target_ranges(&all).into_iter().flatten();
        let largest = ranges.fold(0f64, |all, (least, most)| all.max(-least).max(most));
        if largest >= LARGEST_OUTPUT {
            warnings.push(format!(
                "{path}: a target has the size {largest}, and the output of a deployed network ends at {LARGEST_OUTPUT}; divide the targets"
            ));
        }
        warnings
    }

    /// The warnings, with the parts that `seed` draws.
    pub fn warned(&self, seed: u64) -> Vec<String> {
        self.warnings(&parts::parts(&self.set, seed))
    }

    /// Whether each class is in one of these trials.
    fn seen(&self, trials: &[u32]) -> Vec<bool> {
        let mut seen = vec![false; self.set.classes.len()];
        for &trial in trials {
            for class in self.set.classes_in(trial as usize) {
                if let Some(seen) = seen.get_mut(class as usize) {
                    *seen = true;
                }
            }
        }
        seen
    }

    /// Checks resolution, features and scaling.
    fn inputs(&self, parts: &Parts) -> Result<(), String> {
        self.resolution(parts)?;
        let features = self.settings.features(&self.set.channels)?;
        let all: Vec<&Feature> = features.iter().map(|(_, feature)| feature).collect();
        for feature in &all {
            preprocessing::check(feature, self.set.channels.len())?;
        }
        let step_ms = self.sample_ms() / self.hold() as f64;
        preprocessing::computed(self.set.channels.len(), &all, step_ms)?;
        self.settings.scalings(features.len()).map(|_| ())
    }

    /// Parts and classes without trials.
    fn missing(&self, parts: &Parts) -> Vec<DataError> {
        let set = &*self.set;
        let mut problems = Vec::new();
        let seen = self.seen(parts.of(Part::Train));
        for (class, _) in set.classes.iter().zip(seen).filter(|(_, seen)| !seen) {
            problems.push(DataError::NoClass {
                path: set.path.clone(),
                class: class.clone(),
            });
        }
        for part in Part::ALL {
            if parts.of(part).is_empty() {
                problems.push(DataError::NoPart {
                    path: set.path.clone(),
                    part: part.name(),
                    wanted: "move some there with split, or record more",
                });
            } else if !set.classes.is_empty() && !self.seen(parts.of(part)).contains(&true) {
                problems.push(DataError::Folder {
                    path: set.path.clone(),
                    reason: format!(
                        "labels = -1 in every sample of the {} part; give classes, or move other trials there with split",
                        part.name()
                    ),
                });
            }
        }
        problems
    }

    /// The task, with the parts that `seed` draws where the files do not say them.
    ///
    /// # Errors
    /// The first of [`Opened::problems`].
    pub fn task(&self, seed: u64) -> Result<Task, DataError> {
        if let Some(problem) = self.problems(seed).into_iter().next() {
            return Err(problem);
        }
        let parts = parts::parts(&self.set, seed);
        let description = self.description(seed, &parts)?;
        self.made(self.recorded(description, parts))
    }

    pub(super) fn made(&self, recorded: Recorded) -> Result<Task, DataError> {
        let path = self.set.path.clone();
        recorded
            .task()
            .map_err(|reason| DataError::Task { path, reason })
    }

    /// Writes the data set as an `.npz`.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn write(&self, file: impl io::Write + io::Seek) -> io::Result<()> {
        write::write(&self.set, self.sample_ms(), file)
    }
}

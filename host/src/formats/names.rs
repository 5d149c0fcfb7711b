//! Names of the variables that a conversion writes into a rate model, and of the
//! variables that only this program writes.

/// Published: the best λ of a search.
pub const LAMBDA: &str = "opt_scaling_factor";

/// Published: the accuracy of each candidate of a search.
pub const ACCURACIES: &str = "all_perfs";

/// Published: the candidates of a search.
pub const CANDIDATES: &str = "scaling_factors";

/// The flags of `convert` that give the conversion again, separated by spaces: the
/// neuron, the time step, the trials and the seed that λ or a calibration was found with.
pub const FLAGS: &str = "conversion_flags";

/// The task, as JSON: the name of a built-in task, or the whole description of one
/// of the user's own.
pub const TASK: &str = "task";

/// Length of a step of the rate network in ms, where it is not the published one.
pub const SAMPLE: &str = "sample_ms";

/// The median λ of a calibration. The published code would take `opt_scaling_factor`
/// for the λ of all units.
pub const MEDIAN_LAMBDA: &str = "median_scaling_factor";

/// A calibration: scales in mV, offsets in mV, and λ; 3 × N.
pub const CALIBRATION: &str = "unit_calibration";

/// A readout that was fitted to spikes; 1 × N.
pub const REFITTED: &str = "w_out_spiking";

//! Names of the variables of a rate model: those of the published code, and those that
//! only this program writes.

/// Published: x of the first trial of the training, samples × N × 1.
pub const X0: &str = "x0";

/// Published: the rates of that trial, samples × N × 1.
pub const R0: &str = "r0";

/// Published: the recurrent weights before training, N × N.
pub const W0: &str = "w0";

/// Published: the parameters of the decay times before training, N.
pub const TAUS_GAUS0: &str = "taus_gaus0";

/// Published: the input weights before training, N × channels.
pub const W_IN0: &str = "w_in0";

/// Published: the input of the last trial, channels × samples.
pub const U: &str = "u";

/// Published: the output of the last trial.
pub const O: &str = "o";

/// Published: the recurrent weights, N × N.
pub const W: &str = "w";

/// Published: x of the last trial, samples × N × 1.
pub const X: &str = "x";

/// Published: the target of the last trial.
pub const TARGET: &str = "target";

/// Published: the readout's weights, outputs × N.
pub const W_OUT: &str = "w_out";

/// Published: the rates of the last trial, samples × N × 1.
pub const R: &str = "r";

/// Published: the sign of each unit on the diagonal, N × N.
pub const M: &str = "m";

/// Published: which weights may be other than 0, N × N.
pub const SOM_M: &str = "som_m";

/// Published: the number of units.
pub const UNITS: &str = "N";

/// Published: which units are excitatory, N.
pub const EXC: &str = "exc";

/// Published: which units are inhibitory, N.
pub const INH: &str = "inh";

/// Published: the input weights, N × channels.
pub const W_IN: &str = "w_in";

/// Published: the readout's offsets.
pub const B_OUT: &str = "b_out";

/// Published: the number of units of the class SOM, whose connections `som_m` restricts.
pub const SOM_UNITS: &str = "som_N";

/// Published: the loss of each update.
pub const LOSSES: &str = "losses";

/// Published: the decay time, or its least and largest value.
pub const TAUS: &str = "taus";

/// Published: the accuracy of the last evaluation.
pub const EVAL_ACCURACY: &str = "eval_perf_mean";

/// Published: the mean loss of the last evaluation.
pub const EVAL_LOSS: &str = "eval_loss_mean";

/// Published: the outputs of the last evaluation.
pub const EVAL_OUTPUTS: &str = "eval_os";

/// Published: the right answers of the last evaluation.
pub const EVAL_LABELS: &str = "eval_labels";

/// Published: the parameters of the decay times, N.
pub const TAUS_GAUS: &str = "taus_gaus";

/// Published: the number of the last update, counted from 0.
pub const LAST_UPDATE: &str = "tr";

/// Published: the name of the activation.
pub const ACTIVATION: &str = "activation";

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

/// 1 where the inputs of the rate network do not pass the filter of the synapses.
pub const DIRECT: &str = "direct_inputs";

/// The median λ of a calibration. The published code would take `opt_scaling_factor`
/// for the λ of all units.
pub const MEDIAN_LAMBDA: &str = "median_scaling_factor";

/// A calibration: scales in mV, offsets in mV, and λ; 3 × N.
pub const CALIBRATION: &str = "unit_calibration";

/// 1 where a calibrated network keeps the offset of its one output.
pub const KEEPS_OFFSET: &str = "keeps_b_out";

/// A readout that was fitted to spikes; K × N.
pub const REFITTED: &str = "w_out_spiking";

/// The offsets of a readout that was fitted to spikes, where it has several outputs; 1 × K.
pub const REFITTED_OFFSET: &str = "b_out_spiking";

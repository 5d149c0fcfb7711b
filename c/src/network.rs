//! A network: open, start a trial, show input, step, read.

use core::ffi::c_char;
use core::slice;

use fixed::types::I4F12;
use rate2spike_core::blob::Deployed;
use rate2spike_core::network::Network as _;
use rate2spike_core::preprocessing::Chain;
use rate2spike_core::stepwise::Stepwise;

use crate::memory::Places;
use crate::status::Status;

/// A network that is open. It lies in the caller's memory; its tables are behind
/// it there.
pub struct Network {
    network: Deployed<'static>,
    places: Places,
    /// The trial that was started.
    trial: Option<Stepwise<'static>>,
}

/// What a network is.
#[repr(C)]
pub struct Description {
    /// Number of units.
    pub units: u16,
    /// Number of input channels.
    pub channels: u16,
    /// Number of integers of a sensor's sample, which `r2s_set_sample` takes; 0 if
    /// the network carries no preprocessing.
    pub sensors: u16,
    /// Number of outputs.
    pub outputs: u16,
    /// Length of a time step in nanoseconds.
    pub step_ns: u32,
    /// Time steps of a trial.
    pub steps: u32,
    /// Time steps of an input sample.
    pub steps_per_sample: u32,
    /// Number of synapses.
    pub synapses: u32,
    /// Bytes of the network.
    pub bytes: u32,
    /// The check sum, which tells networks apart.
    pub checksum: u32,
}

/// The network in `length` bytes from `blob` on.
///
/// # Safety
/// `blob` is NULL, or valid for reads of `length` bytes that do not change as
/// long as the network is in use.
unsafe fn deployed(blob: *const u8, length: usize) -> Result<Deployed<'static>, Status> {
    if blob.is_null() {
        return Err(Status::R2S_NULL);
    }
    // SAFETY: the pointer is not NULL, and the caller vouches for the bytes.
    let bytes = unsafe { slice::from_raw_parts(blob, length) };
    Ok(Deployed::read(bytes)?)
}

/// Writes `value` to `place`, unless it is NULL.
///
/// # Safety
/// `place` is NULL, or valid for a write.
unsafe fn put<T>(place: *mut T, value: T) -> Result<(), Status> {
    if place.is_null() {
        return Err(Status::R2S_NULL);
    }
    // SAFETY: the pointer is not NULL, and the caller vouches for it.
    unsafe { place.write(value) };
    Ok(())
}

/// The code of a result.
fn code(result: Result<(), Status>) -> Status {
    result.err().unwrap_or(Status::R2S_OK)
}

/// Says how many bytes of memory the network in `length` bytes from `blob` on
/// needs.
///
/// # Safety
/// `blob` points to `length` bytes, `needed` to one number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn r2s_memory_bytes(
    blob: *const u8,
    length: usize,
    needed: *mut usize,
) -> Status {
    code((|| {
        // SAFETY: the caller's contract.
        let network = unsafe { deployed(blob, length) }?;
        let places = Places::of(&network).ok_or(Status::R2S_MEMORY)?;
        // SAFETY: the caller's contract.
        unsafe { put(needed, places.bytes()) }
    })())
}

/// Checks the network in `length` bytes from `blob` on and opens it in
/// `memory`. The bytes may go on behind the network. Bytes and memory stay where they
/// are, and belong to the network, until the caller no longer uses it; there is nothing
/// to close.
///
/// # Safety
/// `blob` points to `length` bytes that do not change, `memory` to
/// `memory_bytes` bytes of the caller's, of any alignment, and `network` to one
/// pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn r2s_open(
    blob: *const u8,
    length: usize,
    memory: *mut u8,
    memory_bytes: usize,
    network: *mut *mut Network,
) -> Status {
    code((|| {
        if memory.is_null() || network.is_null() {
            return Err(Status::R2S_NULL);
        }
        // SAFETY: the caller's contract.
        let deployed = unsafe { deployed(blob, length) }?;
        let places = Places::of(&deployed).ok_or(Status::R2S_MEMORY)?;
        let place = places.begin_in(memory, memory_bytes);
        let place = place.ok_or(Status::R2S_MEMORY)?;
        // SAFETY: the place is aligned and inside the caller's memory.
        unsafe {
            place.write(Network {
                network: deployed,
                places,
                trial: None,
            });
            put(network, place)
        }
    })())
}

/// Describes a network.
///
/// # Safety
/// `network` came from r2s_open, `description` points to one description.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn r2s_describe(
    network: *const Network,
    description: *mut Description,
) -> Status {
    code((|| {
        // SAFETY: the caller's contract.
        let network = unsafe { network.as_ref() }.ok_or(Status::R2S_NULL)?;
        let deployed = &network.network;
        let (constants, payload) = (deployed.constants(), deployed.payload());
        let value = Description {
            units: constants.units as u16,
            channels: constants.inputs as u16,
            sensors: deployed.preprocessing().map_or(0, Chain::channels) as u16,
            outputs: constants.outputs as u16,
            step_ns: payload.step_ns,
            steps: payload.clock.steps,
            steps_per_sample: payload.clock.steps_per_sample,
            synapses: deployed.synapses() as u32,
            bytes: deployed.length() as u32,
            checksum: deployed.checksum(),
        };
        // SAFETY: the caller's contract.
        unsafe { put(description, value) }
    })())
}

/// Starts a trial: synapses empty, each unit in its refractory time, potentials
/// and noise drawn from `seed` and `trial`, input zero. The two numbers may be any; the
/// same two give the same spikes on every machine.
///
/// # Safety
/// `network` came from r2s_open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn r2s_start(network: *mut Network, seed: u64, trial: u64) -> Status {
    code((|| {
        let place = network;
        // SAFETY: the caller's contract.
        let network = unsafe { network.as_mut() }.ok_or(Status::R2S_NULL)?;
        network.trial = None;
        // SAFETY: the state of the trial before was the only user of the tables,
        // and it is gone.
        let tables = unsafe { network.places.tables(place) };
        let started = Stepwise::start(&network.network, tables, seed, trial);
        network.trial = Some(started.map_err(|_| Status::R2S_CONTENT)?);
        Ok(())
    })())
}

/// Sets the input from the next step on: a value for each channel. A value of 1.0, as
/// the task has it, is 4096. The input stays until it is set again. A network that carries
/// a preprocessing takes the results of it here; `r2s_set_sample` calculates them.
///
/// In the trials of `rate2spike run`, step n (from 1) shows sample (2 n + s) / (2 s), where s
/// is `steps_per_sample` and samples count from 0: the first sample lasts half as long as
/// the others. Samples that arrive from a sensor are set when they arrive.
///
/// # Safety
/// `network` came from r2s_open, `values` points to `channels` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn r2s_set_input(
    network: *mut Network,
    values: *const i16,
    channels: usize,
) -> Status {
    code((|| {
        // SAFETY: the caller's contract.
        let network = unsafe { network.as_mut() }.ok_or(Status::R2S_NULL)?;
        if values.is_null() {
            return Err(Status::R2S_NULL);
        }
        let trial = network.trial.as_mut().ok_or(Status::R2S_NOT_STARTED)?;
        if channels != network.network.constants().inputs {
            return Err(Status::R2S_CHANNELS);
        }
        // SAFETY: the pointer is not NULL, the caller vouches for the numbers, and
        // an `I4F12` is an `i16`.
        let values = unsafe { slice::from_raw_parts(values.cast::<I4F12>(), channels) };
        let set = trial.set_input(&network.network, values);
        set.map_err(|_| Status::R2S_CHANNELS)
    })())
}

/// Sets the input from the next step on from a sensor's integers, as they were
/// recorded: the preprocessing that the network carries makes the value of each
/// channel from them. Call it once for each sample of the network, which lasts
/// `steps_per_sample` steps, in the order of the samples; a recorded sample that lasts
/// longer is set again.
///
/// # Safety
/// `network` came from r2s_open, `sample` points to `sensors` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn r2s_set_sample(
    network: *mut Network,
    sample: *const i32,
    sensors: usize,
) -> Status {
    code((|| {
        // SAFETY: the caller's contract.
        let network = unsafe { network.as_mut() }.ok_or(Status::R2S_NULL)?;
        if sample.is_null() {
            return Err(Status::R2S_NULL);
        }
        let trial = network.trial.as_mut().ok_or(Status::R2S_NOT_STARTED)?;
        // The check comes before the slice, whose length is the caller's word.
        let chain = network.network.preprocessing();
        let known = chain.is_some_and(|chain| chain.channels() == sensors);
        known.then_some(()).ok_or(Status::R2S_CHANNELS)?;
        // SAFETY: the pointer is not NULL, and the caller vouches for the numbers.
        let sample = unsafe { slice::from_raw_parts(sample, sensors) };
        let set = trial.set_sample(&network.network, sample);
        set.map_err(|_| Status::R2S_CHANNELS)
    })())
}

/// Makes a time step of the network, as fast as the processor can. A program that lives in
/// real time calls it every `step_ns` nanoseconds. Steps may go on behind the end of a trial:
/// the answer then stays, and the hash counts them too.
///
/// # Safety
/// `network` came from r2s_open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn r2s_step(network: *mut Network) -> Status {
    code((|| {
        // SAFETY: the caller's contract.
        let network = unsafe { network.as_mut() }.ok_or(Status::R2S_NULL)?;
        let trial = network.trial.as_mut().ok_or(Status::R2S_NOT_STARTED)?;
        trial.step(&network.network);
        Ok(())
    })())
}

/// Reads the outputs after the last step, one number for each output. An output of
/// 1.0 is 2^26.
///
/// # Safety
/// `network` came from r2s_open, `outputs` points to `capacity` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn r2s_outputs(
    network: *const Network,
    outputs: *mut i32,
    capacity: usize,
) -> Status {
    code((|| {
        // SAFETY: the caller's contract.
        let network = unsafe { network.as_ref() }.ok_or(Status::R2S_NULL)?;
        let trial = network.trial.as_ref().ok_or(Status::R2S_NOT_STARTED)?;
        if outputs.is_null() {
            return Err(Status::R2S_NULL);
        }
        let values = trial.state().outputs();
        if values.len() > capacity {
            return Err(Status::R2S_CAPACITY);
        }
        for (index, value) in values.iter().enumerate() {
            // SAFETY: the index is below the capacity, for which the caller vouches.
            unsafe { outputs.add(index).write(value.to_bits()) };
        }
        Ok(())
    })())
}

/// Lists the units that fired in the last step, counted from 0, in ascending order. An
/// array with room for all units of the network is always large enough.
///
/// # Safety
/// `network` came from r2s_open, `units` points to `capacity` numbers, `count`
/// to one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn r2s_spikes(
    network: *const Network,
    units: *mut u16,
    capacity: usize,
    count: *mut usize,
) -> Status {
    code((|| {
        // SAFETY: the caller's contract.
        let network = unsafe { network.as_ref() }.ok_or(Status::R2S_NULL)?;
        if units.is_null() || count.is_null() {
            return Err(Status::R2S_NULL);
        }
        let trial = network.trial.as_ref().ok_or(Status::R2S_NOT_STARTED)?;
        let mut found = 0;
        for unit in trial.state().fired() {
            if found >= capacity {
                return Err(Status::R2S_CAPACITY);
            }
            // SAFETY: `found` is below the capacity, for which the caller vouches.
            unsafe { units.add(found).write(unit as u16) };
            found += 1;
        }
        // SAFETY: the pointer is not NULL, and the caller vouches for it.
        unsafe { put(count, found) }
    })())
}

/// Reads the answer to the trial so far: the number of the class, or the label of
/// the task (docs/tasks.md), for instance 1 for go and 0 for no-go. The answer is final
/// after the last step of the trial; see `steps` of the description. A network whose
/// outputs follow a target has no answer, and gives 0.
///
/// # Safety
/// `network` came from r2s_open, `answer` points to one number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn r2s_answer(network: *const Network, answer: *mut i32) -> Status {
    code((|| {
        // SAFETY: the caller's contract.
        let network = unsafe { network.as_ref() }.ok_or(Status::R2S_NULL)?;
        let trial = network.trial.as_ref().ok_or(Status::R2S_NOT_STARTED)?;
        // SAFETY: the caller's contract.
        unsafe { put(answer, trial.answer(&network.network).into()) }
    })())
}

/// Copies the name of the class `answer`, ended by a zero; an empty text where the
/// network has no such class. 25 bytes are enough for each name.
///
/// # Safety
/// `network` came from r2s_open, `text` points to `capacity` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn r2s_class_name(
    network: *const Network,
    answer: i32,
    text: *mut c_char,
    capacity: usize,
) -> Status {
    code((|| {
        // SAFETY: the caller's contract.
        let network = unsafe { network.as_ref() }.ok_or(Status::R2S_NULL)?;
        if text.is_null() {
            return Err(Status::R2S_NULL);
        }
        let label = i16::try_from(answer).ok();
        let name = label.and_then(|label| network.network.class_name(label));
        let name = name.unwrap_or_default();
        if name.len() >= capacity {
            return Err(Status::R2S_CAPACITY);
        }
        for (index, byte) in name.iter().chain(&[0]).enumerate() {
            // SAFETY: the index is below the capacity, for which the caller vouches.
            unsafe { text.add(index).write(*byte as c_char) };
        }
        Ok(())
    })())
}

/// Reads the hash of the trial's spikes so far: FNV-1a, 64 bits, over the step (from 1,
/// 4 bytes) and the unit (from 0, 2 bytes) of each spike, the least byte first. The self-test
/// compares such a hash, and so does `rate2spike run --on`, trial by trial.
///
/// # Safety
/// `network` came from r2s_open, `hash` points to one number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn r2s_spike_hash(network: *const Network, hash: *mut u64) -> Status {
    code((|| {
        // SAFETY: the caller's contract.
        let network = unsafe { network.as_ref() }.ok_or(Status::R2S_NULL)?;
        let trial = network.trial.as_ref().ok_or(Status::R2S_NOT_STARTED)?;
        // SAFETY: the caller's contract.
        unsafe { put(hash, trial.spike_hash()) }
    })())
}

/// Runs the trial that the network carries and compares its spikes with those
/// stored: R2S_OK if they are equal, R2S_SELF_TEST if not. Takes as long as the steps of a
/// trial without a pause; an earlier trial ends, so that r2s_start comes next.
///
/// # Safety
/// `network` came from r2s_open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn r2s_self_test(network: *mut Network) -> Status {
    code((|| {
        let place = network;
        // SAFETY: the caller's contract.
        let network = unsafe { network.as_mut() }.ok_or(Status::R2S_NULL)?;
        network.trial = None;
        // SAFETY: no trial uses the tables.
        let tables = unsafe { network.places.tables(place) };
        let found = network.network.self_test(tables);
        let found = found.map_err(|_| Status::R2S_CONTENT)?;
        let wanted = network.network.payload().self_test.spike_hash;
        (found == wanted).then_some(()).ok_or(Status::R2S_SELF_TEST)
    })())
}

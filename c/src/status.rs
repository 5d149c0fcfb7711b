//! The status codes.

use core::ffi::{CStr, c_char};

use rate2spike_core::blob::BlobError;

/// The result of a function: 0, or the reason why it did nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
// The variants are the names in the header.
#[allow(non_camel_case_types)]
#[repr(i32)]
pub enum Status {
    /// Done.
    R2S_OK = 0,
    /// A pointer is NULL.
    R2S_NULL = 1,
    /// The bytes are fewer than the network's header announces.
    R2S_SHORT = 2,
    /// The bytes do not begin with "R2SN": they are not a network.
    R2S_NOT_A_NETWORK = 3,
    /// The network was written by another version of rate2spike.
    R2S_LAYOUT = 4,
    /// The check sum differs: the network is damaged.
    R2S_CHECKSUM = 5,
    /// The check sum is right and the content is not.
    R2S_CONTENT = 6,
    /// The memory is smaller than r2s_memory_bytes says.
    R2S_MEMORY = 7,
    /// No trial was started.
    R2S_NOT_STARTED = 8,
    /// The number of values is not the one that the network's description has.
    R2S_CHANNELS = 9,
    /// The array is too small for the values.
    R2S_CAPACITY = 10,
    /// The self-test ran, and its spikes are other ones than those stored.
    R2S_SELF_TEST = 11,
    /// The network's numbers are f32, and this library steps fixed point.
    R2S_ARITHMETIC = 12,
}

impl Status {
    /// Each status, in the order of the codes.
    const ALL: [Status; 13] = [
        Status::R2S_OK,
        Status::R2S_NULL,
        Status::R2S_SHORT,
        Status::R2S_NOT_A_NETWORK,
        Status::R2S_LAYOUT,
        Status::R2S_CHECKSUM,
        Status::R2S_CONTENT,
        Status::R2S_MEMORY,
        Status::R2S_NOT_STARTED,
        Status::R2S_CHANNELS,
        Status::R2S_CAPACITY,
        Status::R2S_SELF_TEST,
        Status::R2S_ARITHMETIC,
    ];

    fn name(self) -> &'static CStr {
        match self {
            Status::R2S_OK => c"R2S_OK",
            Status::R2S_NULL => c"R2S_NULL",
            Status::R2S_SHORT => c"R2S_SHORT",
            Status::R2S_NOT_A_NETWORK => c"R2S_NOT_A_NETWORK",
            Status::R2S_LAYOUT => c"R2S_LAYOUT",
            Status::R2S_CHECKSUM => c"R2S_CHECKSUM",
            Status::R2S_CONTENT => c"R2S_CONTENT",
            Status::R2S_MEMORY => c"R2S_MEMORY",
            Status::R2S_NOT_STARTED => c"R2S_NOT_STARTED",
            Status::R2S_CHANNELS => c"R2S_CHANNELS",
            Status::R2S_CAPACITY => c"R2S_CAPACITY",
            Status::R2S_SELF_TEST => c"R2S_SELF_TEST",
            Status::R2S_ARITHMETIC => c"R2S_ARITHMETIC",
        }
    }

    fn text(self) -> &'static CStr {
        match self {
            Status::R2S_OK => c"done",
            Status::R2S_NULL => c"a pointer is NULL",
            Status::R2S_SHORT => c"the network is cut off: pass all bytes of the .snn file",
            Status::R2S_NOT_A_NETWORK => c"the bytes are not a network: pass those of an .snn file",
            Status::R2S_LAYOUT => {
                c"the network is of another version: write it again with the rate2spike of this library"
            }
            Status::R2S_CHECKSUM => c"the network is damaged: copy the .snn file again",
            Status::R2S_CONTENT => c"the network's content is not valid: write it again",
            Status::R2S_MEMORY => c"the memory is too small: r2s_memory_bytes says how much is needed",
            Status::R2S_NOT_STARTED => c"no trial was started: call r2s_start",
            Status::R2S_CHANNELS => c"give as many values as r2s_describe says",
            Status::R2S_CAPACITY => c"the array is too small for the values",
            Status::R2S_SELF_TEST => c"the self-test's spikes differ from those stored with the network",
            Status::R2S_ARITHMETIC => {
                c"the network is in f32, and this library steps fixed point: quantize it without --arithmetic f32"
            }
        }
    }
}

impl From<BlobError> for Status {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Short { .. } => Status::R2S_SHORT,
            BlobError::Magic(_) => Status::R2S_NOT_A_NETWORK,
            BlobError::Layout(_) => Status::R2S_LAYOUT,
            BlobError::Checksum { .. } => Status::R2S_CHECKSUM,
            BlobError::Arithmetic(_) => Status::R2S_ARITHMETIC,
            BlobError::Payload | BlobError::Table { .. } | BlobError::Range { .. } => {
                Status::R2S_CONTENT
            }
        }
    }
}

/// The status with this code.
fn of_code(code: i32) -> Option<Status> {
    Status::ALL.get(usize::try_from(code).ok()?).copied()
}

/// The name of a status code, for instance "R2S_CHECKSUM"; "unknown" for
/// another number. The text lives as long as the program.
#[unsafe(no_mangle)]
pub extern "C" fn r2s_status_name(code: i32) -> *const c_char {
    of_code(code).map_or(c"unknown", Status::name).as_ptr()
}

/// A sentence on a status code that says what to do; "unknown" for another
/// number. The text lives as long as the program.
#[unsafe(no_mangle)]
pub extern "C" fn r2s_status_text(code: i32) -> *const c_char {
    of_code(code).map_or(c"unknown", Status::text).as_ptr()
}

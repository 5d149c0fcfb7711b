//! The faults of a MAT-file, and of what is asked of it.

use super::format::HEADER_BYTES;
use super::value::{Class, UnsupportedKind};

/// The way out for a file of another level.
macro_rules! save_again {
    () => {
        "save it again with `save(file, '-v7')` in MATLAB or `save -v7` in Octave"
    };
}

/// Why a MAT-file cannot be read or written, or does not hold what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MatError {
    /// A file of another kind.
    #[error(
        "this is {0} and not a MAT-file of level 5, the format of a rate model: {way}",
        way = way_out(.0)
    )]
    Kind(&'static str),
    /// A deployed network.
    #[error(
        "this is a deployed network, and a rate model (.mat) is wanted; `rate2spike run`, `watch` and `deploy` take it"
    )]
    Deployed,
    /// Level 7.3, which is HDF5.
    #[error("this is a MAT-file of level 7.3 (HDF5), which is not read: {}", save_again!())]
    Level73,
    /// Level 4, without a header.
    #[error("this is a MAT-file of level 4, which is not read: {}", save_again!())]
    Level4,
    /// The header of a MAT-file has another version or byte order.
    #[error(
        "the header ends in {0:02x?} and not in [00, 01, 49, 4d], the mark of level 5, nor in [01, 00, 4d, 49], that of a big-endian machine: the file is damaged; copy it again"
    )]
    Header([u8; 4]),
    /// The header is cut off.
    #[error(
        "the file ends after {length} bytes, within the header of {HEADER_BYTES}: it was cut off; copy it again"
    )]
    TruncatedHeader {
        /// Length of the file in bytes.
        length: usize,
    },
    /// An element is damaged.
    #[error("the element at byte {offset}{} cannot be read: {fault}", in_brackets(.name))]
    Element {
        /// First byte of the element in the file.
        offset: usize,
        /// The variable, if the element could be read so far.
        name: Option<String>,
        /// The fault.
        fault: Fault,
    },
    /// A variable is missing.
    #[error("there is no variable `{name}`")]
    Missing {
        /// The name asked for.
        name: String,
    },
    /// The variable has a form that is not understood.
    #[error("variable `{name}` is {kind}: only full, real arrays are read{}", instead(*.kind))]
    Unsupported {
        /// The variable.
        name: String,
        /// The form.
        kind: UnsupportedKind,
    },
    /// The variable is text where numbers are wanted, or the reverse.
    #[error("variable `{name}` is of class {found}, not {wanted}")]
    Class {
        /// The variable.
        name: String,
        /// The class or shape that was asked for.
        wanted: &'static str,
        /// The variable's class.
        found: Class,
    },
    /// The variable has other dimensions.
    #[error("variable `{name}` is {}, not {wanted}", product(.dims))]
    Shape {
        /// The variable.
        name: String,
        /// The class or shape that was asked for.
        wanted: &'static str,
        /// The variable's dimensions.
        dims: Vec<usize>,
    },
    /// A name that the format does not hold.
    #[error(
        "`{name}` cannot be the name of a variable, which has 1 to 63 ASCII characters: a file with it is read and cannot be written; give the variable another name, or remove it"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// The sizes of the format have 32 bits.
    #[error("variable `{name}` is too large for a level-5 MAT-file")]
    TooLarge {
        /// The variable.
        name: String,
    },
    /// An array that was not understood, from a file in the other byte order.
    #[error(
        "variable `{name}` is {kind} from a big-endian file, which cannot be written back: {}",
        save_again!()
    )]
    BigEndian {
        /// The variable.
        name: String,
        /// The form.
        kind: UnsupportedKind,
    },
}

/// The fault of an element. Positions count from its start; within an
/// array, from the end of the array's tag and once inflated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The element ends too early.
    #[error(
        "{needed} bytes should follow at its byte {at}, and {left} do: the file was cut off or damaged; copy it again"
    )]
    Truncated {
        /// Position.
        at: usize,
        /// Bytes that should follow.
        needed: usize,
        /// Bytes that do.
        left: usize,
    },
    /// Not an array where one should be.
    #[error("its type is {found}, not that of an array or a compressed array")]
    NotAnArray {
        /// The data type found.
        found: u32,
    },
    /// A part of the array has an impossible data type or length.
    #[error("its {part} cannot be {length} bytes of type {found}")]
    Part {
        /// The part.
        part: &'static str,
        /// The data type found.
        found: u32,
        /// Length in bytes.
        length: usize,
    },
    /// A small element claims more than its four bytes.
    #[error("a small element at its byte {at} claims {length} bytes, and 4 at most fit")]
    Small {
        /// Position.
        at: usize,
        /// The length claimed, in bytes.
        length: usize,
    },
    /// The compressed stream is damaged or cut off.
    #[error("its zlib stream is damaged or cut off; copy the file again")]
    Inflate,
    /// The compressed stream goes on after the array.
    #[error("its zlib stream holds more than the {declared} bytes that it declares")]
    Surplus {
        /// Length of the array as declared, in bytes.
        declared: usize,
    },
    /// The compressed arrays of the file are much larger than the file.
    #[error(
        "its zlib stream inflates to more than {allowance} bytes, which is too much for a file of this size; if it is meant, save it again with `save(file, '-v6')`, which does not compress"
    )]
    Inflated {
        /// The bytes that it may inflate to.
        allowance: usize,
    },
    /// Dimensions that are too few, negative, or too large to multiply.
    #[error("its dimensions are impossible")]
    Dimensions,
    /// Dimensions and data disagree.
    #[error("its dimensions are {}, and {elements} elements follow", product(.dims))]
    Length {
        /// The dimensions.
        dims: Vec<usize>,
        /// The number of elements that are there.
        elements: usize,
    },
    /// A stored value is outside the range of the array's class.
    #[error("a stored value does not fit its class, {class}")]
    Range {
        /// The class.
        class: Class,
    },
    /// A text that is no Unicode.
    #[error("its characters are not valid Unicode")]
    Text,
}

/// The way out for a file of this kind.
fn way_out(kind: &str) -> &'static str {
    let is = |names: &[&str]| names.iter().any(|name| kind.contains(name));
    if is(&["gzip"]) {
        return concat!("unpack it with `gunzip`; else ", save_again!());
    }
    if is(&["NumPy", "pickle"]) {
        return concat!(
            "save its variables with `scipy.io.savemat(file, variables)` in Python; else ",
            save_again!()
        );
    }
    if is(&["compressed", "archive"]) {
        return concat!("unpack it; else ", save_again!());
    }
    if is(&["JSON"]) {
        return "if it is the history of a training, give the model beside it, whose name ends in .mat";
    }
    if is(&["ELF", "UF2", "picture", "PDF", "HTML"]) {
        return "give a rate model, as `rate2spike train` writes it";
    }
    concat!("if MATLAB or Octave wrote it, ", save_again!())
}

/// The way out for a variable of this kind, in MATLAB's words.
fn instead(kind: UnsupportedKind) -> &'static str {
    match kind {
        UnsupportedKind::Sparse => "; store full(…) of it",
        UnsupportedKind::Complex => "; store real(…) of it",
        UnsupportedKind::Cell | UnsupportedKind::Struct => "; store its contents as variables",
        _ => "",
    }
}

fn in_brackets(name: &Option<String>) -> String {
    name.as_ref()
        .map_or_else(String::new, |name| format!(" (`{name}`)"))
}

/// "200 × 200".
fn product(dims: &[usize]) -> String {
    let dims: Vec<String> = dims.iter().map(usize::to_string).collect();
    dims.join(" × ")
}

//! The ending of a file's name, which says the kind of the file.

use std::path::Path;

/// Whether the name of the file ends in `ending`, in small or capital letters: `A.MAT`
/// ends in "mat".
pub fn ends_in(path: &Path, ending: &str) -> bool {
    path.extension()
        .is_some_and(|found| found.eq_ignore_ascii_case(ending))
}

//! The kind of a file by its first bytes, in words for error messages.

/// The bytes that a kind of file has at a place.
struct Mark {
    at: usize,
    bytes: &'static [u8],
    name: &'static str,
}

/// The marks, most particular ones first.
const MARKS: [Mark; 19] = [
    // MATLAB's HDF5 files keep 512 bytes for a header of their own.
    mark(
        512,
        b"\x89HDF\r\n\x1a\n",
        "an HDF5 file behind a header of 512 bytes (a MAT-file of level 7.3, for instance)",
    ),
    mark(0, b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    mark(0, b"MATLAB 5.0 MAT-file", "a MAT-file"),
    mark(0, b"R2SN", "a deployed network (.snn)"),
    mark(0, b"\x1f\x8b", "a file compressed by gzip"),
    mark(
        0,
        b"PK\x03\x04",
        "a zip archive (NumPy's .npz, for instance)",
    ),
    mark(0, b"PK\x05\x06", "an empty zip archive"),
    mark(0, b"\x93NUMPY", "a NumPy array (.npy)"),
    mark(0, b"BZh", "a file compressed by bzip2"),
    mark(0, b"\xfd7zXZ\x00", "a file compressed by xz"),
    mark(0, b"\x28\xb5\x2f\xfd", "a file compressed by zstd"),
    mark(0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    mark(257, b"ustar", "a tar archive"),
    mark(0, b"\x7fELF", "an ELF file (a program or firmware)"),
    mark(0, b"UF2\n", "a UF2 image"),
    mark(0, b"\x89PNG", "a PNG picture"),
    mark(0, b"%PDF", "a PDF document"),
    mark(0, b"\xff\xfe", "a text in UTF-16"),
    mark(0, b"\xfe\xff", "a text in UTF-16"),
];

const fn mark(at: usize, bytes: &'static [u8], name: &'static str) -> Mark {
    Mark { at, bytes, name }
}

/// Bytes of a file in which a text is looked for.
const LOOKED_AT: usize = 512;

/// The kind of file that begins with `bytes`: "an HDF5 file".
pub fn name(bytes: &[u8]) -> &'static str {
    if bytes.is_empty() {
        return "an empty file";
    }
    let has = |mark: &&Mark| {
        bytes
            .get(mark.at..)
            .is_some_and(|rest| rest.starts_with(mark.bytes))
    };
    if let Some(mark) = MARKS.iter().find(has) {
        return mark.name;
    }
    // Pickle's protocols 2 to 5 begin with their number and end with a point.
    if let [0x80, 2..=5, ..] = bytes
        && bytes.ends_with(b".")
    {
        return "a Python pickle";
    }
    match text(bytes) {
        Some('{' | '[') => "JSON",
        Some('<') => "HTML or XML",
        Some(_) => "a text",
        None => "a file of an unknown kind",
    }
}

/// The first character of a text that is not blank; `None` if the bytes are no
/// text.
fn text(bytes: &[u8]) -> Option<char> {
    let start = &bytes[..bytes.len().min(LOOKED_AT)];
    let text = match str::from_utf8(start) {
        Ok(text) => text,
        // A character may be cut in two.
        Err(error) if start.len() == LOOKED_AT && error.error_len().is_none() => {
            str::from_utf8(&start[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let printed = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    if !text.chars().all(printed) {
        return None;
    }
    text.trim_start_matches('\u{feff}')
        .trim_start()
        .chars()
        .next()
        .or(Some(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_called_by_its_name() {
        let mut level_73 = b"MATLAB 7.3 MAT-file".to_vec();
        level_73.resize(512, b' ');
        level_73.extend(b"\x89HDF\r\n\x1a\n");
        let cases: [(&[u8], &str); 12] = [
            (b"", "empty"),
            (b"\x1f\x8b\x08\0", "gzip"),
            (b"PK\x03\x04\x14\0", ".npz"),
            (b"\x89HDF\r\n\x1a\n\0\0", "an HDF5 file"),
            (&level_73, "7.3"),
            (b"\x80\x04\x95K\x01.", "pickle"),
            (b"  {\"N\": 200}\n", "JSON"),
            (b"N = 200\n", "a text"),
            ("τ = 20 ms".as_bytes(), "a text"),
            (b"\xff\xfeN\0=\0", "UTF-16"),
            (b"\x93NUMPY\x01\0", "NumPy"),
            (b"\x00\x01\x02\xff", "unknown"),
        ];
        for (bytes, part) in cases {
            assert!(name(bytes).contains(part), "{part}: {}", name(bytes));
        }
    }

    #[test]
    fn a_character_that_is_cut_in_two_leaves_a_text_a_text() {
        let text = format!("x{}", "τ".repeat(400));
        assert_eq!(name(text.as_bytes()), "a text");
    }
}

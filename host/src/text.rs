//! Texts from the editors of all systems.

/// The text in `bytes`, without its byte-order mark: UTF-16 if such a mark or a zero
/// in the first character says so, else UTF-8. `None` if it is neither.
pub fn decoded(bytes: &[u8]) -> Option<String> {
    type Unit = fn([u8; 2]) -> u16;
    let order: Option<(&[u8], Unit)> = match bytes {
        [0xff, 0xfe, rest @ ..] => Some((rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => Some((rest, u16::from_be_bytes)),
        // TOML begins with a character of ASCII.
        [1..=0x7f, 0, ..] => Some((bytes, u16::from_le_bytes)),
        [0, 1..=0x7f, ..] => Some((bytes, u16::from_be_bytes)),
        _ => None,
    };
    let Some((units, unit)) = order else {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        return String::from_utf8(text.into()).ok();
    };
    let (pairs, odd) = units.as_chunks::<2>();
    if !odd.is_empty() {
        return None;
    }
    let units: Vec<u16> = pairs.iter().map(|&pair| unit(pair)).collect();
    String::from_utf16(&units).ok()
}

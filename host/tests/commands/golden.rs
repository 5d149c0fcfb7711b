//! Texts that are compared with a file of the repository.
//!
//! A text that changed on purpose is written again by
//! `RATE2SPIKE_RENEW=1 cargo test -p rate2spike --test commands`; look at the
//! difference before it is committed.

use std::path::Path;

/// Compares `text` with the file at `path`, which counts from the repository's folder;
/// writes it there where `RATE2SPIKE_RENEW` is set.
pub fn compare(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    if std::env::var_os("RATE2SPIKE_RENEW").is_some() {
        std::fs::write(&file, text).expect("a writable repository");
        return;
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = found
        .lines()
        .zip(text.lines())
        .find(|(old, new)| old != new);
    assert!(
        found == text,
        "{path} is stale, first at {differs:?}; renew it with \
         RATE2SPIKE_RENEW=1 cargo test -p rate2spike --test commands"
    );
}

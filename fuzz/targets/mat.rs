//! A MAT-file: a file that can be read can be written, and reads the same again.

#![no_main]
// The host uses more of the module than this target.
#![allow(dead_code, unused_imports)]

mod formats;

use formats::mat;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(file) = mat::MatFile::from_bytes(data) else {
        return;
    };
    for (name, _) in file.variables() {
        let _ = file.matrix(name);
        let _ = file.vector(name);
        let _ = file.scalar(name);
        let _ = file.text(name);
    }
    assert_eq!(file.check_writable().is_ok(), file.to_bytes().is_ok());
    if let Ok(bytes) = file.to_bytes() {
        let again = mat::MatFile::from_bytes(&bytes).expect("our own file");
        assert!(again.to_bytes().expect("as before") == bytes);
    }
});

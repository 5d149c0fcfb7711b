//! Words of a command line as a POSIX shell reads them.

use std::path::Path;

/// `text` as one word of the shell, quoted where the shell needs it.
pub fn word(text: &str) -> String {
    // The shell has no way to write a zero byte, and no argument or path holds one.
    let text = text.replace('\0', "");
    let quoted = shlex::try_quote(&text).expect("a text without zero bytes");
    quoted.into_owned()
}

/// `path` as one word of the shell. A path that begins with a hyphen is not taken
/// for an option.
pub fn path_word(path: &Path) -> String {
    let text = path.to_string_lossy();
    if text.starts_with('-') {
        return word(&format!("./{text}"));
    }
    word(&text)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn the_shell_reads_a_word_as_the_text_that_it_was_made_of() {
        for text in [
            "plain.mat",
            "it's here",
            "a folder $(touch x)/`id`\\n\"x\".toml",
            "-o",
            "~",
            "",
            "*",
            "λ\nμ",
            "!!",
        ] {
            let script = format!("printf '%s' {}", word(text));
            let output = Command::new("sh").arg("-c").arg(script).output();
            let output = output.expect("a shell");
            assert_eq!(String::from_utf8_lossy(&output.stdout), text);
        }
        assert_eq!(path_word(Path::new("-o")), "./-o");
        assert_eq!(path_word(Path::new("net.mat")), "net.mat");
    }
}

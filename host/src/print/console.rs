//! The one writer of words: everything that a command prints goes through a [`Console`].
//!
//! A command says its result twice, once in words ([`Console::say`]) and once as an
//! object ([`Console::json`]); the console prints the one that the user asked for.
//! Results are on disk before they are printed, so a pipe that its reader has closed
//! loses nothing: the console stays silent from then on and the exit status is the
//! command's own. Every other failure of standard output or standard error (a full
//! disk, for instance) is an error of the command.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// Flags that say what is printed; every command has them.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct PrintArgs {
    /// Print one JSON object; bytes of a path that are not UTF-8 become U+FFFD
    // These two stand behind the flags of the command itself.
    #[arg(long, global = true, display_order = 900)]
    pub json: bool,
    /// Print errors only: no words, no progress, no warnings (with --json: the object)
    #[arg(long, global = true, display_order = 901)]
    pub quiet: bool,
}

/// Standard output or standard error could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to {stream}: {source}; every file that the command names is written")]
pub struct PrintError {
    /// `standard output` or `standard error`.
    stream: &'static str,
    /// Why.
    source: io::Error,
}

/// Standard output and standard error of a command.
pub struct Console {
    json: bool,
    quiet: bool,
    out: Mutex<Stream>,
    err: Mutex<Stream>,
    /// The warnings so far, for the object.
    warnings: Mutex<Vec<String>>,
}

impl Console {
    /// The console of this process.
    pub fn new(args: PrintArgs) -> Self {
        Self::onto(args, Box::new(io::stdout()), Box::new(io::stderr()))
    }

    fn onto(args: PrintArgs, out: Sink, err: Sink) -> Self {
        Self {
            json: args.json,
            quiet: args.quiet,
            out: Mutex::new(Stream::new(OUT, out)),
            err: Mutex::new(Stream::new(ERR, err)),
            warnings: Mutex::default(),
        }
    }

    /// Whether the user asked for an object instead of words.
    pub fn wants_json(&self) -> bool {
        self.json
    }

    /// Prints one or several lines on standard output; nothing with `--json`.
    pub fn say(&self, text: impl Display) {
        if !self.json && !self.quiet {
            locked(&self.out).line(&harmless(&text.to_string()));
        }
    }

    /// Prints `value`, an object, as one line of JSON on standard output, with the
    /// warnings so far under `warnings`; nothing without `--json`.
    pub fn json(&self, value: &impl Serialize) {
        if !self.json {
            return;
        }
        let mut out = locked(&self.out);
        match serde_json::to_string(value) {
            Ok(text) => out.line(&harmless_json(&with_warnings(
                &text,
                &locked(&self.warnings),
            ))),
            Err(source) => out.fail(source.into()),
        }
    }

    /// Prints a message on standard error.
    pub fn note(&self, message: impl Display) {
        if !self.quiet {
            self.complain(message);
        }
    }

    /// Prints a warning on standard error, and keeps it for the object.
    pub fn warn(&self, sentence: impl Display) {
        let sentence = sentence.to_string();
        self.note(format_args!("warning: {sentence}"));
        locked(&self.warnings).push(sentence);
    }

    /// Prints warnings on standard error.
    pub fn warn_all(&self, sentences: impl IntoIterator<Item = impl Display>) {
        sentences
            .into_iter()
            .for_each(|sentence| self.warn(sentence));
    }

    /// Prints an error on standard error.
    pub fn complain(&self, error: impl Display) {
        let text = format!("rate2spike: {error}");
        locked(&self.err).line(&harmless(&short(&text)));
    }

    /// A progress bar on standard error; it is hidden where that is no terminal.
    pub fn progress(&self, length: u64, template: &str) -> ProgressBar {
        if self.quiet {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template(template).expect("a template of this program");
        ProgressBar::new(length).with_style(style)
    }

    /// Writes out what is left.
    ///
    /// # Errors
    /// The first failure of one of the streams, except that of a closed pipe.
    pub fn finish(&self) -> Result<(), PrintError> {
        locked(&self.out).finish()?;
        locked(&self.err).finish()
    }
}

/// Prints what clap answers in place of a command: the help, the version, or what is
/// wrong with the command line (exit status 2).
pub fn answer(answer: &clap::Error) -> u8 {
    let plain = answer.render().to_string();
    let shown = match answer.use_stderr() {
        true => short(&plain),
        false => plain.as_str().into(),
    };
    let harmless = harmless(&shown);
    // A name on the command line would steer the terminal, or fill it: no colours then.
    let printed = match *harmless == *plain {
        false => io::stderr().write_all(harmless.as_bytes()),
        true => answer.print(),
    };
    let status = u8::try_from(answer.exit_code()).unwrap_or(1);
    match printed.and_then(|()| io::stdout().flush()) {
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => {
            let error = PrintError {
                stream: if answer.use_stderr() { ERR } else { OUT },
                source,
            };
            Console::new(PrintArgs::default()).complain(error);
            1
        }
        _ => status,
    }
}

const OUT: &str = "standard output";
const ERR: &str = "standard error";

type Sink = Box<dyn Write + Send>;

/// A stream, until it fails.
struct Stream {
    name: &'static str,
    sink: Sink,
    failed: Option<io::Error>,
}

impl Stream {
    fn new(name: &'static str, sink: Sink) -> Self {
        let failed = None;
        Self { name, sink, failed }
    }

    fn line(&mut self, text: &str) {
        if self.failed.is_some() {
            return;
        }
        let newline = if text.ends_with('\n') { "" } else { "\n" };
        if let Err(source) = write!(self.sink, "{text}{newline}") {
            self.fail(source);
        }
    }

    fn fail(&mut self, source: io::Error) {
        self.failed.get_or_insert(source);
    }

    fn finish(&mut self) -> Result<(), PrintError> {
        if self.failed.is_none()
            && let Err(source) = self.sink.flush()
        {
            self.fail(source);
        }
        match self.failed.take() {
            Some(source) if source.kind() != io::ErrorKind::BrokenPipe => Err(PrintError {
                stream: self.name,
                source,
            }),
            _ => Ok(()),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Most letters of a message: a screen or two.
const MOST_LETTERS: usize = 4000;

/// Letters at the end of a message, which say the way out.
const LAST_LETTERS: usize = 1000;

/// A message without its middle if it is long: the text of a file may be in it.
fn short(text: &str) -> Cow<'_, str> {
    let letters = text.chars().count();
    if letters <= MOST_LETTERS {
        return text.into();
    }
    let place = |letter: usize| {
        let mut places = text.char_indices();
        places.nth(letter).map_or(text.len(), |(place, _)| place)
    };
    let first = MOST_LETTERS - LAST_LETTERS;
    format!(
        "{} … ({} letters are left out) … {}",
        &text[..place(first)],
        letters - MOST_LETTERS,
        &text[place(letters - LAST_LETTERS)..]
    )
    .into()
}

/// `text` with every character that could steer a terminal written as an escape, such
/// as `\u{1b}`. New lines and tabulators stay.
pub fn harmless(text: &str) -> Cow<'_, str> {
    let steers = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            // These turn the direction of writing.
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(steers) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown.into()
}

/// The object in `text` with one more field, the list of warnings.
fn with_warnings(text: &str, warnings: &[String]) -> String {
    let fields = text.strip_suffix('}').unwrap_or(text);
    let comma = if fields == "{" { "" } else { "," };
    let warnings = serde_json::Value::from(warnings);
    format!("{fields}{comma}\"warnings\":{warnings}}}")
}

/// JSON escapes the control characters of ASCII except the last; this does the rest.
fn harmless_json(text: &str) -> Cow<'_, str> {
    let steers = |c: char| matches!(c, '\u{7f}'..='\u{9f}');
    if !text.contains(steers) {
        return text.into();
    }
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) {
            write!(escaped, "\\u{:04x}", u32::from(c)).expect("a string takes every text");
        } else {
            escaped.push(c);
        }
    }
    escaped.into()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// What was written, and the failure that the next write meets.
    #[derive(Clone, Default)]
    struct Paper {
        text: Arc<Mutex<Vec<u8>>>,
        failure: Option<io::ErrorKind>,
    }

    impl Paper {
        fn torn(failure: io::ErrorKind) -> Self {
            let failure = Some(failure);
            Self {
                failure,
                ..Self::default()
            }
        }

        fn text(&self) -> String {
            let bytes = self.text.lock().expect("no panic").clone();
            String::from_utf8(bytes).expect("UTF-8")
        }
    }

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if let Some(failure) = self.failure {
                return Err(failure.into());
            }
            self.text.lock().expect("no panic").extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            self.failure.map_or(Ok(()), |failure| Err(failure.into()))
        }
    }

    fn console(json: bool, quiet: bool, out: &Paper, err: &Paper) -> Console {
        let args = PrintArgs { json, quiet };
        Console::onto(args, Box::new(out.clone()), Box::new(err.clone()))
    }

    #[test]
    fn words_or_an_object_are_printed_and_never_both() {
        for (json, quiet, out_wanted, err_wanted) in [
            (false, false, "words\n", "rate2spike: warning: mind\n"),
            (
                true,
                false,
                "{\"a\":1,\"warnings\":[\"mind\"]}\n",
                "rate2spike: warning: mind\n",
            ),
            (false, true, "", ""),
            (true, true, "{\"a\":1,\"warnings\":[\"mind\"]}\n", ""),
        ] {
            let (out, err) = (Paper::default(), Paper::default());
            let console = console(json, quiet, &out, &err);
            console.say("words");
            console.warn("mind");
            console.json(&serde_json::json!({ "a": 1 }));
            console.finish().expect("nothing fails");
            assert_eq!(
                (out.text(), err.text()),
                (out_wanted.into(), err_wanted.into())
            );
        }
    }

    #[test]
    fn a_closed_pipe_is_silent_and_a_full_disk_is_an_error() {
        for (failure, fails) in [
            (io::ErrorKind::BrokenPipe, false),
            (io::ErrorKind::StorageFull, true),
        ] {
            for torn_is_out in [true, false] {
                let (whole, torn) = (Paper::default(), Paper::torn(failure));
                let (out, err) = if torn_is_out {
                    (&torn, &whole)
                } else {
                    (&whole, &torn)
                };
                let console = console(false, false, out, err);
                console.say("words");
                console.note("a message");
                assert_eq!(console.finish().is_err(), fails);
                assert!(!whole.text().is_empty(), "the other stream goes on");
            }
        }
    }

    #[test]
    fn a_long_message_keeps_its_begin_and_its_end() {
        let text = format!("begin {} end", "τ".repeat(100_000));
        let shown = short(&text);
        assert!(shown.starts_with("begin τ") && shown.ends_with("τ end"));
        assert!(shown.contains("(96010 letters are left out)"), "{shown}");
        assert_eq!(short("x"), "x");
    }

    #[test]
    fn text_of_a_file_cannot_steer_the_terminal() {
        assert_eq!(harmless("a\tb\n"), "a\tb\n");
        assert_eq!(
            harmless("\u{1b}[31m\r\u{9b}\u{202e}"),
            "\\u{1b}[31m\\u{d}\\u{9b}\\u{202e}"
        );
        let (out, err) = (Paper::default(), Paper::default());
        let name = "\u{1b}[31m\u{9b}31m\u{7f}";
        console(true, false, &out, &err).json(&serde_json::json!({ "name": name }));
        assert_eq!(
            out.text(),
            "{\"name\":\"\\u001b[31m\\u009b31m\\u007f\",\"warnings\":[]}\n"
        );
        let read: serde_json::Value = serde_json::from_str(&out.text()).expect("JSON");
        assert_eq!(read["name"], name);
    }
}

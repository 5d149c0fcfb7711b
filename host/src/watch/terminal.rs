//! The terminal, which shows the scene and is restored in every case: at the end, at an
//! error, at a panic and at a signal.

use std::io;
use std::time::{Duration, Instant};

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::play::{FRAME_MS, Key};
use super::scene::Scene;
use super::view;
use crate::interrupt::{self, Orderly};

/// A terminal in the mode for drawing. It is restored when this value is dropped, or
/// before the message of a panic is printed. SIGTERM, SIGHUP and SIGINT count as the key
/// that quits.
pub struct Screen {
    _orderly: Orderly,
    terminal: DefaultTerminal,
    colours: bool,
    due: Instant,
}

impl Screen {
    /// Sets the terminal to the mode for drawing. Without `colours` the scene is drawn in
    /// the terminal's own colours.
    ///
    /// # Errors
    /// If standard output is not a terminal.
    pub fn take(colours: bool) -> io::Result<Self> {
        // Before the terminal is taken: a signal in between must not end the program.
        let orderly = Orderly::begin();
        Ok(Self {
            _orderly: orderly,
            terminal: ratatui::try_init().inspect_err(|_| ratatui::restore())?,
            colours,
            due: Instant::now(),
        })
    }

    /// Draws `scene`, waits until the next drawing is due, and returns the keys that were
    /// pressed meanwhile.
    ///
    /// # Errors
    /// If the terminal was closed.
    pub fn look(&mut self, scene: &Scene) -> io::Result<Vec<Key>> {
        let colours = self.colours;
        self.terminal
            .draw(|frame| view::draw(frame, scene, colours))?;
        // Counted from the time at which the last drawing was due, unless drawing took
        // longer.
        self.due = (self.due + Duration::from_secs_f64(FRAME_MS / 1000.0)).max(Instant::now());
        let mut keys = Vec::new();
        loop {
            if interrupt::asked() {
                return Ok(vec![Key::Quit]);
            }
            // The next drawing comes in time even if keys are pressed all the while.
            let left = self.due.saturating_duration_since(Instant::now());
            if !event::poll(left)? {
                return Ok(keys);
            }
            if let Event::Key(pressed) = event::read()? {
                keys.extend(key(pressed));
            }
            if left.is_zero() {
                return Ok(keys);
            }
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// The command of a key; `None` if the key has none.
fn key(pressed: KeyEvent) -> Option<Key> {
    if pressed.kind == KeyEventKind::Release {
        return None;
    }
    // The end of an input arrives as NUL, which crossterm reports as Ctrl with space.
    if pressed.modifiers.contains(KeyModifiers::CONTROL) {
        return (pressed.code == KeyCode::Char('c')).then_some(Key::Quit);
    }
    match pressed.code {
        KeyCode::Char('q') | KeyCode::Esc => Some(Key::Quit),
        KeyCode::Char(' ') => Some(Key::Pause),
        KeyCode::Char('n') => Some(Key::Next),
        KeyCode::Char('+' | '=') => Some(Key::Faster),
        KeyCode::Char('-') => Some(Key::Slower),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_c_quits_and_neither_nul_nor_a_released_key_does_anything() {
        let pressed = |code, modifiers| key(KeyEvent::new(code, modifiers));
        assert_eq!(
            pressed(KeyCode::Char('c'), KeyModifiers::CONTROL),
            Some(Key::Quit)
        );
        assert_eq!(pressed(KeyCode::Char('c'), KeyModifiers::NONE), None);
        assert_eq!(pressed(KeyCode::Char(' '), KeyModifiers::CONTROL), None);
        assert_eq!(
            pressed(KeyCode::Char('+'), KeyModifiers::SHIFT),
            Some(Key::Faster)
        );
        let up = KeyEvent {
            kind: KeyEventKind::Release,
            ..KeyEvent::from(KeyCode::Char('q'))
        };
        assert_eq!(key(up), None);
    }
}

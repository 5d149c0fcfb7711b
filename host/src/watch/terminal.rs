//! The terminal: taken while something is watched, and given back whatever
//! happens.

use std::io;
use std::time::{Duration, Instant};

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::play::{FRAME_MS, Key};
use super::scene::Scene;
use super::view;

/// A terminal that was taken. A panic gives it back before it speaks; the end
/// of this value does otherwise.
pub struct Screen {
    terminal: DefaultTerminal,
    colours: bool,
    due: Instant,
}

impl Screen {
    /// Takes the terminal; `colours` as the user wants it.
    ///
    /// # Errors
    /// If it is none.
    pub fn take(colours: bool) -> io::Result<Self> {
        Ok(Self {
            terminal: ratatui::try_init().inspect_err(|_| ratatui::restore())?,
            colours,
            due: Instant::now(),
        })
    }

    /// Shows `scene`, waits until the next look is due, and returns the keys of
    /// that time.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn look(&mut self, scene: &Scene) -> io::Result<Vec<Key>> {
        let colours = self.colours;
        self.terminal
            .draw(|frame| view::draw(frame, scene, colours))?;
        // From the last look that was due, unless drawing takes longer.
        self.due = (self.due + Duration::from_secs_f64(FRAME_MS / 1000.0)).max(Instant::now());
        let mut keys = Vec::new();
        loop {
            // However many keys there are, the next look comes in time.
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

/// What a key means.
fn key(pressed: KeyEvent) -> Option<Key> {
    if pressed.kind == KeyEventKind::Release {
        return None;
    }
    // The end of an input arrives as NUL, which reads as control and space.
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
    fn control_c_ends_it_and_neither_nul_nor_a_key_that_comes_up_means_anything() {
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

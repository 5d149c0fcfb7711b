//! A panic leaves its place in RAM that no start clears, and the board starts the chip anew.
//! The next start says where it was.

use core::mem::MaybeUninit;

use rate2spike_app::Restart;

/// Says that there is a note: four letters.
const MAGIC: u32 = u32::from_le_bytes(*b"R2SP");

/// Most bytes of a file's path that are kept: the last ones.
const PATH_BYTES: usize = 32;

/// The place of a panic.
#[repr(C)]
struct Note {
    magic: u32,
    line: u32,
    length: u32,
    path: [u8; PATH_BYTES],
}

#[unsafe(link_section = ".uninit.panic")]
static mut NOTE: MaybeUninit<Note> = MaybeUninit::uninit();

/// The panic because of which the chip was started anew, if that is why; given once.
pub fn last() -> Option<Restart> {
    let note = (&raw mut NOTE).cast::<Note>();
    // SAFETY: RAM in which every bit pattern is a note, and which only a panic writes,
    // after which nothing is read any more.
    let found = unsafe {
        let found = note.read_volatile();
        (&raw mut (*note).magic).write_volatile(0);
        found
    };
    if found.magic != MAGIC {
        return None;
    }
    // SAFETY: as above; the bytes stay as they are until the next panic.
    let path: &'static [u8; PATH_BYTES] = unsafe { &(*note).path };
    let path = path.get(..found.length as usize)?;
    Some(Restart::Panic {
        file: core::str::from_utf8(path).ok()?,
        line: found.line,
    })
}

/// Notes the place of a panic. The chip must be started anew then.
pub fn note(info: &core::panic::PanicInfo) {
    let (file, line) = match info.location() {
        Some(place) => (place.file().as_bytes(), place.line()),
        None => (b"?".as_slice(), 0),
    };
    let end = file.get(file.len().saturating_sub(PATH_BYTES)..);
    let mut path = [0; PATH_BYTES];
    let mut length = 0;
    for (to, from) in path.iter_mut().zip(end.unwrap_or(file)) {
        *to = *from;
        length += 1;
    }
    let note = Note {
        magic: MAGIC,
        line,
        length,
        path,
    };
    // SAFETY: this core does nothing else any more. If another core panics at the same time,
    // the note is a mixture of both places, each part of which is a valid one.
    unsafe { (&raw mut NOTE).cast::<Note>().write_volatile(note) };
}

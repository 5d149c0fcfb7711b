//! The calls between the functions of a linked firmware, read off the machine code of an Arm
//! Cortex-M.
//!
//! Every direct call and every direct jump counts. The data between the
//! instructions is left out by the symbols `$t` and `$d` that the ABI demands.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use object::read::elf::ElfFile32;
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};

/// A linked program.
pub struct Program {
    /// Name of the function at each address.
    functions: BTreeMap<u32, String>,
    /// The addresses at which code begins (true) or ends (false).
    marks: BTreeMap<u32, bool>,
    /// Address and content of the sections with code.
    sections: Vec<(u32, Vec<u8>)>,
}

impl Program {
    /// Reads a linked program.
    pub fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).expect("a linked firmware");
        let file = ElfFile32::<object::Endianness>::parse(&*bytes).expect("an ELF file");
        let (mut functions, mut marks) = (BTreeMap::new(), BTreeMap::new());
        for symbol in file.symbols() {
            let name = symbol.name().unwrap_or_default();
            let address = symbol.address() as u32;
            match (name.get(..2), symbol.kind()) {
                (Some("$t"), _) => drop(marks.insert(address, true)),
                (Some("$d"), _) => drop(marks.insert(address, false)),
                (_, SymbolKind::Text) => {
                    let name = format!("{:#}", rustc_demangle::demangle(name));
                    functions.insert(address & !1, name);
                }
                _ => {}
            }
        }
        let sections = file
            .sections()
            .filter(|section| section.kind() == object::SectionKind::Text)
            .map(|section| {
                let data = section.data().expect("a readable section");
                (section.address() as u32, data.to_vec())
            })
            .collect();
        Self {
            functions,
            marks,
            sections,
        }
    }

    /// Names of all functions.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.functions.values().map(String::as_str)
    }

    /// Addresses of the functions whose names begin and end like this.
    pub fn functions(&self, start: &str, end: &str) -> Vec<u32> {
        self.functions
            .iter()
            .filter(|(_, name)| name.trim_start_matches('<').starts_with(start))
            .filter(|(_, name)| name.ends_with(end))
            .map(|(address, _)| *address)
            .collect()
    }

    fn halfword(&self, address: u32) -> Option<u16> {
        self.sections.iter().find_map(|(start, data)| {
            let at = address.checked_sub(*start)? as usize;
            Some(u16::from_le_bytes([*data.get(at)?, *data.get(at + 1)?]))
        })
    }

    fn is_code(&self, address: u32) -> bool {
        let mark = self.marks.range(..=address).next_back();
        mark.is_none_or(|(_, code)| *code)
    }

    /// The function that holds `address`.
    fn holder(&self, address: u32) -> Option<u32> {
        let (start, _) = self.functions.range(..=address).next_back()?;
        Some(*start)
    }

    /// Targets of the direct calls and jumps of the function at `start`.
    fn targets(&self, start: u32) -> BTreeSet<u32> {
        let end = self
            .functions
            .range(start + 1..)
            .next()
            .map_or(u32::MAX, |(next, _)| *next);
        let mut targets = BTreeSet::new();
        let mut at = start;
        while at < end {
            let Some(first) = self.halfword(at) else {
                break;
            };
            let wide = first >= 0xe800;
            if self.is_code(at) {
                let second = self.halfword(at + 2).filter(|_| wide);
                let offset = match second {
                    Some(second) => wide_branch(first, second),
                    None => narrow_branch(first),
                };
                targets.extend(offset.map(|offset| (at + 4).wrapping_add_signed(offset)));
                at += if wide { 4 } else { 2 };
            } else {
                at += 2;
            }
        }
        targets
    }
}

/// Offset of `BL` (T1), `B.W` (T4) and `B<c>.W` (T3).
fn wide_branch(first: u16, second: u16) -> Option<i32> {
    let (first, second) = (i32::from(first), i32::from(second));
    if first >> 11 != 0b11110 || second >> 15 != 1 {
        return None;
    }
    let (s, j1, j2) = (first >> 10 & 1, second >> 13 & 1, second >> 11 & 1);
    let low = (second & 0x7ff) << 1;
    if second >> 12 & 1 == 1 {
        let (i1, i2) = (1 ^ j1 ^ s, 1 ^ j2 ^ s);
        let high = i1 << 23 | i2 << 22 | (first & 0x3ff) << 12;
        return Some(-(s << 24) | high | low);
    }
    // The conditions 14 and 15 are other instructions.
    let conditional = second >> 14 & 1 == 0 && first >> 7 & 7 != 7;
    conditional.then_some(-(s << 20) | j2 << 19 | j1 << 18 | (first & 0x3f) << 12 | low)
}

/// Offset of `B<c>` (T1) and `B` (T2).
fn narrow_branch(first: u16) -> Option<i32> {
    let sign = |bits: u16, width: u32| i32::from(bits) << (32 - width) >> (31 - width);
    match first >> 12 {
        0b1101 if first >> 9 & 7 != 7 => Some(sign(first & 0xff, 8)),
        0b1110 if first >> 11 & 1 == 0 => Some(sign(first & 0x7ff, 11)),
        _ => None,
    }
}

/// Names of all functions that the one at `start` can reach.
pub fn reachable(program: &Program, start: u32) -> BTreeSet<String> {
    let (mut seen, mut open) = (BTreeSet::from([start]), vec![start]);
    while let Some(function) = open.pop() {
        for target in program.targets(function) {
            let holder = program.holder(target).unwrap_or(target);
            if seen.insert(holder) {
                open.push(holder);
            }
        }
    }
    seen.iter()
        .map(|address| match program.functions.get(address) {
            Some(name) => name.clone(),
            None => format!("unknown at {address:#x}"),
        })
        .collect()
}

//! A deployed network as C: its bytes as an array, the library's header, and a
//! program that runs the self-test. The library itself is in `c/`.

use std::fmt::Write;

use rate2spike_core::blob::Deployed;
use rate2spike_core::network::Network;

use super::folder::File;

/// The words with which each file that this program writes begins.
const MARK: &str = "/* Written by rate2spike: ";

/// The same in a file of CMake.
const CMAKE_MARK: &str = "# Written by rate2spike: ";

/// The library's header.
const HEADER: &str = include_str!("rate2spike.h");

/// Bytes of an array's line.
const LINE: usize = 16;

/// Bytes that any chip or computer needs at most for each unit and readout filter,
/// and beside them. The tests compare them with what the library asks for.
const UNIT_MEMORY: usize = 40;
const MEMORY: usize = 2048;

/// True if `bytes` are a file of such a project, from any version of this program.
pub fn wrote(bytes: &[u8]) -> bool {
    let header = HEADER.lines().next().unwrap_or_default();
    [MARK, CMAKE_MARK, header]
        .iter()
        .any(|mark| bytes.starts_with(mark.as_bytes()))
}

/// The files of the project for the network `deployed` in `bytes`.
pub fn files(deployed: &Deployed, bytes: &[u8]) -> Vec<File> {
    let bytes = &bytes[..deployed.length()];
    vec![
        File::new("rate2spike.h", HEADER),
        File::new("network.h", declaration(deployed)),
        File::new("network.c", array(bytes)),
        File::new("main.c", include_str!("main.c")),
        File::new("CMakeLists.txt", include_str!("CMakeLists.txt")),
    ]
}

fn declaration(deployed: &Deployed) -> String {
    let units = deployed.constants().units;
    let memory = MEMORY
        + UNIT_MEMORY * (units + deployed.banks().filters_in_all() + deployed.constants().outputs);
    let task: String = String::from_utf8_lossy(deployed.payload().task)
        .chars()
        .filter(|c| c.is_ascii_graphic() && !"*/\\".contains(*c))
        .collect();
    format!(
        "{MARK}a network for the task {task}, check sum {:08x}. */\n\
         #ifndef NETWORK_H\n#define NETWORK_H\n\n\
         /* Bytes of the network. */\n#define NETWORK_BYTES {}u\n\n\
         /* Bytes of memory that are enough for it on every machine; r2s_memory_bytes says\n \
         * how many this one needs. */\n#define NETWORK_MEMORY_BYTES {}u\n\n\
         extern const unsigned char NETWORK[NETWORK_BYTES];\n\n#endif\n",
        deployed.checksum(),
        deployed.length(),
        memory.next_multiple_of(8),
    )
}

fn array(bytes: &[u8]) -> String {
    let mut text = format!(
        "{MARK}the bytes of an .snn file. */\n#include \"network.h\"\n\n\
         const unsigned char NETWORK[NETWORK_BYTES] = {{\n"
    );
    for line in bytes.chunks(LINE) {
        text.push_str("   ");
        for byte in line {
            write!(text, " 0x{byte:02x},").expect("a String takes text");
        }
        text.push('\n');
    }
    text.push_str("};\n");
    text
}

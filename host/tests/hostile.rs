//! Changed MAT-files and NIR graphs cause no panic, and the memory for them is limited by
//! the size of the file.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use rate2spike::convert::one_to_one;
use rate2spike::export::nir::{Profile, graph};
use rate2spike::formats::mat::{Fault, MatError, MatFile, Value};
use rate2spike::formats::nir::read::ReadGraph;
use rate2spike::formats::rate_model;
use rate2spike::import;
use rate2spike::rate::network::RateNetwork;
use rate2spike::rate::options::RateOptions;
use rate2spike::spiking::neuron::Neuron;
use rate2spike::task::Task;

/// An allocator that counts the bytes that a thread has allocated.
struct Counting;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    // A thread that is ending no longer has a counter.
    let _ = LIVE.try_with(|live| {
        live.set(live.get() + bytes);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(live.get())));
    });
}

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The result of `work`, and the largest number of bytes that it had allocated at once.
fn measured<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = LIVE.get();
    PEAK.set(before);
    let result = work();
    (result, (PEAK.get() - before) as usize)
}

/// Most bytes of memory for a byte of the inflated file. A byte that stands for a double
/// takes nine bytes; a variable of one value takes some more.
const MEMORY_A_BYTE: usize = 16;

/// Bytes of memory for errors and for zlib's tables.
const MEMORY_ALWAYS: usize = 128 << 10;

/// Reads the bytes as a model, and writes what could be read; true if they are a MAT-file.
fn survives(bytes: &[u8], inflated: usize, what: &str) -> bool {
    let (read, peak) = measured(|| MatFile::from_bytes(bytes));
    let most = MEMORY_ALWAYS + MEMORY_A_BYTE * inflated;
    assert!(peak <= most, "{what}: {peak} bytes of memory, not {most}");
    let Ok(file) = read else {
        return false;
    };
    let (_, peak) = measured(|| rate_model::network(Path::new("a file"), &file));
    assert!(peak <= most, "{what}: {peak} bytes for the network");
    let _ = file.to_bytes();
    true
}

fn fixture(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures");
    std::fs::read(folder.join(name)).expect("a fixture")
}

/// A small model with the variables of a real one.
fn model() -> MatFile {
    let units = 3;
    let square = |value: f32| Value::matrix(units, units, vec![value; units * units]);
    let mut file = MatFile::new();
    let mut m = vec![0.0; units * units];
    m.iter_mut().step_by(units + 1).for_each(|x| *x = 1.0);
    file.insert("N", Value::scalar(units as i64));
    file.insert("w", square(0.5));
    file.insert("w_in", Value::matrix(units, 1, vec![0.25; units]));
    file.insert("taus", Value::row(vec![4.0, 20.0]));
    file.insert("b_out", Value::scalar(0.0));
    file.insert("m", Value::matrix(units, units, m));
    file.insert("som_N", Value::scalar(0_i64));
    file.insert("activation", Value::text("sigmoid"));
    file.insert("som_m", square(1.0));
    file.insert("w_out", Value::matrix(1, units, vec![0.1; units]));
    file.insert("taus_gaus", Value::matrix(units, 1, vec![0.0; units]));
    file
}

/// Random numbers that are the same in each run.
fn random() -> impl FnMut(usize) -> usize {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    move |most| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) as usize % most
    }
}

#[test]
fn every_flipped_bit_and_every_cut_of_a_model_is_survived() {
    let model = model();
    assert!(rate_model::network(Path::new("a file"), &model).is_ok());
    let plain = model.to_bytes().expect("writable");
    let packed = model.to_compressed_bytes().expect("writable");
    for mut bytes in [plain.clone(), packed] {
        for bit in 0..8 * bytes.len() {
            bytes[bit / 8] ^= 1 << (bit % 8);
            survives(&bytes, plain.len() + bytes.len(), &format!("bit {bit}"));
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        for length in 0..bytes.len() {
            survives(&bytes[..length], plain.len() + bytes.len(), "cut");
        }
    }
}

#[test]
fn pieces_of_real_files_put_together_are_survived() {
    let sources = [
        fixture("gradients/grad_gonogo_go.mat"),
        fixture("gradients/grad_gonogo_nogo.mat"),
        model().to_bytes().expect("writable"),
        model().to_compressed_bytes().expect("writable"),
    ];
    let mut random = random();
    let mut taken = 0;
    for round in 0..3000 {
        let mut bytes = sources[random(4)].clone();
        for _ in 0..=random(3) {
            let other = &sources[random(4)];
            let (from, length) = (random(other.len()), random(2048));
            let piece = &other[from..other.len().min(from + length)];
            let at = random(bytes.len());
            let end = bytes.len().min(at + random(2048));
            bytes.splice(at..end, piece.iter().copied());
        }
        // A piece may inflate to more bytes than its source had.
        taken += usize::from(survives(
            &bytes,
            64 * bytes.len(),
            &format!("round {round}"),
        ));
    }
    assert!(taken > 0, "none could be read");
}

/// A file with one compressed array of class double: `count` zeros of one byte each.
fn zeros(count: usize) -> Vec<u8> {
    let word = |value: u32| value.to_le_bytes();
    let mut array: Vec<u8> = [14, 48 + count as u32, 6, 8, 6, 0, 5, 8, 1, count as u32]
        .into_iter()
        .flat_map(word)
        .collect();
    array.extend(
        [
            word(0x0001_0001),
            [b'z', 0, 0, 0],
            word(2),
            word(count as u32),
        ]
        .concat(),
    );
    array.resize(array.len() + count, 0);
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(&array).expect("in memory");
    let compressed = zlib.finish().expect("in memory");
    let mut bytes = MatFile::new().to_bytes().expect("writable");
    bytes.extend([word(15), word(compressed.len() as u32)].concat());
    bytes.extend(compressed);
    bytes
}

#[test]
fn a_small_file_that_inflates_to_a_large_one_is_refused_in_time() {
    let small = zeros(1 << 20);
    let read = MatFile::from_bytes(&small).expect("a million zeros are few");
    assert_eq!(read.matrix("z").map(|(_, columns, _)| columns), Ok(1 << 20));

    let large = zeros(200 << 20);
    assert!(large.len() < 2 << 20, "{} bytes", large.len());
    let (read, peak) = measured(|| MatFile::from_bytes(&large));
    let Err(MatError::Element {
        fault: fault @ Fault::Inflated { .. },
        ..
    }) = read
    else {
        panic!("{:?}", read.map(|_| "taken"));
    };
    assert!(fault.to_string().contains("-v6"), "{fault}");
    // The limit is 64 MiB and 64 times the file, in a vector that grows by doubling.
    let most = 3 * ((64 << 20) + 64 * large.len());
    assert!(peak < most, "{peak} bytes of memory");
}

#[test]
fn arrays_that_inflate_to_too_much_together_are_refused() {
    let one = zeros(20 << 20);
    let mut bytes = one.clone();
    for _ in 0..9 {
        bytes.extend(&one[128..]);
    }
    let allowance = (64 << 20) + 64 * bytes.len();
    assert!(10 * (20 << 20) > allowance);
    assert!(matches!(
        MatFile::from_bytes(&bytes),
        Err(MatError::Element {
            fault: Fault::Inflated { .. },
            ..
        })
    ));
}

/// A small network as a NIR graph.
fn nir(profile: Profile) -> Vec<u8> {
    let rate = RateNetwork::start(&RateOptions::published(Task::go_nogo(), 4));
    let network = one_to_one(&rate, 50.0, Neuron::LIF).expect("a network");
    let graph = graph(&network, profile).expect("a graph");
    graph.to_bytes().expect("writable")
}

/// Reads the bytes as a graph, and makes a network of it; true if that succeeds.
fn graph_survives(bytes: &[u8], what: &str) -> bool {
    let unsaid = import::nir::Unsaid {
        refractory_ms: 2.0,
        noise_mv: 0.0,
        start_mv: -65.0,
        synapse_ms: None,
    };
    // The HDF5 reader keeps the file and a cache of one MiB for each data set.
    let most = (8 << 20) + 64 * bytes.len();
    let (read, peak) = measured(|| {
        let graph = ReadGraph::from_bytes(bytes).ok()?;
        import::nir::network(&graph, &unsaid).ok()
    });
    assert!(peak <= most, "{what}: {peak} bytes of memory, not {most}");
    read.is_some()
}

#[test]
fn every_changed_byte_and_every_cut_of_a_graph_is_survived() {
    let mut taken = 0;
    for profile in [Profile::Exact, Profile::Cuba] {
        let mut bytes = nir(profile);
        assert!(graph_survives(&bytes, "unchanged"));
        for at in 0..bytes.len() {
            for mask in [0x01, 0xff] {
                bytes[at] ^= mask;
                let survived = graph_survives(&bytes, &format!("byte {at}, {mask:02x}"));
                taken += usize::from(survived);
                bytes[at] ^= mask;
            }
        }
        for length in 0..bytes.len() {
            graph_survives(&bytes[..length], "cut");
        }
    }
    // A graph whose numbers have changed is still a graph.
    assert!(taken > 50, "{taken}");
}

#[test]
fn pieces_of_graphs_put_together_are_survived() {
    let sources = [nir(Profile::Exact), nir(Profile::Cuba)];
    let mut random = random();
    for round in 0..1000 {
        let mut bytes = sources[random(2)].clone();
        for _ in 0..=random(3) {
            let other = &sources[random(2)];
            let (from, length) = (random(other.len()), random(256));
            let piece = &other[from..other.len().min(from + length)];
            let at = random(bytes.len());
            let end = bytes.len().min(at + piece.len());
            bytes.splice(at..end, piece.iter().copied());
        }
        graph_survives(&bytes, &format!("round {round}"));
    }
}

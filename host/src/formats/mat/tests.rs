//! Claims about files as a whole.

use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::format::{COMPLEX, HEADER_BYTES, LOGICAL, SUBSYSTEM_AT, VERSION_AT, data_type};
use super::*;

const DOUBLE: u8 = 6;

/// A file of one array `a`, built by hand.
struct Crafted {
    big_endian: bool,
    class: u8,
    flags: u8,
    dims: Vec<i32>,
    stored_as: u32,
    data: Vec<u8>,
    name: &'static str,
}

impl Crafted {
    fn new(class: u8, dims: &[i32], stored_as: u32, data: &[u8]) -> Self {
        Self {
            big_endian: false,
            class,
            flags: 0,
            dims: dims.to_vec(),
            stored_as,
            data: data.to_vec(),
            name: "a",
        }
    }

    fn word(&self, word: u32) -> [u8; 4] {
        match self.big_endian {
            true => word.to_be_bytes(),
            false => word.to_le_bytes(),
        }
    }

    /// Never a small one, so that both forms are covered.
    fn element(&self, data_type: u32, data: &[u8]) -> Vec<u8> {
        let length = self.word(data.len() as u32);
        let mut bytes = [&self.word(data_type), &length, data].concat();
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    /// The array with its tag.
    fn array(&self) -> Vec<u8> {
        let word = u32::from(self.class) | u32::from(self.flags) << 8;
        let flags = [self.word(word), [0; 4]].concat();
        let dims: Vec<u8> = self
            .dims
            .iter()
            .flat_map(|&d| self.word(d as u32))
            .collect();
        let parts = [
            self.element(data_type::UINT32, &flags),
            self.element(data_type::INT32, &dims),
            self.element(data_type::INT8, self.name.as_bytes()),
            self.element(self.stored_as, &self.data),
        ];
        self.element(data_type::MATRIX, &parts.concat())
    }

    fn header(&self) -> Vec<u8> {
        let mut header = vec![b' '; SUBSYSTEM_AT];
        header.resize(VERSION_AT, 0);
        header.extend(match self.big_endian {
            true => b"\x01\x00MI",
            false => b"\x00\x01IM",
        });
        header
    }

    fn bytes(&self) -> Vec<u8> {
        [self.header(), self.array()].concat()
    }

    /// With the given bytes inside a compressed element.
    fn compressed(&self, inside: &[u8]) -> Vec<u8> {
        let mut stream = ZlibEncoder::new(Vec::new(), Compression::default());
        stream.write_all(inside).expect("memory");
        let inside = stream.finish().expect("memory");
        let length = self.word(inside.len() as u32);
        let tag = [self.word(data_type::COMPRESSED), length].concat();
        [self.header(), tag, inside].concat()
    }

    fn read(&self) -> MatFile {
        MatFile::from_bytes(&self.bytes()).expect("a readable file")
    }
}

fn fault(bytes: &[u8]) -> Fault {
    match MatFile::from_bytes(bytes) {
        Err(MatError::Element { fault, .. }) => fault,
        other => panic!("an element should be at fault, not {other:?}"),
    }
}

/// One variable of each class, at its limits, and of odd shapes.
fn one_of_each() -> MatFile {
    let odd_nan = f64::from_bits(0x7ff8_0000_dead_beef);
    let mut file = MatFile::new();
    let doubles = vec![0.1, -0.0, f64::INFINITY, f64::MIN_POSITIVE, odd_nan, 1e300];
    file.insert("double", Value::matrix(2, 3, doubles));
    file.insert("single", Value::column(vec![0.1_f32, f32::MAX, -1.5]));
    file.insert("int8", Value::row(vec![i8::MIN, 0, i8::MAX]));
    file.insert("uint8", Value::row(vec![0_u8, 1, 2, 3, u8::MAX]));
    file.insert("int16", Value::scalar(i16::MIN));
    file.insert("uint16", Value::scalar(u16::MAX));
    file.insert("int32", Value::row(vec![i32::MIN, i32::MAX]));
    file.insert("uint32", Value::scalar(u32::MAX));
    file.insert("int64", Value::row(vec![i64::MIN, i64::MAX]));
    file.insert("uint64", Value::scalar(u64::MAX));
    file.insert("logical", Value::column(vec![true, false, true]));
    file.insert("text", Value::text("sigmoid"));
    file.insert("unicode", Value::text("τ = 20 ms 🧠"));
    file.insert("no_text", Value::text(""));
    file.insert("none", Value::matrix(0, 3, Vec::<f64>::new()));
    let cube = Array::new(vec![2, 1, 3], vec![1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0].into());
    file.insert("cube", Value::Array(cube.expect("2 × 1 × 3")));
    file
}

#[test]
fn every_class_comes_back_to_the_bit() {
    let file = one_of_each();
    let plain = file.to_bytes().expect("writable");
    let compressed = file.to_compressed_bytes().expect("writable");
    for bytes in [&plain, &compressed] {
        let read = MatFile::from_bytes(bytes).expect("readable");
        // The odd NaN differs from itself as a number: compare its bytes.
        assert_eq!(read.to_bytes().expect("writable"), plain);
        for ((name, value), (wanted_name, wanted)) in read.variables().zip(file.variables()) {
            assert_eq!(name, wanted_name);
            assert!(name == "double" || value == wanted, "{name}");
        }
    }
    assert!(compressed.len() < plain.len());
}

#[test]
fn storage_may_be_narrower_than_the_class() {
    let classes = [6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
    for class in classes {
        let file = Crafted::new(class, &[1, 3], data_type::UINT8, &[1, 2, 100]).read();
        assert_eq!(file.vector("a"), Ok(vec![1.0, 2.0, 100.0]));
        let rewritten = MatFile::from_bytes(&file.to_bytes().expect("writable"));
        assert_eq!(rewritten, Ok(file));
    }
}

#[test]
fn a_value_outside_its_class_is_refused() {
    let class = Class::Int8;
    let wide = Crafted::new(8, &[1, 1], data_type::INT16, &300_i16.to_le_bytes());
    assert_eq!(fault(&wide.bytes()), Fault::Range { class });
    let fraction = Crafted::new(8, &[1, 1], data_type::DOUBLE, &0.5_f64.to_le_bytes());
    assert_eq!(fault(&fraction.bytes()), Fault::Range { class });
}

#[test]
fn the_byte_order_is_that_of_the_header() {
    let data: Vec<u8> = [1.5_f64, -2.0].map(f64::to_be_bytes).concat();
    let mut crafted = Crafted::new(DOUBLE, &[2, 1], data_type::DOUBLE, &data);
    crafted.big_endian = true;
    let plain = crafted.read();
    assert_eq!(plain.matrix("a"), Ok((2, 1, vec![1.5, -2.0])));
    let compressed = crafted.compressed(&crafted.array());
    assert_eq!(MatFile::from_bytes(&compressed), Ok(plain));
}

#[test]
fn a_logical_flag_makes_truth_values_of_any_number() {
    let mut crafted = Crafted::new(DOUBLE, &[1, 3], data_type::UINT8, &[0, 1, 2]);
    crafted.flags = LOGICAL;
    let file = crafted.read();
    let wanted = Value::row(vec![false, true, true]);
    assert_eq!(file.get("a"), Ok(&wanted));
}

#[test]
fn text_is_read_in_every_encoding() {
    let encode = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let wide: Vec<u8> = "τ🧠"
        .chars()
        .flat_map(|c| u32::from(c).to_le_bytes())
        .collect();
    let utf16: Vec<u8> = encode("τ🧠");
    let cases = [
        // MATLAB counts three units of UTF-16, SciPy two code points.
        (data_type::UTF8, 3, "τ🧠".as_bytes(), "τ🧠"),
        (data_type::UTF8, 2, "τ🧠".as_bytes(), "τ🧠"),
        (data_type::UTF16, 3, &utf16, "τ🧠"),
        (data_type::UINT16, 3, &utf16, "τ🧠"),
        (data_type::UTF32, 2, &wide, "τ🧠"),
        (data_type::UINT8, 4, b"relu", "relu"),
        (data_type::INT8, 4, b"relu", "relu"),
    ];
    for (stored_as, length, data, wanted) in cases {
        let file = Crafted::new(4, &[1, length], stored_as, data).read();
        assert_eq!(file.text("a").as_deref(), Ok(wanted), "type {stored_as}");
    }
}

#[test]
fn a_text_that_is_no_unicode_is_carried_along_and_written_back_byte_for_byte() {
    let torn = b"a\xcfb\x84 c";
    let negative = [-1_i16, 65].map(i16::to_le_bytes).concat();
    let cases: [(&[i32], u32, &[u8]); 5] = [
        (&[1, 1], data_type::UTF8, b"\xff"),
        // Octave writes char('ab', 'τc') so: byte by byte, column by column.
        (&[2, 3], data_type::UTF8, torn),
        (&[1, 5], data_type::UTF8, b"abc"),
        (&[1, 1], data_type::UTF32, &[0, 0xd8, 0, 0]),
        (&[1, 2], data_type::INT16, &negative),
    ];
    for (dims, stored_as, data) in cases {
        let crafted = Crafted::new(4, dims, stored_as, data);
        let mut file = crafted.read();
        let (name, kind) = ("a".to_string(), UnsupportedKind::Text);
        assert_eq!(file.text("a"), Err(MatError::Unsupported { name, kind }));
        file.insert("n", Value::scalar(1.0));
        let bytes = file.to_bytes().expect("writable");
        let stored = crafted.element(stored_as, data);
        let kept = bytes.windows(stored.len()).any(|part| part == stored);
        assert!(kept, "{dims:?} of type {stored_as}");
        assert_eq!(MatFile::from_bytes(&bytes), Ok(file));
    }
}

#[test]
fn a_name_that_the_format_does_not_hold_is_read_and_known_not_to_be_writable() {
    let mut crafted = Crafted::new(DOUBLE, &[1, 1], data_type::DOUBLE, &[0; 8]);
    for name in [
        "gewicht_\u{e4}",
        "a_name_that_is_longer_than_the_63_characters_that_matlab_takes_for_one",
    ] {
        crafted.name = name;
        let file = crafted.read();
        assert_eq!(file.scalar(name), Ok(0.0));
        let refusal = MatError::Name { name: name.into() };
        assert_eq!(file.check_writable(), Err(refusal));
    }
    crafted.name = "a";
    assert_eq!(crafted.read().check_writable(), Ok(()));
}

#[test]
fn what_is_not_understood_is_carried_along_and_can_be_renamed() {
    let data = [1.0_f64, 2.0].map(f64::to_le_bytes).concat();
    let mut crafted = Crafted::new(DOUBLE, &[1, 2], data_type::DOUBLE, &data);
    crafted.flags = COMPLEX;
    for (class, kind) in [
        (DOUBLE, UnsupportedKind::Complex),
        (1, UnsupportedKind::Cell),
        (2, UnsupportedKind::Struct),
        (5, UnsupportedKind::Sparse),
        (16, UnsupportedKind::Function),
        (99, UnsupportedKind::Unknown(99)),
    ] {
        crafted.class = class;
        let mut file = crafted.read();
        let name = "a".to_string();
        assert_eq!(file.scalar("a"), Err(MatError::Unsupported { name, kind }));

        let value = file.get("a").expect("it is there").clone();
        file.insert("n", Value::scalar(200_i64));
        file.insert("longer_name", value.clone());
        let bytes = file.to_bytes().expect("writable");
        assert_eq!(MatFile::from_bytes(&bytes).as_ref(), Ok(&file));
        // Unchanged except for its name, which the writer stores as a small one.
        let Value::Unsupported(unsupported) = value else {
            panic!("class {class}");
        };
        assert_eq!(unsupported.head, crafted.array()[8..40]);
        assert_eq!(unsupported.tail, crafted.array()[56..]);
    }
}

#[test]
fn what_is_not_understood_stays_in_its_byte_order() {
    let mut crafted = Crafted::new(1, &[1, 0], data_type::MATRIX, &[]);
    crafted.big_endian = true;
    let file = crafted.read();
    let (name, kind) = ("a".into(), UnsupportedKind::Cell);
    assert_eq!(file.to_bytes(), Err(MatError::BigEndian { name, kind }));
}

#[test]
fn the_header_points_at_the_array_without_a_name() {
    let mut crafted = Crafted::new(9, &[1, 3], data_type::UINT8, &[1, 2, 3]);
    crafted.name = "";
    let mut file = crafted.read();
    assert_eq!(file.variables().count(), 0);
    file.insert("n", Value::scalar(1.0));
    let bytes = file.to_bytes().expect("writable");
    let offset = bytes[SUBSYSTEM_AT..VERSION_AT]
        .first_chunk()
        .expect("8 bytes");
    let offset = u64::from_le_bytes(*offset) as usize;
    assert_eq!(bytes[offset..], crafted.array());
}

#[test]
fn a_variable_is_replaced_in_its_place_and_the_later_of_two_counts() {
    let mut file = MatFile::new();
    for (name, value) in [("a", 1.0), ("b", 2.0), ("a", 3.0)] {
        file.insert(name, Value::scalar(value));
    }
    let names: Vec<&str> = file.variables().map(|(name, _)| name).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(file.scalar("a"), Ok(3.0));

    let mut bytes = file.to_bytes().expect("writable");
    file.insert("a", Value::scalar(4.0));
    bytes.extend(&file.to_bytes().expect("writable")[HEADER_BYTES..]);
    let doubled = MatFile::from_bytes(&bytes).expect("readable");
    assert_eq!(doubled.scalar("a"), Ok(4.0));
    assert_eq!(doubled.variables().count(), 4);
}

#[test]
fn what_is_asked_for_must_have_the_class_and_the_shape() {
    let file = one_of_each();
    assert!(matches!(file.scalar("w"), Err(MatError::Missing { name }) if name == "w"));
    assert!(matches!(file.matrix("text"), Err(MatError::Class { .. })));
    assert!(matches!(file.text("double"), Err(MatError::Class { .. })));
    assert!(matches!(file.scalar("double"), Err(MatError::Shape { .. })));
    assert!(matches!(file.vector("double"), Err(MatError::Shape { .. })));
    let error = file.matrix("cube").expect_err("three dimensions");
    assert_eq!(
        error.to_string(),
        "variable `cube` is 2 × 1 × 3, not a matrix"
    );
    assert_eq!(file.vector("logical"), Ok(vec![1.0, 0.0, 1.0]));
    assert_eq!(file.scalar("uint16"), Ok(65535.0));
    assert_eq!(file.vector("none"), Ok(vec![]));
    assert_eq!(file.text("no_text"), Ok(String::new()));
}

#[test]
fn a_name_must_fit() {
    for name in ["", "τ", &"n".repeat(64)] {
        let mut file = MatFile::new();
        file.insert(name, Value::scalar(1.0));
        assert_eq!(file.to_bytes(), Err(MatError::Name { name: name.into() }));
    }
}

#[test]
fn other_levels_are_refused_with_a_way_out() {
    let mut hdf5 = MatFile::new().to_bytes().expect("writable");
    hdf5[VERSION_AT..HEADER_BYTES].copy_from_slice(b"\x00\x02IM");
    let mut turned = MatFile::new().to_bytes().expect("writable");
    turned[HEADER_BYTES - 2..HEADER_BYTES].reverse();
    let fault = MatFile::from_bytes(&turned).expect_err("another byte order");
    assert_eq!(fault, MatError::Header(*b"\x00\x01MI"));
    let level_4 = [0_u32, 1, 1, 0, 2].map(u32::to_le_bytes).concat();
    let big_level_4 = [1010_u32, 1, 1, 0, 2].map(u32::to_be_bytes).concat();
    let refusals: [(&[u8], MatError); 9] = [
        (&hdf5, MatError::Level73),
        (b"\x89HDF\r\n\x1a\n", MatError::Kind("an HDF5 file")),
        (&level_4, MatError::Level4),
        (&big_level_4, MatError::Level4),
        (b"# Created by Octave 7.3.0", MatError::Kind("a text")),
        (b"", MatError::Kind("an empty file")),
        (
            b"\x1f\x8b\x08\0\0\0\0\0",
            MatError::Kind("a file compressed by gzip"),
        ),
        (
            b"PK\x03\x04\x14\0\0\0\0\0",
            MatError::Kind("a zip archive (NumPy's .npz, for instance)"),
        ),
        (b"\x80\x04N.", MatError::Kind("a Python pickle")),
    ];
    for (bytes, wanted) in refusals {
        assert!(wanted.to_string().contains("save(file, '-v7')"));
        assert_eq!(MatFile::from_bytes(bytes), Err(wanted));
    }
    // Neither MATLAB nor Octave writes these.
    for (bytes, kind, way) in [
        (&b"{\"N\": 200}"[..], "JSON", "the model beside it"),
        (b"UF2\n\0\0\0\0", "a UF2 image", "train"),
    ] {
        let fault = MatError::Kind(kind);
        let said = fault.to_string();
        assert!(said.contains(way) && !said.contains("MATLAB"), "{said}");
        assert_eq!(MatFile::from_bytes(bytes), Err(fault));
    }
    let deployed = MatFile::from_bytes(b"R2SN\x02\0\0\0");
    assert_eq!(deployed, Err(MatError::Deployed));
}

#[test]
fn a_file_cut_anywhere_but_between_elements_is_refused() {
    let file = one_of_each();
    let packings = [file.to_bytes(), file.to_compressed_bytes()].map(|b| b.expect("writable"));
    for bytes in packings {
        let mut boundaries = vec![HEADER_BYTES];
        while let Some(length) = bytes[boundaries[boundaries.len() - 1]..].get(4..8) {
            let length = u32::from_le_bytes(*length.first_chunk().expect("4 bytes"));
            boundaries.push(boundaries[boundaries.len() - 1] + 8 + length as usize);
        }
        for cut in 0..=bytes.len() {
            let read = MatFile::from_bytes(&bytes[..cut]);
            match boundaries.iter().position(|&b| b == cut) {
                Some(whole) => assert_eq!(read.map(|f| f.variables().count()), Ok(whole)),
                None => assert!(read.is_err(), "cut at {cut}"),
            }
        }
    }
}

#[test]
fn no_changed_byte_makes_it_panic() {
    let mut cell = Crafted::new(1, &[1, 0], data_type::MATRIX, &[]);
    cell.name = "cell";
    let mut file = cell.read();
    file.insert("w", Value::matrix(2, 2, vec![0.5, -0.5, 1.0, 0.0]));
    file.insert("exc", Value::row(vec![true, false, true]));
    file.insert("act", Value::text("relu 🧠"));
    let packings = [file.to_bytes(), file.to_compressed_bytes()].map(|b| b.expect("writable"));
    for mut bytes in packings {
        for at in 0..bytes.len() {
            let right = bytes[at];
            let flipped = (0..8).map(|bit| right ^ 1 << bit);
            for wrong in flipped.chain([0, u8::MAX]) {
                bytes[at] = wrong;
                if let Ok(read) = MatFile::from_bytes(&bytes) {
                    let _ = read.to_bytes();
                }
            }
            bytes[at] = right;
        }
    }
}

#[test]
fn a_damaged_element_is_named_with_its_place() {
    let crafted = Crafted::new(DOUBLE, &[2, 3], data_type::DOUBLE, &[0; 40]);
    let error = MatFile::from_bytes(&crafted.bytes()).expect_err("one too few");
    assert_eq!(
        error.to_string(),
        "the element at byte 128 (`a`) cannot be read: its dimensions are 2 × 3, \
         and 5 elements follow"
    );
}

#[test]
fn nothing_is_reserved_on_the_word_of_a_size() {
    let huge = 1 << 30;
    let dims = [1 << 20, 1 << 20];
    let by_dims = Crafted::new(DOUBLE, &dims, data_type::DOUBLE, &[0; 8]);
    assert!(matches!(
        fault(&by_dims.bytes()),
        Fault::Length { elements: 1, .. }
    ));
    let beyond_usize = Crafted::new(DOUBLE, &[huge; 4], data_type::DOUBLE, &[0; 8]);
    assert!(matches!(fault(&beyond_usize.bytes()), Fault::Length { .. }));
    let negative = Crafted::new(DOUBLE, &[-1, -1], data_type::DOUBLE, &[0; 8]);
    assert_eq!(fault(&negative.bytes()), Fault::Dimensions);

    let mut by_tag = by_dims.bytes();
    by_tag[HEADER_BYTES + 4..][..4].copy_from_slice(&[0xff; 4]);
    assert!(matches!(fault(&by_tag), Fault::Truncated { at: 8, .. }));
    let mut inside = by_dims.array();
    inside[4..8].copy_from_slice(&[0xff; 4]);
    assert_eq!(fault(&by_dims.compressed(&inside)), Fault::Inflate);
}

#[test]
fn a_stream_is_inflated_no_further_than_it_declares() {
    let crafted = Crafted::new(DOUBLE, &[1, 1], data_type::DOUBLE, &[0; 8]);
    let mut inside = crafted.array();
    let declared = inside.len() - 8;
    inside.resize(64 << 20, 0);
    assert_eq!(
        fault(&crafted.compressed(&inside)),
        Fault::Surplus { declared }
    );
}

#[test]
fn a_stream_may_lack_the_padding_that_it_declares() {
    let crafted = Crafted::new(4, &[2, 2], data_type::UTF8, b"acbd");
    let mut inside = crafted.array();
    inside[4] += 4;
    let file = MatFile::from_bytes(&crafted.compressed(&inside)).expect("readable");
    assert_eq!(file.array("a").map(Array::dims), Ok(&[2, 2][..]));
    inside[4] += 4;
    assert_eq!(fault(&crafted.compressed(&inside)), Fault::Inflate);
}

/// Reads what the published code saved; the folder's README says how each file
/// was made.
#[test]
fn the_files_of_the_published_code_are_read() {
    let folder = std::env::var_os("RATE2SPIKE_FIXTURES").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures"),
        PathBuf::from,
    );
    let mut models = 0;
    for kind in ["models", "traces", "gradients"] {
        let entries = std::fs::read_dir(folder.join(kind)).expect("the folder of fixtures");
        for entry in entries {
            let path = entry.expect("a readable folder").path();
            let bytes = std::fs::read(&path).expect("a readable file");
            let file = MatFile::from_bytes(&bytes).unwrap_or_else(|e| panic!("{path:?}: {e}"));
            comes_back(&file);
            if kind == "models" {
                is_the_trained_model(&file);
                models += 1;
            }
        }
    }
    assert!(models > 0);
}

fn comes_back(file: &MatFile) {
    for bytes in [file.to_bytes(), file.to_compressed_bytes()] {
        let read = MatFile::from_bytes(&bytes.expect("writable")).expect("readable");
        assert_eq!(read.to_bytes(), file.to_bytes());
    }
}

fn is_the_trained_model(file: &MatFile) {
    assert_eq!(file.variables().next().map(|(name, _)| name), Some("x0"));
    assert_eq!(file.scalar("N"), Ok(200.0));
    assert_eq!(file.text("activation").as_deref(), Ok("sigmoid"));
    assert_eq!(file.vector("taus"), Ok(vec![4.0, 20.0]));
    assert_eq!(file.array("exc").map(Array::class), Ok(Class::Logical));
    assert_eq!(file.array("w").map(Array::class), Ok(Class::Single));
    assert_eq!(file.array("x").map(Array::dims), Ok(&[200, 200, 1][..]));
    // m is diagonal: −1 for the inhibitory units, +1 for the others.
    let (rows, columns, m) = file.matrix("m").expect("m");
    let inhibitory = file.vector("inh").expect("inh");
    assert_eq!((rows, columns), (200, 200));
    for (k, &value) in m.iter().enumerate() {
        let (i, j) = (k % rows, k / rows);
        let wanted = match (i == j, inhibitory[i] == 1.0) {
            (false, _) => 0.0,
            (true, inhibitory) => 1.0 - 2.0 * f64::from(inhibitory),
        };
        assert_eq!(value, wanted);
    }
}

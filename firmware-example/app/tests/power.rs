//! A power cut while a network is replaced: whenever it comes, the board starts
//! with a whole network, the old or the new one.

mod desk;

use desk::{Flash, Operation, SLOT, each_answer, line, pieces, replacing, said};
use rate2spike_app::memory::limits;
use rate2spike_app::slots;
use rate2spike_core::blob::Deployed;
use rate2spike_protocol::message::{NetworkFault, Refusal};
use rate2spike_protocol::record::{self, Record};
use rate2spike_protocol::{Answer, Request};

const GO_NOGO: &[u8] = include_bytes!("../../../core/tests/golden/go-nogo.snn");
const XOR: &[u8] = include_bytes!("../../../core/tests/golden/xor.snn");
const MANTE: &[u8] = include_bytes!("../../../core/tests/golden/mante.snn");

fn checksum(network: &[u8]) -> u32 {
    let network = Deployed::read(network).expect("a frozen network");
    network.checksum()
}

/// What a board with this flash would run.
fn held(bytes: &[u8]) -> Result<u32, NetworkFault> {
    let limits = limits::<256>(record::room(SLOT));
    slots::held(bytes, SLOT, &limits).map(|network| network.checksum())
}

/// What it says that it holds, after these requests; and refusals.
fn asked(
    flash: &mut Flash,
    requests: &[Request],
) -> (Vec<Result<u32, NetworkFault>>, Vec<Refusal>) {
    let (mut networks, mut refusals) = (Vec::new(), Vec::new());
    each_answer(&said(flash, line(requests)), |answer| match answer {
        Answer::Identity(identity) => {
            networks.push(identity.network.map(|holding| holding.checksum));
        }
        Answer::Refused(refusal) => refusals.push(refusal),
        _ => {}
    });
    (networks, refusals)
}

/// Replaces the network over the line, if the power lasts.
fn replace(flash: &mut Flash, network: &[u8]) -> Vec<Result<u32, NetworkFault>> {
    let pieces = pieces(network);
    asked(flash, &replacing(network.len(), &pieces)).0
}

/// An image with this network arrives: its sectors are erased and written.
fn deploy(flash: &mut Flash, network: &[u8]) {
    let end = network.len().next_multiple_of(flash.sector);
    flash.bytes[..end].fill(0xff);
    flash.bytes[..network.len()].copy_from_slice(network);
}

/// Flash with a history, what it holds, and what else lies in it.
struct Past {
    name: &'static str,
    flash: Flash,
    held: Option<&'static [u8]>,
}

fn pasts(sector: usize) -> Vec<Past> {
    let past = |name, held, steps: &[(bool, &[u8])]| {
        let mut flash = Flash::with(&[]);
        flash.sector = sector;
        for (over_the_line, network) in steps {
            if *over_the_line {
                let told = replace(&mut flash, network);
                assert_eq!(told, [Ok(checksum(network))], "{name}");
            } else {
                deploy(&mut flash, network);
            }
        }
        Past { name, flash, held }
    };
    let (image, line) = (false, true);
    vec![
        past("erased", None, &[]),
        past("an image", Some(GO_NOGO), &[(image, GO_NOGO)]),
        past(
            "the first slot is old",
            Some(GO_NOGO),
            &[(image, MANTE), (line, GO_NOGO)],
        ),
        past(
            "the second slot is old",
            Some(GO_NOGO),
            &[(image, XOR), (line, MANTE), (line, GO_NOGO)],
        ),
        past(
            "an image over a first slot that was old",
            Some(GO_NOGO),
            &[(image, XOR), (line, MANTE), (image, GO_NOGO)],
        ),
        past(
            "an image over a first slot that was new",
            Some(GO_NOGO),
            &[(line, XOR), (line, MANTE), (line, MANTE), (image, GO_NOGO)],
        ),
    ]
}

/// Random bytes; the same ones each time.
fn random() -> impl FnMut() -> u8 {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    }
}

/// What may be there after an operation whose power was cut: some of its bits,
/// or a sector's end that was erased before its beginning.
fn in_part(bytes: &[u8], operation: Operation, random: &mut impl FnMut() -> u8) -> Vec<Vec<u8>> {
    let mut scattered = bytes.to_vec();
    match operation {
        Operation::Program(at, value) => {
            scattered[at] &= value | random();
            vec![scattered]
        }
        Operation::Erase(at, sector) => {
            let end = at + sector;
            scattered[at..end]
                .iter_mut()
                .for_each(|byte| *byte |= random());
            let from = |start: usize| {
                let mut bytes = bytes.to_vec();
                bytes[start..end].fill(0xff);
                bytes
            };
            let starts = (at..end).step_by(128);
            starts.map(from).chain([scattered]).collect()
        }
    }
}

/// Every operation of every history is cut before it, within it and after it.
#[test]
fn a_board_starts_with_the_old_network_or_the_new_one_wherever_the_power_is_cut() {
    let mut random = random();
    // 4,096 bytes: small sectors in a large slot, as on the RP2040. A sector of a
    // whole slot: larger ones than an STM32 has.
    for past in pasts(4096).into_iter().chain(pasts(SLOT)) {
        let (name, mut flash) = (past.name, past.flash);
        let mut bytes = flash.bytes.clone();
        flash.log.clear();
        assert_eq!(replace(&mut flash, XOR), [Ok(checksum(XOR))], "{name}");
        let (old, new) = (past.held.map(checksum), checksum(XOR));
        let mut is_new = false;
        for (count, &operation) in flash.log.iter().enumerate() {
            for bytes in in_part(&bytes, operation, &mut random) {
                let found = held(&bytes).ok();
                assert!(
                    found == old || found == Some(new),
                    "{name}, cut within {count}, {operation:?}: {found:08x?}"
                );
            }
            operation.apply(&mut bytes);
            let found = held(&bytes).ok();
            let wanted = if is_new { Some(new) } else { old };
            assert!(
                found == wanted || found == Some(new),
                "{name}, cut after {count}, {operation:?}: {found:08x?}"
            );
            is_new = found == Some(new);
        }
        assert!(is_new, "{name}");
        assert!(flash.log.len() > XOR.len(), "every byte of {name} is there");
        println!("{name}: {} operations", flash.log.len());
    }
}

/// The same through the protocol: cut, started again, cut again, many times;
/// then without a cut.
#[test]
fn a_replacement_that_was_cut_any_number_of_times_can_be_made_again() {
    let mut random = random();
    let mut pick = |most: usize| {
        let word = u32::from_le_bytes([random(), random(), random(), random()]);
        word as usize % most
    };
    let networks = [GO_NOGO, XOR, MANTE];
    for mut past in pasts(4096) {
        let mut old = past.held;
        let mut cuts = 0;
        for round in 0..60 {
            let new = networks[round % 3];
            for _ in 0..pick(4) {
                // Some cuts lie in the few operations at either end.
                past.flash.left = match pick(3) {
                    0 => pick(30),
                    _ => pick(new.len() + 40),
                };
                let told = replace(&mut past.flash, new);
                past.flash.left = usize::MAX;
                let (found, _) = asked(&mut past.flash, &[Request::Identify]);
                let found = found[0].ok();
                let wanted = [old.map(checksum), Some(checksum(new))];
                assert!(wanted.contains(&found), "{}: {found:08x?}", past.name);
                if found == wanted[1] {
                    old = Some(new);
                }
                cuts += usize::from(told.is_empty());
            }
            let told = replace(&mut past.flash, new);
            assert_eq!(told, [Ok(checksum(new))], "{}", past.name);
            old = Some(new);
        }
        assert!(cuts > 30, "{}: {cuts} cuts", past.name);
    }
}

#[test]
fn an_image_is_newer_than_whatever_came_over_the_line() {
    for mut past in pasts(4096) {
        // The one that is there already, another one, and the first one again.
        for network in [GO_NOGO, XOR, MANTE] {
            replace(&mut past.flash, XOR);
            deploy(&mut past.flash, network);
            assert_eq!(
                held(&past.flash.bytes),
                Ok(checksum(network)),
                "{}",
                past.name
            );
        }
    }
}

#[test]
fn a_transfer_that_stops_leaves_the_old_network() {
    let mut flash = Flash::with(GO_NOGO);
    let pieces = pieces(XOR);
    let requests = replacing(XOR.len(), &pieces);
    for sent in 1..requests.len() - 1 {
        let mut some = requests[..sent].to_vec();
        some.extend([Request::Identify, Request::SelfTest]);
        let (networks, refusals) = asked(&mut flash, &some);
        assert_eq!((networks, refusals), (vec![Ok(checksum(GO_NOGO))], vec![]));
    }
}

#[test]
fn a_damaged_transfer_is_named_and_not_taken() {
    let mut damaged = XOR.to_vec();
    damaged[XOR.len() / 2] ^= 1;
    let mut flash = Flash::with(GO_NOGO);
    let told = replace(&mut flash, &damaged);
    assert!(matches!(told[..], [Err(NetworkFault::Blob(_))]), "{told:?}");
    assert_eq!(held(&flash.bytes), Ok(checksum(GO_NOGO)));
    let (networks, _) = asked(&mut flash, &[Request::Identify]);
    assert_eq!(networks, [Ok(checksum(GO_NOGO))]);
}

/// No record can be written where something else lies: then nothing is erased.
#[test]
fn an_image_that_left_something_behind_its_network_is_kept() {
    let mut flash = Flash::with(GO_NOGO);
    flash.bytes[record::place(GO_NOGO.len())..][..16].fill(0x55);
    let (_, refusals) = asked(&mut flash, &[Request::Erase { bytes: 100 }]);
    assert!(matches!(refusals[..], [Refusal::Flash(_)]), "{refusals:?}");
    assert_eq!(held(&flash.bytes), Ok(checksum(GO_NOGO)));
}

/// Such a record remains if a tool writes an image and does not erase what lay
/// behind it.
#[test]
fn a_record_of_another_network_does_not_count() {
    let mut flash = Flash::with(GO_NOGO);
    replace(&mut flash, XOR);
    let place = record::place(GO_NOGO.len());
    let adopted = held(&flash.bytes);
    assert_eq!(adopted, Ok(checksum(XOR)));
    let record = Record {
        sequence: 1,
        checksum: checksum(MANTE),
    };
    flash.bytes[place..place + 16].copy_from_slice(&record.to_bytes());
    assert_eq!(held(&flash.bytes), Ok(checksum(GO_NOGO)));
}

/// The network lies in both slots, so that there is no room for another one.
#[test]
fn a_network_larger_than_a_slot_runs_and_is_not_replaced_over_the_line() {
    let xor = Deployed::read(XOR).expect("a frozen network");
    // Pulses of the self-test that change nothing.
    let pulses = vec![0; 7 * 5000];
    let mut payload = *xor.payload();
    payload.self_test.pulses = &pulses;
    let mut buffer = vec![0; 2 * SLOT];
    let large = rate2spike_core::blob::write(&payload, &mut buffer).expect("it fits");
    assert!(large.len() > SLOT);
    let mut flash = Flash::with(large);
    assert_eq!(held(&flash.bytes), Ok(checksum(large)));
    let (_, refusals) = asked(&mut flash, &[Request::Erase { bytes: 100 }]);
    assert_eq!(refusals, [Refusal::Large]);
    assert_eq!(held(&flash.bytes), Ok(checksum(large)));
    let bytes = large.len() as u32;
    let mut flash = Flash::with(GO_NOGO);
    let (_, refusals) = asked(&mut flash, &[Request::Erase { bytes }]);
    assert_eq!(refusals, [Refusal::Range]);
}

/// A host can write any record over the line. No record stops a later network from
/// being written and found.
#[test]
fn a_record_that_says_the_highest_number_is_followed_by_the_lowest() {
    let mut flash = Flash::with(GO_NOGO);
    let record = Record {
        sequence: u32::MAX,
        checksum: checksum(GO_NOGO),
    };
    let place = record::place(GO_NOGO.len());
    flash.bytes[place..place + 16].copy_from_slice(&record.to_bytes());
    for network in [XOR, MANTE, GO_NOGO] {
        assert_eq!(replace(&mut flash, network), [Ok(checksum(network))]);
    }
}

/// What the model does is what flash does.
#[test]
fn the_flash_of_the_model_only_clears_bits_until_it_is_erased() {
    let mut bytes = vec![0xff; 8];
    Operation::Program(3, 0x0f).apply(&mut bytes);
    Operation::Program(3, 0xf1).apply(&mut bytes);
    assert_eq!(bytes, [0xff, 0xff, 0xff, 0x01, 0xff, 0xff, 0xff, 0xff]);
    Operation::Erase(0, 8).apply(&mut bytes);
    assert_eq!(bytes, [0xff; 8]);
}

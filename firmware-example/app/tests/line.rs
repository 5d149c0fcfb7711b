//! The firmware on a board that exists in memory only: whatever arrives on the
//! line, it goes on and answers.

mod desk;

use desk::{Flash, each_answer, line, pieces, replacing, said};
use rate2spike_protocol::message::{FlashFault, NetworkFault, Outcome, Refusal, TrialRequest};
use rate2spike_protocol::{Answer, Request};

/// The frozen go-nogo network.
const NETWORK: &[u8] = include_bytes!("../../../core/tests/golden/go-nogo.snn");

/// A trial whose spikes and outputs are not sent.
const TRIAL: TrialRequest = TrialRequest {
    seed: 1,
    index: 0,
    samples: 200,
    label: 0,
    spikes: false,
    output_every: 0,
    live: false,
};

/// Random bytes; one in `zeros` is a zero, which ends a frame.
fn garbage(count: usize, zeros: u64) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..count)
        .map(|_| match random() {
            word if word % zeros == 0 => 0,
            word => (word >> 32) as u8,
        })
        .collect()
}

#[test]
fn a_million_random_bytes_do_no_harm() {
    for network in [NETWORK, &[]] {
        let mut store = Flash::with(network);
        let before = store.bytes.clone();
        // Short frames, and some that are too long.
        for zeros in [16, 1024] {
            let mut bytes = garbage(250_000, zeros);
            bytes.push(0);
            bytes.extend(line(&[Request::Identify]));
            let mut identities = 0;
            each_answer(&said(&mut store, bytes), |answer| {
                identities += usize::from(matches!(answer, Answer::Identity(_)));
            });
            assert_eq!(identities, 1, "it still answers");
        }
        assert!(store.bytes == before, "the flash is as it was");
    }
}

/// Frames with a right check sum around bodies that are none.
#[test]
fn random_bodies_do_no_harm() {
    let mut store = Flash::with(NETWORK);
    let bodies = garbage(40_000, 16);
    let mut bytes = Vec::new();
    for body in bodies.chunks(12) {
        // Any request's number, but not those that take seconds or erase.
        let number = [0, 2, 5, 6, 7, 8][usize::from(body[0]) % 6];
        bytes.extend(framed(&[&[number], &body[1..]].concat()));
    }
    bytes.extend(line(&[Request::Identify]));
    let mut last = false;
    each_answer(&said(&mut store, bytes), |answer| {
        last = matches!(answer, Answer::Identity(_));
    });
    assert!(last, "it still answers");
    assert_eq!(&store.bytes[..NETWORK.len()], NETWORK);
}

/// A frame around `body`, made without the protocol's own code.
fn framed(body: &[u8]) -> Vec<u8> {
    let mut frame = vec![rate2spike_protocol::VERSION];
    frame.extend(body);
    let mut crc = !0u32;
    for byte in &frame {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    frame.extend((!crc).to_le_bytes());
    let mut line = Vec::new();
    for part in frame.split(|&byte| byte == 0) {
        line.push(part.len() as u8 + 1);
        line.extend(part);
    }
    line.push(0);
    line
}

#[test]
fn a_network_is_replaced_over_the_line() {
    let mut store = Flash::with(&[]);
    let pieces = pieces(NETWORK);
    let mut requests = vec![Request::Identify];
    requests.extend(replacing(NETWORK.len(), &pieces));
    requests.push(Request::SelfTest);
    let (mut held, mut passed) = (Vec::new(), false);
    each_answer(&said(&mut store, line(&requests)), |answer| match answer {
        Answer::Identity(identity) => held.push(identity.network.is_ok()),
        Answer::SelfTest(test) => passed = test.wanted == test.found,
        Answer::Refused(refusal) => panic!("{refusal:?}"),
        _ => {}
    });
    assert_eq!(held, [false, true]);
    assert!(passed);
}

#[test]
fn requests_out_of_range_are_refused() {
    let mut store = Flash::with(NETWORK);
    let trial = TrialRequest {
        seed: 1,
        index: 0,
        samples: u32::MAX,
        label: 1,
        spikes: true,
        output_every: 1,
        live: false,
    };
    let requests = [
        Request::Run(TrialRequest {
            samples: 0,
            ..trial
        }),
        // Samples that the trial did not ask for, parts of a sample, and something else.
        Request::Run(trial),
        Request::Load {
            first: 1,
            values: &[0; 4],
        },
        Request::Run(trial),
        Request::Load {
            first: 0,
            values: &[0; 3],
        },
        Request::Run(trial),
        Request::Load {
            first: 0,
            values: &[],
        },
        Request::Run(trial),
        Request::Identify,
        Request::Erase { bytes: u32::MAX },
        Request::Write {
            offset: 0,
            bytes: &[0; 4],
        },
    ];
    let (mut refusals, mut wants) = (Vec::new(), 0);
    each_answer(&said(&mut store, line(&requests)), |answer| match answer {
        Answer::Refused(refusal) => refusals.push(refusal),
        Answer::Want { first: 0 } => wants += 1,
        other => panic!("{other:?}"),
    });
    assert_eq!(wants, 4);
    let mut wanted = vec![Refusal::Input; 5];
    wanted.extend([Refusal::Range, Refusal::Flash(FlashFault::Failed)]);
    assert_eq!(refusals, wanted);
}

#[test]
fn writing_beyond_the_flash_is_refused() {
    let mut store = Flash::with(NETWORK);
    let requests = [
        Request::Erase { bytes: 8 },
        Request::Write {
            offset: 0xfffc,
            bytes: &[0; 8],
        },
        Request::Write {
            offset: u32::MAX - 3,
            bytes: &[0; 8],
        },
        Request::Write {
            offset: 2,
            bytes: &[0; 4],
        },
        Request::SelfTest,
        Request::Identify,
    ];
    let mut refusals = Vec::new();
    each_answer(&said(&mut store, line(&requests)), |answer| {
        if let Answer::Refused(refusal) = answer {
            refusals.push(refusal);
        }
    });
    let mut wanted = vec![Refusal::Range; 3];
    wanted.push(Refusal::NoNetwork(NetworkFault::Erased));
    assert_eq!(refusals, wanted);
}

#[test]
fn a_trial_streams_what_it_hashes() {
    let mut store = Flash::with(NETWORK);
    let trial = TrialRequest {
        seed: 1,
        index: 0,
        samples: 200,
        label: 0,
        spikes: true,
        output_every: 100,
        live: false,
    };
    let (mut spikes, mut outputs) = (Vec::new(), 0);
    let (mut done, mut wants) = (None, Vec::new());
    let load = |first: u32, samples: usize| Request::Load {
        first,
        values: &[0; 192][..2 * samples],
    };
    let requests = [
        Request::Run(trial),
        load(0, 96),
        load(96, 1),
        load(97, 96),
        load(193, 7),
    ];
    each_answer(&said(&mut store, line(&requests)), |answer| match answer {
        Answer::Spikes(bytes) => spikes.extend_from_slice(bytes),
        Answer::Output { values, .. } => outputs += values.len() / 4,
        Answer::Done(outcome) => done = Some(outcome),
        Answer::Want { first } => wants.push(first),
        other => panic!("{other:?}"),
    });
    assert_eq!(wants, [0, 96, 97, 193]);
    let outcome = done.expect("the trial ends");
    assert_eq!(spikes.len() / 6, outcome.spikes as usize);
    assert_eq!(outputs as u32, outcome.cycles.steps / 100);
    let mut hash = rate2spike_core::trial::SpikeHash::default();
    for spike in spikes.as_chunks::<6>().0 {
        let step = u32::from_le_bytes([spike[0], spike[1], spike[2], spike[3]]);
        hash.add(step, u16::from_le_bytes([spike[4], spike[5]]).into());
    }
    assert_eq!(hash.value(), outcome.spike_hash);
}

#[test]
fn a_piece_that_arrives_damaged_is_asked_for_again_and_one_that_comes_twice_is_left_out() {
    let load = |first: u32, values: &'static [u8]| Request::Load { first, values };
    static PIECE: [u8; 192] = [0; 192];
    let (first, rest) = (load(0, &PIECE), load(96, &PIECE));
    let last = load(192, &PIECE[..16]);
    let outcome = |bytes: Vec<u8>| {
        let (mut wants, mut done) = (Vec::new(), None);
        each_answer(
            &said(&mut Flash::with(NETWORK), bytes),
            |answer| match answer {
                Answer::Want { first } => wants.push(first),
                Answer::Done(outcome) => done = Some(outcome.spike_hash),
                other => panic!("{other:?}"),
            },
        );
        (wants, done)
    };
    let whole = outcome(line(&[Request::Run(TRIAL), first, rest, last]));
    assert_eq!(whole.0, [0, 96, 192]);
    assert!(whole.1.is_some());
    let mut damaged = line(&[rest]);
    // No byte of a frame is zero.
    damaged[7] ^= 2;
    let mut bytes = line(&[Request::Run(TRIAL), first]);
    bytes.extend(damaged);
    bytes.extend(line(&[first, rest, rest, last]));
    assert_eq!(outcome(bytes), (vec![0, 96, 96, 192], whole.1));
}

/// A board that waits long asks again. A slow host answers both times, and the second answer may
/// arrive when the trial is over.
#[test]
fn a_piece_that_comes_again_behind_its_trial_does_no_harm_to_the_next_one() {
    let load = |first: u32, values: &'static [u8]| Request::Load { first, values };
    let (first, rest) = (load(0, &[0; 192]), load(96, &[0; 192]));
    let last = load(192, &[0; 16]);
    let trial = [Request::Run(TRIAL), first, rest, last];
    let (wants, refusals, done) = live(&trial);
    assert!(refusals.is_empty() && done.is_some());
    for stray in [first, rest, last] {
        let requests = [&[stray], &trial[..]].concat();
        assert_eq!(live(&requests), (wants.clone(), refusals.clone(), done));
    }
}

/// The answers to a trial whose samples arrive so late that the rest of them does not.
fn live(requests: &[Request]) -> (Vec<u32>, Vec<Refusal>, Option<Outcome>) {
    let (mut wants, mut refusals, mut done) = (Vec::new(), Vec::new(), None);
    let mut store = Flash::with(NETWORK);
    each_answer(&said(&mut store, line(requests)), |answer| match answer {
        Answer::Want { first } => wants.push(first),
        Answer::Refused(refusal) => refusals.push(refusal),
        Answer::Done(outcome) => done = Some(outcome),
        other => panic!("{other:?}"),
    });
    (wants, refusals, done)
}

#[test]
fn a_trial_that_runs_ends_when_the_host_says_so() {
    for is_live in [false, true] {
        let trial = TrialRequest {
            live: is_live,
            ..TRIAL
        };
        let load = Request::Load {
            first: 0,
            values: &[0; 20],
        };
        // Before the first sample, and in the middle of the trial.
        for requests in [
            vec![Request::Run(trial), Request::Stop],
            vec![Request::Run(trial), load, Request::Stop],
        ] {
            let (_, refusals, done) = live(&requests);
            assert_eq!(refusals, [Refusal::Stopped]);
            assert_eq!(done, None);
        }
    }
}

//! Frames of any message and any noise around them.

use proptest::prelude::*;
use rate2spike_protocol::frame::LINE_BYTES;
use rate2spike_protocol::{Answer, FrameError, Receiver, Request, decode, encode};

/// The bodies and errors that a receiver gives for these bytes.
fn received(bytes: &[u8]) -> Vec<Result<Vec<u8>, FrameError>> {
    let mut receiver = Receiver::new();
    let ends = bytes.iter().filter_map(|byte| {
        let end = receiver.push(*byte);
        end.map(|body| body.map(<[u8]>::to_vec))
    });
    ends.collect()
}

proptest! {
    /// A message comes out as it went in, whatever stood on the line before it.
    #[test]
    fn a_message_arrives_behind_any_noise(
        noise in prop::collection::vec(any::<u8>(), 0..600),
        spikes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let message = Answer::Spikes(&spikes);
        let mut line = [0; LINE_BYTES];
        let frame = encode(&message, &mut line).expect("the message is short enough");
        let bytes = [&noise[..], &[0], frame].concat();
        let last = received(&bytes).pop().expect("a frame has ended");
        let body = last.expect("the last frame is whole");
        prop_assert_eq!(decode::<Answer>(&body), Ok(message));
    }

    /// The check sum notices one changed byte. A byte that becomes zero cuts the frame in
    /// two, and neither part is a frame.
    #[test]
    fn a_changed_byte_is_noticed(
        spikes in prop::collection::vec(any::<u8>(), 0..200),
        place in any::<prop::sample::Index>(),
        change in 1u8..,
    ) {
        let mut line = [0; LINE_BYTES];
        let frame = encode(&Answer::Spikes(&spikes), &mut line).expect("it is short enough");
        let mut changed = frame.to_vec();
        let place = place.index(changed.len());
        changed[place] ^= change;
        for body in received(&changed) {
            prop_assert!(body.is_err(), "byte {place} of {}", changed.len());
        }
    }

    /// Any bytes as a body are a message or an error, and no panic.
    #[test]
    fn any_body_is_a_message_or_an_error(body in prop::collection::vec(any::<u8>(), 0..240)) {
        let _ = decode::<Request>(&body);
        let _ = decode::<Answer>(&body);
    }
}

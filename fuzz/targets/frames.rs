//! The serial line in both directions: any bytes as a stream, and any bytes as the body
//! of a frame.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rate2spike_protocol::frame::{self, LINE_BYTES, Receiver};
use rate2spike_protocol::{Answer, Request};

fn decoded(body: &[u8]) {
    if let Ok(request) = frame::decode::<Request>(body) {
        let mut line = [0; LINE_BYTES];
        let _ = frame::encode(&request, &mut line);
    }
    if let Ok(answer) = frame::decode::<Answer>(body) {
        let mut line = [0; LINE_BYTES];
        let _ = frame::encode(&answer, &mut line);
    }
}

fuzz_target!(|data: &[u8]| {
    decoded(data);
    let mut receiver = Receiver::new();
    for &byte in data {
        if let Some(Ok(body)) = receiver.push(byte) {
            decoded(body);
        }
    }
});

//! A NIR graph: any bytes are read or refused with a sentence, and each graph becomes a
//! complete network with finite numbers or is refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rate2spike::formats::nir::read::ReadGraph;
use rate2spike::import::nir::{Unsaid, network};

fuzz_target!(|data: &[u8]| {
    let graph = match ReadGraph::from_bytes(data) {
        Ok(graph) => graph,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let unsaid = Unsaid {
        refractory_ms: 2.0,
        noise_mv: 0.0,
        start_mv: -65.0,
        synapse_ms: Some(5.0),
    };
    match network(&graph, &unsaid) {
        Ok(imported) => {
            let network = imported.network;
            let n = network.units;
            assert_eq!(network.weights.len(), n * n);
            assert_eq!(network.input_weights.len(), n * network.channels);
            assert_eq!((network.readout.units(), network.decay_ms.len()), (n, n));
            assert!(
                network
                    .decay_ms
                    .iter()
                    .all(|ms| *ms > 0.0 && ms.is_finite())
            );
            assert!(network.weights.iter().all(|weight| weight.is_finite()));
        }
        Err(error) => {
            let message = error.to_string();
            assert!(!message.contains("lambda"), "{message}");
        }
    }
});

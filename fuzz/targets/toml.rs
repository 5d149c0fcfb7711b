//! The TOML file of a task: any text is read or refused with a sentence. A task has trials
//! of the size that it states, and is the same after it is written and read.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rand::SeedableRng;
use rand_pcg::Pcg64;
use rate2spike::task::pulses::Spec;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let Ok(spec) = toml::from_str::<Spec>(&text) else {
        return;
    };
    let written = toml::to_string(&spec).expect("a spec is a table");
    assert_eq!(toml::from_str::<Spec>(&written).as_ref(), Ok(&spec));
    let task = match spec.task() {
        Ok(task) => task,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let mut random = Pcg64::seed_from_u64(1);
    for _ in 0..4 {
        let trial = task.trial(&mut random);
        assert_eq!(trial.input.len(), task.channels() * task.samples());
        assert_eq!(trial.target.len(), task.samples());
        let mut numbers = trial.input.iter().chain(&trial.target);
        assert!(numbers.all(|number| number.is_finite()));
    }
    let _ = (task.decision(0.1), task.rate_decision());
});

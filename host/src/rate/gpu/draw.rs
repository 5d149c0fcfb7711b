//! Trials and noise of K networks, drawn on the device. The numbers are those of
//! [`Batch::draw`](crate::rate::batch::Batch::draw); only one word a step and the input
//! without noise come from the host.

use burn::tensor::{Tensor, TensorData};
use burn_cubecl::{BoolElement, CubeRuntime, IntElement};
use cubecl::prelude::*;
use rayon::prelude::*;

use super::kernels::{self, DrawGivenLaunch, DrawLeftLaunch, Drawing};
use super::tensors::{Cubes, cube, empty, indexable, tensor};
use crate::rate::batch::{TrialRange, noise_of};
use crate::rate::ensemble::trials::{TrialSource, Trials};
use crate::rate::normal::jump;
use crate::task::{Task, Trial};

/// Draws the trials `range` of every network of `source`.
pub fn draw<R: CubeRuntime, I: IntElement, T: BoolElement>(
    source: &TrialSource<Cubes<R, I, T>>,
    range: TrialRange,
) -> Trials<Cubes<R, I, T>> {
    let [k, n, channels] = source.w_in.dims();
    let (b, t) = (range.trials, source.task.samples());
    indexable(k * t * b * n);
    let device = &source.device;
    let client = R::client(device);
    let drawn: Vec<(Trial, Vec<u32>)> = (0..k * b)
        .into_par_iter()
        .map(|row| trial(&source.task, source.seeds[row / b], range, (row % b) as u64))
        .collect();
    let words: Vec<u32> = drawn
        .iter()
        .flat_map(|(_, words)| words.iter().copied())
        .collect();
    let input: Vec<f32> = drawn
        .iter()
        .flat_map(|(trial, _)| trial.input.iter().copied())
        .collect();
    let target_values: Vec<f32> = drawn
        .iter()
        .flat_map(|(trial, _)| trial.target[..t - 1].iter().copied())
        .collect();
    let jumps: Vec<u32> = (0..n)
        .flat_map(|unit| <[u32; 2]>::from(jump(unit)))
        .collect();

    let upload = |words: &[u32]| {
        let handle = client.create_from_slice(u32::as_bytes(words));
        // SAFETY: the handle holds exactly these words.
        unsafe { ArrayArg::from_raw_parts(handle, words.len()) }
    };
    let floats = |values: &[f32]| {
        cube(Tensor::<Cubes<R, I, T>, 1>::from_floats(values, device)).into_array_arg()
    };
    let start = empty(&client, device, [k, b, n].into());
    let steps = || empty(&client, device, [k, t, b, n].into());
    let (current, noise) = (steps(), steps());
    let deviates = if range.fluctuating {
        steps()
    } else {
        empty(&client, device, [1].into())
    };
    let drawing = Drawing {
        units: n,
        channels,
        fluctuating: range.fluctuating,
    };
    let numbers = k * t * b * n;
    let dim = CubeDim::new_1d(256);
    // SAFETY: the shapes are those of the arrays above, all contiguous, and the
    // kernel ends where its number lies beyond them.
    unsafe {
        kernels::draw::launch_unchecked::<R>(
            &client,
            cubecl::calculate_cube_count_elemwise(&client, numbers, dim),
            dim,
            DrawGivenLaunch::new(
                upload(&words),
                upload(&jumps),
                cube(source.w_in.clone()).into_array_arg(),
                floats(&input),
            ),
            DrawLeftLaunch::new(
                start.clone().into_array_arg(),
                current.clone().into_array_arg(),
                noise.clone().into_array_arg(),
                deviates.clone().into_array_arg(),
            ),
            b as u32,
            t as u32,
            drawing,
        );
    }
    let target = TensorData::new(target_values.clone(), [k, b, t - 1]);
    Trials {
        start: tensor(start),
        current: tensor(current),
        noise: Some(tensor(noise)),
        fluctuations: range.fluctuating.then(|| tensor(deviates)),
        target: Tensor::from_data(target, device),
        target_values,
        labels: drawn.iter().map(|(trial, _)| trial.label).collect(),
    }
}

/// A trial and the words of its noise, T × 2.
fn trial(task: &Task, seed: u64, range: TrialRange, index: u64) -> (Trial, Vec<u32>) {
    let index = range.first + index;
    let trial = task.draw(seed, range.stream, index);
    let mut noise = noise_of(seed, range.stream, index);
    let mut words = vec![noise.word(), 0];
    for _ in 1..task.samples() {
        words.push(noise.word());
        words.push(if range.fluctuating { noise.word() } else { 0 });
    }
    (trial, words)
}

//! The kernels of the GPU, on the device that the wgpu back end finds: a GPU, or
//! Mesa's software Vulkan (Debian: mesa-vulkan-drivers).
#![cfg(feature = "wgpu")]

use burn::backend::Wgpu;
use burn::backend::wgpu::WgpuDevice;
use rate2spike::rate::activation::ActivationKind;
use rate2spike::rate::gpu::device::wgpu;
use rate2spike::rate::options::RateOptions;
use rate2spike::task::Task;
use rate2spike_tests::ensemble;

/// The device. Without one the reason is printed, or the test fails where skipping is
/// not allowed.
fn adapter() -> Option<WgpuDevice> {
    match wgpu::find() {
        Ok(device) => Some(device),
        Err(reason) => {
            rate2spike_tests::skip(&reason.to_string());
            None
        }
    }
}

#[test]
fn kernels_find_the_published_gradients() {
    let Some(device) = adapter() else { return };
    ensemble::check_against_slices::<Wgpu>(&ensemble::published(), &device);
}

#[test]
fn kernels_find_the_gradient_of_several_networks() {
    let Some(device) = adapter() else { return };
    ensemble::check_against_slices::<Wgpu>(&ensemble::random(), &device);
}

#[test]
fn networks_that_do_not_fit_on_the_chip_have_the_same_gradient() {
    let Some(device) = adapter() else { return };
    ensemble::check_against_slices::<Wgpu>(&ensemble::large(), &device);
}

#[test]
fn kernels_do_what_the_tensor_operations_do() {
    let Some(device) = adapter() else { return };
    ensemble::check_against_operations::<Wgpu>(&ensemble::random(), &device);
}

#[test]
fn kernels_draw_what_the_host_draws() {
    let Some(device) = adapter() else { return };
    ensemble::check_draw::<Wgpu>(&device);
}

#[test]
fn networks_trained_by_kernels_go_where_each_goes_on_the_cpu() {
    let Some(device) = adapter() else { return };
    ensemble::check_training::<Wgpu>(&ensemble::small(Task::go_nogo(), 20), &device);
    let options = RateOptions {
        activation: ActivationKind::Lif,
        fluctuations: 1.0,
        ..ensemble::small(Task::xor(), 15)
    };
    ensemble::check_training::<Wgpu>(&options, &device);
}

#[test]
fn networks_trained_by_kernels_learn() {
    let Some(device) = adapter() else { return };
    ensemble::check_learning::<Wgpu>(&ensemble::quick(), &device);
}

#[test]
fn networks_that_are_done_leave_without_a_trace() {
    let Some(device) = adapter() else { return };
    ensemble::check_selection::<Wgpu>(&device);
}

#[test]
fn each_network_has_its_own_rate() {
    let Some(device) = adapter() else { return };
    ensemble::check_rates::<Wgpu>(&device);
}

//! Many networks side by side, by tensor operations on the CPU.

use burn::backend::Flex;
use rate2spike::rate::activation::ActivationKind;
use rate2spike::rate::options::RateOptions;
use rate2spike::task::Task;
use rate2spike_tests::ensemble;

#[test]
fn tensor_operations_find_the_published_gradients_as_the_slices_do() {
    ensemble::check_against_slices::<Flex>(&ensemble::published(), &Default::default());
}

#[test]
fn tensor_operations_find_the_gradient_of_several_networks_as_the_slices_do() {
    ensemble::check_against_slices::<Flex>(&ensemble::random(), &Default::default());
}

#[test]
fn networks_trained_at_once_go_where_each_goes_alone() {
    ensemble::check_training::<Flex>(&ensemble::small(Task::go_nogo(), 20), &Default::default());
    let options = RateOptions {
        activation: ActivationKind::Lif,
        fluctuations: 1.0,
        dale: false,
        ..ensemble::small(Task::xor(), 15)
    };
    ensemble::check_training::<Flex>(&options, &Default::default());
}

#[test]
fn networks_trained_at_once_learn() {
    ensemble::check_learning::<Flex>(&ensemble::quick(), &Default::default());
}

#[test]
fn networks_whose_settlings_all_fail_are_those_that_began_to_settle() {
    ensemble::check_unsettled::<Flex>(&Default::default());
}

#[test]
fn networks_that_are_done_leave_without_a_trace() {
    ensemble::check_selection::<Flex>(&Default::default());
}

#[test]
fn each_network_has_its_own_rate() {
    ensemble::check_rates::<Flex>(&Default::default());
}

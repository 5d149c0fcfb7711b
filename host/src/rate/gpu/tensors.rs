//! Conversion of tensors to the arrays of a kernel, and back.

use burn::tensor::{DType, Shape, Tensor, TensorPrimitive};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{BoolElement, CubeBackend, CubeRuntime, IntElement};
use cubecl::prelude::*;

/// The back end of a runtime, in single precision.
pub(super) type Cubes<R, I, T> = CubeBackend<R, f32, I, T>;

/// The primitive of a tensor, contiguous.
pub(super) fn cube<R: CubeRuntime, I: IntElement, T: BoolElement, const D: usize>(
    tensor: Tensor<Cubes<R, I, T>, D>,
) -> CubeTensor<R> {
    into_contiguous(tensor.into_primitive().tensor())
}

/// A primitive as a tensor.
pub(super) fn tensor<R: CubeRuntime, I: IntElement, T: BoolElement, const D: usize>(
    cube: CubeTensor<R>,
) -> Tensor<Cubes<R, I, T>, D> {
    Tensor::from_primitive(TensorPrimitive::Float(cube))
}

/// An uninitialized tensor of this shape.
pub(super) fn empty<R: CubeRuntime>(
    client: &ComputeClient<R>,
    device: &R::Device,
    shape: Shape,
) -> CubeTensor<R> {
    let handle = client.empty(shape.num_elements() * size_of::<f32>());
    CubeTensor::new_contiguous(client.clone(), device.clone(), shape, handle, DType::F32)
}

/// Kernels count the numbers of an array in 32 bits.
pub(super) fn indexable(numbers: usize) {
    assert!(
        u32::try_from(numbers).is_ok(),
        "{numbers} numbers in one array; train fewer networks or trials at once"
    );
}

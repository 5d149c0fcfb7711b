//! rate2spike
pub mod convert;
pub mod formats;
pub mod quantize;
pub mod rate;
pub mod record;
pub mod simulate;
pub mod task;

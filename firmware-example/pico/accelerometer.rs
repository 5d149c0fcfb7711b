//! An accelerometer of type LIS3DH at the I²C port: data on GP4, clock on GP5.
//!
//! This is an example of a sensor with registers, whose driver is a crate of its own. To put
//! another one in its place, give [`Accelerometer::sense`] its values.

use crate::Time;
use crate::hal::fugit::MicrosDurationU64;
use crate::hal::gpio::bank0::{Gpio4, Gpio5};
use crate::hal::gpio::{FunctionI2C, Pin, PullUp};
use crate::hal::i2c::I2C;
use crate::hal::pac;
use crate::hal::timer::Instant;
use lis3dh::accelerometer::RawAccelerometer;
use lis3dh::{Lis3dh, Lis3dhI2C, SlaveAddr};

/// Number of channels: x, y and z.
pub const CHANNELS: usize = 3;

/// The I²C port.
pub type Bus = I2C<
    pac::I2C0,
    (
        Pin<Gpio4, FunctionI2C, PullUp>,
        Pin<Gpio5, FunctionI2C, PullUp>,
    ),
>;

/// The sensor.
pub struct Accelerometer {
    driver: Lis3dh<Lis3dhI2C<Bus>>,
    timer: Time,
    /// When the next sample is due, and the time between two of them.
    due: Instant,
    period: MicrosDurationU64,
}

impl Accelerometer {
    /// The sensor at this port, if there is one; 400 measurements a second.
    pub fn new(bus: Bus, timer: Time) -> Option<Self> {
        Some(Self {
            driver: Lis3dh::new_i2c(bus, SlaveAddr::Default).ok()?,
            timer,
            due: timer.get_counter(),
            period: MicrosDurationU64::micros(0),
        })
    }

    /// Starts to give a sample in each period of this many nanoseconds.
    pub fn start(&mut self, sample_ns: u32) {
        self.period = MicrosDurationU64::micros(u64::from(sample_ns / 1000));
        self.due = self.timer.get_counter() + self.period;
    }

    /// Puts the next sample into `values`, 16 bits for each axis; false if no sample is due. A
    /// sample takes a quarter of a millisecond on the bus.
    pub fn sense(&mut self, values: &mut [i32]) -> bool {
        if self.timer.get_counter() < self.due {
            return false;
        }
        self.due += self.period;
        let Ok(measured) = self.driver.accel_raw() else {
            return false;
        };
        for (value, axis) in values.iter_mut().zip([measured.x, measured.y, measured.z]) {
            *value = axis.into();
        }
        true
    }
}

//! The analog inputs as a sensor: GP26, GP27 and GP28, converted without a pause.
//!
//! This is an example of a sensor. To put another one in its place, give
//! [`Board::start_sensor`](rate2spike_app::Board::start_sensor) and
//! [`Board::sense`](rate2spike_app::Board::sense) its samples.

use crate::hal::adc::{Adc, AdcFifo, AdcPin};
use crate::hal::gpio::bank0::{Gpio26, Gpio27, Gpio28};
use crate::hal::gpio::{FunctionNull, Pin, PullNone};

/// Most channels: the analog pins of the board.
const MOST_CHANNELS: usize = 3;

/// Ticks of the converter's clock of 48 MHz in a microsecond.
const TICKS_A_MICROSECOND: u32 = 48;

/// Longest and shortest time from one conversion to the next, in ticks.
const LONGEST: u32 = 1 << 16;
const SHORTEST: u32 = 96;

/// An analog pin. A pull-down would lower what a sensor of high resistance gives.
type Analog<P> = AdcPin<Pin<P, FunctionNull, PullNone>>;

/// The converter, at rest or at work.
enum Converter {
    Idle(&'static mut Adc),
    Running(AdcFifo<'static, u16>),
}

/// The analog inputs.
pub struct AnalogInputs {
    converter: Option<Converter>,
    first: Analog<Gpio26>,
    second: Analog<Gpio27>,
    third: Analog<Gpio28>,
    channels: usize,
    /// Ticks from one conversion to the next.
    interval: u32,
    /// Conversions of a channel whose mean is a sample: two to this power.
    averaged: u32,
    sums: [i32; MOST_CHANNELS],
    /// The channel of the next conversion.
    turn: usize,
    /// Conversions of the last channel since the last sample.
    count: u32,
}

impl AnalogInputs {
    /// Inputs at rest.
    pub fn new(
        adc: &'static mut Adc,
        first: Analog<Gpio26>,
        second: Analog<Gpio27>,
        third: Analog<Gpio28>,
    ) -> Self {
        Self {
            converter: Some(Converter::Idle(adc)),
            first,
            second,
            third,
            channels: 0,
            interval: LONGEST,
            averaged: 0,
            sums: [0; MOST_CHANNELS],
            turn: 0,
            count: 0,
        }
    }

    /// Starts to convert `channels` channels, with a sample in each period; false if that
    /// is not possible.
    pub fn start(&mut self, channels: usize, sample_ns: u32) -> bool {
        if !(1..=MOST_CHANNELS).contains(&channels) {
            return false;
        }
        let ticks = sample_ns / 1000 * TICKS_A_MICROSECOND / channels as u32;
        let mut averaged = 0;
        while ticks >> averaged > LONGEST {
            averaged += 1;
        }
        let interval = ticks >> averaged;
        if interval < SHORTEST {
            return false;
        }
        (self.channels, self.interval, self.averaged) = (channels, interval, averaged);
        self.begin()
    }

    /// Begins to convert, with the first channel; false if there is no converter.
    fn begin(&mut self) -> bool {
        let adc = match self.converter.take() {
            Some(Converter::Idle(adc)) => adc,
            Some(Converter::Running(fifo)) => fifo.stop(),
            None => return false,
        };
        let fifo = adc
            .build_fifo()
            .clock_divider((self.interval - 1) as u16, 0)
            .set_channel(&mut self.first);
        let fifo = match self.channels {
            1 => fifo.round_robin(&self.first),
            2 => fifo.round_robin((&self.first, &self.second)),
            _ => fifo.round_robin((&self.first, &self.second, &self.third)),
        };
        let mut fifo = fifo.start();
        // The call forgets that the queue was full.
        fifo.is_over();
        self.converter = Some(Converter::Running(fifo));
        (self.sums, self.turn, self.count) = ([0; MOST_CHANNELS], 0, 0);
        true
    }

    /// Puts the next sample into `values`, 0 to 4095; false if no sample is ready. If nobody
    /// asked for so long that the queue of the converter was full, conversions are missing, and
    /// the others do not say of which channel they are: the converter begins again with the
    /// first one.
    pub fn sense(&mut self, values: &mut [i32]) -> bool {
        let Some(Converter::Running(fifo)) = &mut self.converter else {
            return false;
        };
        if fifo.is_over() {
            self.begin();
            return false;
        }
        while fifo.len() > 0 {
            let converted = fifo.read().unwrap_or(0);
            if let Some(sum) = self.sums.get_mut(self.turn) {
                *sum += i32::from(converted);
            }
            self.turn += 1;
            if self.turn < self.channels {
                continue;
            }
            self.turn = 0;
            self.count += 1;
            if self.count >> self.averaged > 0 {
                for (value, sum) in values.iter_mut().zip(self.sums) {
                    *value = sum >> self.averaged;
                }
                (self.sums, self.count) = ([0; MOST_CHANNELS], 0);
                return true;
            }
        }
        false
    }
}

//! A serial line over the board's USB port.

use usb_device::bus::{UsbBus, UsbBusAllocator};
use usb_device::prelude::*;
use usbd_serial::{SerialPort, USB_CLASS_CDC};

/// Vendor and product: the numbers that pid.codes keeps for private tests. A product for
/// sale needs its own.
const IDS: UsbVidPid = UsbVidPid(0x1209, 0x0001);

/// Looks for room in the buffer before a byte is dropped, because nobody reads.
const PATIENCE: u32 = 100_000;

/// The serial line.
pub struct Usb<B: UsbBus + 'static> {
    device: UsbDevice<'static, B>,
    serial: SerialPort<'static, B>,
    /// True while a host reads what is sent: from a byte of the host on until the buffer
    /// stays full.
    is_read: bool,
}

impl<B: UsbBus> Usb<B> {
    /// A line that waits for a host, to which the board shows this name.
    #[inline(never)]
    pub fn new(bus: &'static UsbBusAllocator<B>, name: &'static str) -> Self {
        let serial = SerialPort::new(bus);
        let names = StringDescriptors::default()
            .manufacturer("rate2spike")
            .product(name);
        let device = UsbDeviceBuilder::new(bus, IDS)
            .strings(&[names])
            .expect("one language")
            // A descriptor in one packet.
            .max_packet_size_0(64)
            .expect("a size that USB allows")
            .device_class(USB_CLASS_CDC)
            .build();
        Self {
            device,
            serial,
            is_read: false,
        }
    }

    /// Answers the host's requests to the port itself, which may not wait for long.
    #[inline(never)]
    pub fn poll(&mut self) {
        self.device.poll(&mut [&mut self.serial]);
    }

    /// The next byte from the host, if there is one.
    pub fn receive(&mut self) -> Option<u8> {
        self.poll();
        let mut byte = [0];
        let received = matches!(self.serial.read(&mut byte), Ok(1));
        self.is_read |= received;
        received.then_some(byte[0])
    }

    /// True if a host reads what is sent.
    pub fn is_read(&self) -> bool {
        self.is_read && self.device.state() == UsbDeviceState::Configured
    }

    /// Sends a byte. Where nobody reads, it is dropped.
    #[inline(never)]
    pub fn send(&mut self, byte: u8) {
        for _ in 0..PATIENCE {
            if matches!(self.serial.write(&[byte]), Ok(1)) {
                return;
            }
            self.poll();
            if self.device.state() != UsbDeviceState::Configured {
                break;
            }
        }
        self.is_read = false;
    }
}

//! The line to a board: `serial:PORT`, or `tcp:HOST:PORT` for an emulator.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::str::FromStr;
use std::time::Duration;

use super::BoardError;

/// Bits a second on a serial line.
const BAUD: u32 = 115_200;

/// A read gives up after this time, so that the caller can look at its clock.
const READ_TIMEOUT: Duration = Duration::from_millis(50);

/// The address of a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Port {
    /// The name of a serial port, such as `/dev/ttyACM0` or `COM3`.
    Serial(String),
    /// Host and port of a TCP server, such as an emulator.
    Tcp(String),
}

/// Bytes to and from a board. A read that times out fails with
/// [`io::ErrorKind::TimedOut`] or [`io::ErrorKind::WouldBlock`].
pub trait Line: Read + Write + Send {}

impl<T: Read + Write + Send> Line for T {}

impl Port {
    /// Opens the port.
    ///
    /// # Errors
    /// [`BoardError::Open`].
    pub fn open(&self) -> Result<Box<dyn Line>, BoardError> {
        let line: io::Result<Box<dyn Line>> = match self {
            Port::Serial(name) => serialport::new(name, BAUD)
                .timeout(READ_TIMEOUT)
                .open()
                .map(|port| Box::new(port) as Box<dyn Line>)
                .map_err(refused),
            Port::Tcp(address) => tcp(address).map(|stream| Box::new(stream) as Box<dyn Line>),
        };
        line.map_err(|source| BoardError::Open {
            port: self.to_string(),
            source,
        })
    }
}

/// The error of a serial port that does not open. A file that is no serial port has an error
/// without a code.
fn refused(error: serialport::Error) -> io::Error {
    match error.description.contains("typewriter") {
        true => io::Error::other(
            "this is no serial port; that of a board is called /dev/ttyACM0 or /dev/ttyUSB0 on Linux",
        ),
        false => error.into(),
    }
}

fn tcp(address: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(READ_TIMEOUT))?;
    Ok(stream)
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Port::Serial(name) => write!(f, "serial:{name}"),
            Port::Tcp(address) => write!(f, "tcp:{address}"),
        }
    }
}

impl FromStr for Port {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("serial", name)) if !name.is_empty() => Ok(Port::Serial(name.into())),
            Some(("tcp", address)) if address.contains(':') => Ok(Port::Tcp(address.into())),
            _ => Err("give serial:PORT, serial:/dev/ttyACM0 for instance, or tcp:HOST:PORT".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_read_as_it_is_written() {
        for text in ["serial:/dev/ttyACM0", "serial:COM3", "tcp:127.0.0.1:4000"] {
            let port: Port = text.parse().expect("a port");
            assert_eq!(port.to_string(), text);
        }
        for wrong in ["", "/dev/ttyACM0", "serial:", "tcp:4000", "usb:1"] {
            assert!(wrong.parse::<Port>().is_err(), "{wrong}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_device_that_is_no_serial_port_is_said_to_be_none() {
        let port = Port::Serial("/dev/null".into());
        let said = port.open().err().expect("it does not open").to_string();
        for words in ["serial:/dev/null", "no serial port", "/dev/ttyACM0"] {
            assert!(said.contains(words), "{said}");
        }
    }
}

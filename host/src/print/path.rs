//! Paths in JSON. serde refuses a path that is no UTF-8; here its other bytes become
//! U+FFFD.

use std::path::{Path, PathBuf};

use serde::Serialize;

/// Paths in a report: one, several, or perhaps one.
pub trait Paths {
    /// The paths as JSON.
    fn json(&self) -> serde_json::Value;
}

impl Paths for Path {
    fn json(&self) -> serde_json::Value {
        self.to_string_lossy().into()
    }
}

impl Paths for PathBuf {
    fn json(&self) -> serde_json::Value {
        self.as_path().json()
    }
}

impl<P: Paths + ?Sized> Paths for &P {
    fn json(&self) -> serde_json::Value {
        (**self).json()
    }
}

impl<P: Paths> Paths for Vec<P> {
    fn json(&self) -> serde_json::Value {
        self.iter().map(P::json).collect()
    }
}

impl<P: Paths> Paths for Option<P> {
    fn json(&self) -> serde_json::Value {
        self.as_ref().map_or(serde_json::Value::Null, P::json)
    }
}

/// Serializes the paths of a report.
///
/// # Errors
/// Fails where the serializer fails.
pub fn lossy<S: serde::Serializer>(paths: &impl Paths, serializer: S) -> Result<S::Ok, S::Error> {
    paths.json().serialize(serializer)
}

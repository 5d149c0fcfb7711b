//! Flags that perturb a spiking network.

use clap::Args;

use super::CommandError;
use crate::spiking::perturb::{Perturbation, Scale};
use crate::spiking::units::Units;

/// Changes of the network before it runs.
#[derive(Clone, Debug, Args)]
pub struct PerturbationArgs {
    /// Scale a class of connections, 0 to cut it: ee, ei (from excitatory to inhibitory), ie or ii; may be repeated
    #[arg(long, value_name = "CLASS:FACTOR", allow_negative_numbers = true)]
    pub scale: Vec<Scale>,
    /// Take away what units send to themselves
    #[arg(long)]
    pub no_autapses: bool,
    /// Deal the weights out anew among the connections, excitatory and inhibitory ones apart
    #[arg(long)]
    pub shuffle: bool,
    /// Silence units, counted from 1: 1-20,35; their spikes reach nothing and are not counted
    #[arg(long, value_name = "UNITS")]
    pub silence: Option<Units>,
}

impl PerturbationArgs {
    /// The perturbation of a network of this number of units.
    ///
    /// # Errors
    /// If a unit is not in the network.
    pub fn perturbation(&self, units: usize) -> Result<Perturbation, CommandError> {
        let silenced = self.silence.as_ref().map(|silence| silence.within(units));
        let silenced = silenced
            .transpose()
            .map_err(|error| CommandError::Usage(format!("--silence: {error}")))?;
        Ok(Perturbation {
            scales: self.scale.clone(),
            no_autapses: self.no_autapses,
            shuffle: self.shuffle,
            silenced: silenced.unwrap_or_default().into(),
        })
    }
}

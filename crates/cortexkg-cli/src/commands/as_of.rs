//! `--as-of`: the graph as it stood.

/// The moment at which the graph is read.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct AsOf {
    /// Read the graph as it stood right after this operation of the log (`cortexkg log` lists them) [default: now].
    #[arg(long = "as-of", value_name = "LOG_POSITION")]
    pub position: Option<u64>,
}

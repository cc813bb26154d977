//! The wall clock and this process's memory: the only places below the window that ask the machine.

/// A stop watch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(std::time::Instant);

impl Clock {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "drivers pace virtual time by the wall clock and report wall figures")]
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }
    /// Seconds since the start.
    #[expect(clippy::disallowed_methods, reason = "drivers pace virtual time by the wall clock and report wall figures")]
    pub fn elapsed_s(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// Largest resident set of this process so far; 0 where the system does not say.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "Linux tells the peak through a file of its own")]
pub fn peak_rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

//! CPU time of a bench's thread: the machine may be busy with other things.

/// Seconds that this thread has worked, as Linux counts them.
pub fn cpu_s() -> f64 {
    // The kernel brings a running thread's account up to date only at its next tick, or when it yields.
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux keeps a thread's CPU time");
    text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).expect("nanoseconds come first") / 1e9
}

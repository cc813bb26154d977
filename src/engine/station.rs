//! Bookkeeping of one queue with servers, exact in integers, so that Little's law holds to the nanosecond.
//!
//! A component that lets work wait calls [`Station::arrive`], [`Station::begin`] and [`Station::finish`].
//! Sample-path form of Little's law: the area under the number in the system over [0, t] equals the sum
//! of (departure − arrival) over the departed plus the sum of (t − arrival) over those still inside
//! (Little 1961; Stidham 1974). Both sides are kept from different data and compared by tests.

use super::figures::Figures;
use crate::units::SimTime;

/// One queue and its servers.
#[derive(Clone, Debug, Default)]
pub struct Station {
    servers: u32,
    waiting: u64,
    serving: u64,
    arrived: u64,
    begun: u64,
    finished: u64,
    abandoned: u64,
    changed_at: SimTime,
    /// Areas in count·nanoseconds.
    waiting_area: u128,
    serving_area: u128,
    /// Sums of instants in nanoseconds.
    arrival_sum: u128,
    begin_sum: u128,
    finish_sum: u128,
}

/// Sums over stations.
#[derive(Default)]
struct Sums {
    waiting: u64,
    serving: u64,
    servers: u32,
    waiting_area: u128,
    serving_area: u128,
    arrived: u64,
    served: u64,
    area: i128,
    sojourns: i128,
    waited: i128,
}

impl Station {
    /// An empty station.
    #[must_use]
    pub fn new(servers: u32) -> Self {
        Self { servers, ..Self::default() }
    }
    /// Another number of servers from now on.
    pub fn set_servers(&mut self, servers: u32) {
        self.servers = servers;
    }
    /// Work begins to wait.
    pub fn arrive(&mut self, now: SimTime) {
        self.arrive_many(now, 1);
    }
    /// Several pieces of work begin to wait at once.
    pub fn arrive_many(&mut self, now: SimTime, count: u64) {
        self.advance(now);
        self.waiting += count;
        self.arrived += count;
        self.arrival_sum += u128::from(now.as_ns()) * u128::from(count);
    }
    /// A server takes the next piece.
    pub fn begin(&mut self, now: SimTime) {
        assert!(self.waiting > 0, "a server took work that never arrived");
        self.advance(now);
        self.waiting -= 1;
        self.serving += 1;
        self.begun += 1;
        self.begin_sum += u128::from(now.as_ns());
    }
    /// A server is done.
    pub fn finish(&mut self, now: SimTime) {
        assert!(self.serving > 0, "a server finished work that it never began");
        self.advance(now);
        self.serving -= 1;
        self.finished += 1;
        self.finish_sum += u128::from(now.as_ns());
    }
    /// A server stops in the middle (a crash): its work leaves undone.
    pub fn interrupt(&mut self, now: SimTime) {
        self.finish(now);
        self.abandoned += 1;
    }
    /// Waiting work leaves unserved (a rebalance takes it away); counts as begun and finished now.
    pub fn abandon(&mut self, now: SimTime, count: u64) {
        for _ in 0..count {
            self.begin(now);
            self.finish(now);
        }
        self.abandoned += count;
    }
    /// Everything leaves undone (a crash). Gives how many pieces.
    pub fn clear(&mut self, now: SimTime) -> u64 {
        let inside = self.waiting + self.serving;
        for _ in 0..self.serving {
            self.interrupt(now);
        }
        self.abandon(now, self.waiting);
        inside
    }
    /// Pieces that wait.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.waiting
    }
    /// Pieces being served.
    #[must_use]
    pub fn serving(&self) -> u64 {
        self.serving
    }
    /// Time that servers have worked so far, of all together.
    #[must_use]
    pub fn busy_ns(&self, now: SimTime) -> u128 {
        self.serving_area + u128::from(now.since(self.changed_at).as_ns()) * u128::from(self.serving)
    }
    /// Both sides of Little's law at `now`, in count·nanoseconds; equal, always.
    #[must_use]
    pub fn littles_law(&self, now: SimTime) -> (i128, i128) {
        let since = u128::from(now.since(self.changed_at).as_ns());
        let area = self.waiting_area + self.serving_area + since * u128::from(self.waiting + self.serving);
        let inside = u128::from(self.waiting + self.serving);
        let sojourns = (self.finish_sum + inside * u128::from(now.as_ns())) as i128 - self.arrival_sum as i128;
        (area as i128, sojourns)
    }
    /// Shows `queue_length`, `in_service`, `servers`, `queue_s`, `busy_s`, `arrived_count`, `served_count`, `waited_s` and both sides of Little's law.
    pub fn figures(&self, now: SimTime, out: &mut Figures) {
        Self::figures_of_all(std::iter::once(self), now, out);
    }
    /// The same, summed over the stations of one component.
    pub fn figures_of_all<'a>(stations: impl Iterator<Item = &'a Self>, now: SimTime, out: &mut Figures) {
        let mut sum = Sums::default();
        for station in stations {
            let since = u128::from(now.since(station.changed_at).as_ns());
            let (area, sojourns) = station.littles_law(now);
            sum.waiting += station.waiting;
            sum.serving += station.serving;
            sum.servers += station.servers;
            sum.waiting_area += station.waiting_area + since * u128::from(station.waiting);
            sum.serving_area += station.serving_area + since * u128::from(station.serving);
            sum.arrived += station.arrived;
            sum.served += station.finished - station.abandoned;
            sum.area += area;
            sum.sojourns += sojourns;
            // Mean waiting time over those that have begun: exact sums, no histogram error.
            sum.waited += (station.begin_sum as i128 + i128::from(station.waiting) * i128::from(now.as_ns())) - station.arrival_sum as i128;
        }
        out.gauge("queue_length", sum.waiting as f64);
        out.gauge("in_service", sum.serving as f64);
        out.gauge("servers", f64::from(sum.servers));
        out.integral("queue_s", sum.waiting_area as f64 / 1e9);
        out.integral("busy_s", sum.serving_area as f64 / 1e9);
        out.counter("arrived_count", sum.arrived);
        out.counter("served_count", sum.served);
        out.integral("waited_s", sum.waited as f64 / 1e9);
        out.integral("littles_area_s", sum.area as f64 / 1e9);
        out.integral("littles_sojourn_s", sum.sojourns as f64 / 1e9);
    }
    fn advance(&mut self, now: SimTime) {
        let since = u128::from(now.since(self.changed_at).as_ns());
        self.waiting_area += since * u128::from(self.waiting);
        self.serving_area += since * u128::from(self.serving);
        self.changed_at = now;
    }
}

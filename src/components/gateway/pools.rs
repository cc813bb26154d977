//! Services behind a gateway that are several targets: who gets a request, what it meets there, another try, probes.
//!
//! ```text
//! route ─► pool ─► balancer of the node ─► target ─► answer │ nobody there │ no answer in time ─► another try (`retries`)
//!                    ▲ what requests met, what probes met                    no healthy target ─► 503
//! ```
//!
//! Sources: Kong's upstreams and `service.retries`; nginx's `proxy_next_upstream` (a request that was sent and not answered
//! goes to another server only where its method may be repeated). Each node has a health of its own, as in the product.
//! Must not know: routes, plugins. Start at [`GatewaySim::try_target`].

use std::sync::Arc;

use super::machine::Trouble;
use super::sim::{GatewaySim, Job, Slots, address, header};
use crate::components::{ActionSpec, BuildCtx, Params};
use crate::engine::{Ctx, FigureKind, Figures};
use crate::machines::gateway::{Algorithm, Balancer, Met, Thresholds, UpstreamSpec};
use crate::model::{Default_, ParamSpec, ParamType};
use crate::random::{Distribution, Stream};
use crate::units::SimDuration;

const TARGET: &[ParamSpec] =
    &[ParamSpec::new("target", "Target", ParamType::Text { max_chars: 200 }, Default_::Required, "Which; of every pool that has it")];

/// What a person or a scenario does to targets.
pub(super) const STOP_TARGET: ActionSpec =
    ActionSpec { name: "stop-target", help: "A target of an upstream refuses connections from now on", params: TARGET };
/// See [`STOP_TARGET`].
pub(super) const START_TARGET: ActionSpec =
    ActionSpec { name: "start-target", help: "A target that was stopped is there again; its health is what checks find", params: TARGET };

/// What chooses among targets by its hash.
#[derive(Clone, Debug)]
enum HashOn {
    Consumer,
    Ip,
    Header(String),
}

/// A server, and what it does with a request.
#[derive(Clone, Debug)]
struct Target {
    name: Arc<str>,
    status: u16,
    after: Distribution,
    failures: f64,
    is_up: bool,
    requests: u64,
}

/// An upstream of the design while it runs.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    targets: Vec<Target>,
    hash_on: HashOn,
    retries: usize,
    connect_time: Distribution,
    probe_every: Option<SimDuration>,
    probe_timeout: SimDuration,
    /// As it is before anything has happened.
    fresh: Balancer,
    /// By node.
    balancers: Vec<Balancer>,
}

/// All upstreams of a gateway.
#[derive(Clone, Debug)]
pub(super) struct Pools {
    pub list: Vec<Pool>,
    /// At a target: which pool, and what the request will meet there.
    pub trying: Slots<(Job, usize, Met)>,
    rng: Stream,
    probe_rng: Stream,
    retries: u64,
    failures: u64,
    health_changes: u64,
}

/// The upstreams of a design, in order, for the machine.
pub(super) fn specs(params: &Params<'_>) -> Vec<(String, UpstreamSpec)> {
    let targets = params.rows("targets");
    let of = |row: &Params<'_>| {
        let name = row.text("name");
        let count = |field: &str| u32::try_from(row.count(field)).unwrap_or(0);
        let is_its = |target: &&Params<'_>| target.text("upstream") == name;
        let spec = UpstreamSpec {
            algorithm: match row.text("algorithm").as_str() {
                "consistent-hashing" => Algorithm::ConsistentHashing,
                "least-connections" => Algorithm::LeastConnections,
                _ => Algorithm::RoundRobin,
            },
            targets: targets.iter().filter(is_its).map(|row| (row.text("target").into(), row.count("weight") as u32)).collect(),
            passive: Thresholds { http_failures: count("http_failures"), tcp_failures: count("tcp_failures"), timeouts: count("timeouts") },
            active: Thresholds {
                http_failures: count("probe_http_failures"),
                tcp_failures: count("probe_tcp_failures"),
                timeouts: count("probe_timeouts"),
            },
            successes: count("probe_successes"),
        };
        (name, spec)
    };
    params.rows("upstreams").iter().map(of).collect()
}

/// Every status that a target may answer.
pub(super) fn statuses(params: &Params<'_>) -> Vec<u16> {
    let rows = params.rows("targets");
    let mut statuses: Vec<u16> = rows.iter().map(|row| row.count("respond") as u16).collect();
    statuses.extend(rows.iter().any(|row| row.is_given("failures")).then_some(500));
    statuses
}

impl Pool {
    fn new(row: &Params<'_>, spec: &UpstreamSpec, targets: &[Params<'_>]) -> Self {
        let target = |row: &Params<'_>| Target {
            name: row.text("target").into(),
            status: row.count("respond") as u16,
            after: row.distribution("respond_after"),
            failures: row.ratio("failures"),
            is_up: true,
            requests: 0,
        };
        let name = row.text("name");
        Self {
            targets: targets.iter().filter(|target| target.text("upstream") == name).map(target).collect(),
            hash_on: match row.text("hash_on").as_str() {
                "ip" => HashOn::Ip,
                "header" => HashOn::Header(row.text("hash_on_header").to_ascii_lowercase()),
                _ => HashOn::Consumer,
            },
            retries: usize::try_from(row.count("retries")).unwrap_or(0),
            connect_time: row.distribution("connect_time"),
            probe_every: row.is_given("probe_interval").then(|| row.duration("probe_interval")),
            probe_timeout: row.duration("probe_timeout"),
            fresh: Balancer::new(spec),
            balancers: Vec::new(),
        }
    }
    fn balancer(&mut self, node: u32) -> &mut Balancer {
        while self.balancers.len() <= node as usize {
            self.balancers.push(self.fresh.clone());
        }
        &mut self.balancers[node as usize]
    }
    /// What requests with the same value share; nobody's is that of the address.
    fn key(&self, job: &Job) -> u64 {
        let of_address = || Balancer::key(address(job).to_string().as_bytes());
        match &self.hash_on {
            HashOn::Consumer => job.client.map_or_else(of_address, |client| Balancer::key(&client.to_le_bytes())),
            HashOn::Ip => of_address(),
            HashOn::Header(name) => header(&job.request, name).map_or_else(of_address, |value| Balancer::key(value.as_bytes())),
        }
    }
    /// Fewest that a node takes for healthy.
    fn healthy(&self) -> usize {
        self.balancers.iter().map(Balancer::healthy).min().unwrap_or_else(|| self.fresh.healthy())
    }
}

impl Target {
    /// How long a request is there, and what it meets.
    fn serve(&self, connect_time: SimDuration, timeout: SimDuration, rng: &mut Stream) -> (SimDuration, Met) {
        if !self.is_up {
            return (connect_time, Met::Refused);
        }
        let fails = self.failures > 0.0 && rng.chance(self.failures);
        let after = self.after.sample(rng);
        if after >= timeout {
            return (connect_time.plus(timeout), Met::Timeout);
        }
        (connect_time.plus(after), Met::Status(if fails { 500 } else { self.status }))
    }
}

impl Pools {
    pub(super) fn new(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Self {
        let targets = params.rows("targets");
        let (rows, specs) = (params.rows("upstreams"), specs(params));
        Self {
            list: rows.iter().zip(&specs).map(|(row, (_, spec))| Pool::new(row, spec, &targets)).collect(),
            trying: Slots::default(),
            rng: ctx.stream("targets"),
            probe_rng: ctx.stream("probes"),
            retries: 0,
            failures: 0,
            health_changes: 0,
        }
    }
    /// A stopped target refuses connections, a started one takes them.
    ///
    /// # Errors
    /// When no upstream has it.
    pub(super) fn set_up(&mut self, name: &str, is_up: bool) -> Result<(), String> {
        let mut is_known = false;
        for target in self.list.iter_mut().flat_map(|pool| &mut pool.targets).filter(|target| *target.name == *name) {
            target.is_up = is_up;
            is_known = true;
        }
        if is_known { Ok(()) } else { Err(format!("no upstream has a target `{name}`")) }
    }
    /// Arms the probes of every upstream that has some.
    pub(super) fn start(&self, ctx: &mut Ctx<'_>, probe_token: u64) {
        for (at, pool) in (0..).zip(&self.list) {
            if let Some(every) = pool.probe_every {
                ctx.timer_after(every, probe_token | at);
            }
        }
    }
    /// Every node asks every target of an upstream whether it is well.
    pub(super) fn probe(&mut self, ctx: &mut Ctx<'_>, at: u64, nodes: u32, probe_token: u64) {
        let Some(pool) = self.list.get_mut(at as usize) else { return };
        let Some(every) = pool.probe_every else { return };
        for node in 0..nodes {
            for target in 0..pool.targets.len() {
                // The verdict counts at the next beat's start: a probe takes no worker and no time that anybody waits for.
                let (_, met) = pool.targets[target].serve(SimDuration::ZERO, pool.probe_timeout, &mut self.probe_rng);
                self.health_changes += u64::from(pool.balancer(node).probed(target as u32, met));
            }
        }
        ctx.timer_after(every, probe_token | at);
    }
    /// What nodes knew of targets is gone with them.
    pub(super) fn forget(&mut self) -> impl Iterator<Item = Job> {
        for pool in &mut self.list {
            pool.balancers.clear();
        }
        std::mem::take(&mut self.trying).into_items().map(|(job, ..)| job)
    }
    pub(super) fn figures(&self, out: &mut Figures) {
        if self.list.is_empty() {
            return;
        }
        out.counter("target_retries_count", self.retries);
        out.counter("target_failures_count", self.failures);
        out.counter("target_health_changes_count", self.health_changes);
        out.gauge("healthy_targets", self.list.iter().map(Pool::healthy).sum::<usize>() as f64);
        for target in self.list.iter().flat_map(|pool| &pool.targets) {
            out.of("target_requests_count", &target.name, FigureKind::Counter, target.requests as f64);
        }
    }
}

impl GatewaySim {
    /// A request goes to a target of a pool: those that it has not tried come first.
    pub(super) fn try_target(&mut self, ctx: &mut Ctx<'_>, mut job: Job, at: usize) {
        let timeout = self.upstream_timeout;
        let Some(pool) = self.pools.list.get_mut(at) else { return };
        let key = pool.key(&job);
        let balancer = pool.balancer(job.node);
        let Some(target) = balancer.pick(key, &job.tried).or_else(|| balancer.pick(key, &[])) else {
            return self.trouble(ctx, &job, Trouble::NoPeer);
        };
        balancer.begin(target);
        let connect_time = pool.connect_time.sample(&mut self.pools.rng);
        let server = &mut pool.targets[target as usize];
        server.requests += 1;
        let (takes, met) = server.serve(connect_time, timeout, &mut self.pools.rng);
        job.target = target;
        let token = super::sim::TRIED | self.pools.trying.insert((job, at, met));
        ctx.timer_after(takes, token);
    }
    /// What it met there.
    pub(super) fn on_tried(&mut self, ctx: &mut Ctx<'_>, slot: u64) {
        let Some((mut job, at, met)) = self.pools.trying.take(slot) else { return };
        let Some(pool) = self.pools.list.get_mut(at) else { return };
        self.pools.health_changes += u64::from(pool.balancer(job.node).end(job.target, met));
        self.pools.failures += u64::from(matches!(met, Met::Refused | Met::Timeout));
        let may_go_on = match met {
            Met::Status(_) => false,
            Met::Refused => true,
            Met::Timeout => is_repeatable(&job.request.method),
        };
        if may_go_on && job.tried.len() < pool.retries {
            self.pools.retries += 1;
            job.tried.push(job.target);
            return self.try_target(ctx, job, at);
        }
        self.service_met(ctx, &job, met);
    }
}

/// Methods that nginx may send once more.
fn is_repeatable(method: &str) -> bool {
    !matches!(method, "POST" | "LOCK" | "PATCH")
}

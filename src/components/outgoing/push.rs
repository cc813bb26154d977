//! Push: clients that hold a connection open, each with a send buffer; what happens when one is slower than its events.
//!
//! ```text
//! taken in ─► send buffer of each client ─► the client reads at its rate ─► delivered
//!               full: drop the oldest, or disconnect         away: SSE keeps what a replay can bring, WebSocket nothing
//! ```
//!
//! With server-sent events a client that comes back says the id of the last event that it has (`Last-Event-ID`), and gets what
//! came after it from the replay buffer, as far as that reaches. Start at [`Push::take_in`].

use std::collections::VecDeque;

use super::frames::Wire;
use super::receivers::{self, Receiver};
use super::sim::{Books, Delivery, Owed};
use crate::components::consumer::handler::timer;
use crate::components::{BuildCtx, Params};
use crate::engine::{Ctx, FigureKind, Figures};
use crate::event::{ObligationEnd, Reason};
use crate::random::{Distribution, Stream};
use crate::units::{SimDuration, SimTime};

/// Low byte of timer tokens; a client's number (16 bits) and its connection's (32) stand above.
const TOKEN_READ: u64 = 0;
const TOKEN_BACK: u64 = 1;
const TOKEN_DROP: u64 = 2;
const TOKEN_BEAT: u64 = 3;

#[derive(Clone, Debug)]
struct Client {
    receiver: Receiver,
    /// For one event.
    read_time: SimDuration,
    factor: f64,
    connection_time: Option<Distribution>,
    is_connected: bool,
    /// Counts its connections: timers of an earlier one are stale.
    connection: u32,
    /// It neither reads nor answers pings, since then.
    silent_since: Option<SimTime>,
    is_reading: bool,
    /// In the send buffer; while it is away, what a replay can bring.
    waiting: VecDeque<Owed>,
    delivered: u64,
    lost: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    connects: u64,
    disconnects: u64,
    replayed: u64,
    dropped: u64,
    sent_bytes: u64,
    heartbeats: u64,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Push {
    wire: Wire,
    clients: Vec<Client>,
    buffer_max: usize,
    drops_oldest: bool,
    /// How many of the newest events a client that comes back can get; none over WebSockets.
    replay_max: u64,
    reconnect_time: Distribution,
    heartbeat: SimDuration,
    silence_max: SimDuration,
    up: usize,
    has_beat: bool,
    rng: Stream,
    frame: Vec<u8>,
    counts: Counts,
}

impl Push {
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Self {
        let wire = if params.profile() == Some("websocket") { Wire::WebSocket } else { Wire::ServerSentEvents };
        let one = |(name, row): (String, Params<'_>)| Client {
            receiver: Receiver::new(ctx, &name, &row),
            read_time: SimDuration::from_secs_f64(1.0 / row.rate("receive_rate").max(f64::MIN_POSITIVE)),
            factor: 1.0,
            connection_time: row.is_given("connection_time").then(|| row.distribution("connection_time")),
            is_connected: false,
            connection: 0,
            silent_since: None,
            is_reading: false,
            waiting: VecDeque::new(),
            delivered: 0,
            lost: 0,
        };
        let replay_max = if wire == Wire::ServerSentEvents { params.count("replay_buffer").max(0) as u64 } else { 0 };
        Self {
            wire,
            clients: receivers::rows(params).into_iter().map(one).collect(),
            buffer_max: usize::try_from(params.count("send_buffer")).unwrap_or(1).max(1),
            drops_oldest: params.text("on_full") == "drop_oldest",
            replay_max,
            reconnect_time: params.distribution("reconnect_time"),
            heartbeat: params.duration("push_heartbeat"),
            silence_max: params.duration("silence_timeout"),
            up: 0,
            has_beat: false,
            rng: ctx.stream("push"),
            frame: Vec::new(),
            counts: Counts::default(),
        }
    }

    pub fn len(&self) -> usize {
        self.clients.len()
    }

    pub fn take_in(&mut self, ctx: &mut Ctx<'_>, books: &mut Books, item: &Owed) {
        for number in 0..self.clients.len() {
            let client = &mut self.clients[number];
            if !client.receiver.wants(&item.ty) {
                let (end, words) = (ObligationEnd::Filtered, "not wanted".to_owned());
                books.end(ctx, item, Delivery { to: &client.receiver, end, reason: None, words });
            } else if client.is_connected {
                self.buffer(ctx, books, number, item);
            } else if self.replay_max > 0 {
                client.waiting.push_back(Owed::clone(item));
            } else {
                client.lose(ctx, books, item, "not-connected", "the client is not connected");
            }
            self.trim_replay(ctx, books, number, item.number);
        }
    }

    /// What a replay cannot reach any more is lost to a client that is away.
    fn trim_replay(&mut self, ctx: &mut Ctx<'_>, books: &mut Books, number: usize, newest: u64) {
        let client = &mut self.clients[number];
        while !client.is_connected
            && let Some(item) = client.waiting.pop_front_if(|item| item.number + self.replay_max <= newest)
        {
            client.lose(ctx, books, &item, "replay-buffer", "the client was away, and the replay buffer reaches back no further");
        }
    }

    fn buffer(&mut self, ctx: &mut Ctx<'_>, books: &mut Books, number: usize, item: &Owed) {
        let client = &mut self.clients[number];
        client.waiting.push_back(Owed::clone(item));
        if client.waiting.len() > self.buffer_max {
            if !self.drops_oldest {
                return self.disconnect(ctx, books, number, ("slow-client", "the client was too slow and its connection was closed"));
            }
            // What the client is reading has left the buffer.
            let oldest = usize::from(client.is_reading);
            if let Some(item) = client.waiting.remove(oldest) {
                self.counts.dropped += 1;
                client.lose(ctx, books, &item, "buffer-full", "the client's send buffer was full");
            }
        }
        self.read(ctx, number);
    }

    /// A client takes the next event, if it is not at one.
    fn read(&mut self, ctx: &mut Ctx<'_>, number: usize) {
        let client = &mut self.clients[number];
        let is_free = client.is_connected && !client.is_reading && client.silent_since.is_none();
        if let Some(item) = client.waiting.front().filter(|_| is_free) {
            self.frame.clear();
            self.wire.frame(item.number, &item.ty, &item.body, &mut self.frame);
            self.counts.sent_bytes += self.frame.len() as u64;
            client.is_reading = true;
            timer(ctx, ctx.now + client.read_time.scaled(client.factor), token(TOKEN_READ, number, client.connection));
        }
    }

    fn connect(&mut self, ctx: &mut Ctx<'_>, number: usize) {
        let client = &mut self.clients[number];
        client.is_connected = true;
        self.counts.connects += 1;
        self.counts.replayed += client.waiting.len() as u64;
        if let Some(time) = &client.connection_time {
            timer(ctx, ctx.now + time.sample(&mut self.rng), token(TOKEN_DROP, number, client.connection));
        }
        self.read(ctx, number);
    }

    /// A connection ends: what is not read is lost, or waits for a replay; the client comes back after a while.
    fn disconnect(&mut self, ctx: &mut Ctx<'_>, books: &mut Books, number: usize, (code, words): (&'static str, &str)) {
        let client = &mut self.clients[number];
        self.counts.disconnects += u64::from(client.is_connected);
        client.is_connected = false;
        client.is_reading = false;
        client.connection = client.connection.wrapping_add(1);
        let newest = client.waiting.back().map_or(0, |item| item.number);
        if self.replay_max == 0 {
            for item in std::mem::take(&mut client.waiting) {
                client.lose(ctx, books, &item, code, words);
            }
        }
        timer(ctx, ctx.now + self.reconnect_time.sample(&mut self.rng), token(TOKEN_BACK, number, client.connection));
        self.trim_replay(ctx, books, number, newest);
    }

    pub fn on_timer(&mut self, ctx: &mut Ctx<'_>, books: &mut Books, due: u64) {
        let (number, connection) = ((due >> 8 & 0xffff) as usize, (due >> 24) as u32);
        if due & 0xff == TOKEN_BEAT {
            return self.beat(ctx, books);
        }
        let client = &mut self.clients[number];
        if client.connection != connection {
            return;
        }
        match due & 0xff {
            TOKEN_READ => {
                client.is_reading = false;
                if let Some(item) = client.waiting.pop_front() {
                    client.delivered += 1;
                    let (end, words) = (ObligationEnd::Delivered, format!("delivered with id {}", item.number));
                    books.end(ctx, &item, Delivery { to: &client.receiver, end, reason: None, words });
                }
                self.read(ctx, number);
            }
            // It tries again for as long as nobody is there.
            TOKEN_BACK if self.up == 0 || client.silent_since.is_some() => {
                timer(ctx, ctx.now + self.reconnect_time.sample(&mut self.rng), due);
            }
            TOKEN_BACK => self.connect(ctx, number),
            _ => self.disconnect(ctx, books, number, ("disconnected", "the client's connection broke")),
        }
    }

    /// Keeps quiet connections open, and finds those at whose other end nobody is.
    fn beat(&mut self, ctx: &mut Ctx<'_>, books: &mut Books) {
        let connected = self.clients.iter().filter(|client| client.is_connected).count() as u64;
        self.counts.heartbeats += connected;
        self.counts.sent_bytes += connected * self.wire.heartbeat().len() as u64;
        for number in 0..self.clients.len() {
            let client = &self.clients[number];
            let is_over = client.silent_since.is_some_and(|since| ctx.now.since(since) >= self.silence_max);
            if client.is_connected && is_over {
                self.disconnect(ctx, books, number, ("silent-client", "the client answered no heartbeat"));
            }
        }
        timer(ctx, ctx.now + self.heartbeat, TOKEN_BEAT);
    }

    /// Instances come and go: connections to one that is lost break.
    pub fn instances(&mut self, ctx: &mut Ctx<'_>, books: &mut Books, up: usize, lost: Option<usize>) {
        let of = self.up.max(1);
        self.up = up;
        if let Some(lost) = lost {
            for number in (0..self.clients.len()).filter(|number| number % of == lost % of) {
                if self.clients[number].is_connected {
                    self.disconnect(ctx, books, number, ("crash", "the instance crashed that the client was connected to"));
                }
            }
        }
        if up > 0 && !self.has_beat {
            self.has_beat = true;
            timer(ctx, ctx.now + self.heartbeat, TOKEN_BEAT);
            for number in 0..self.clients.len() {
                self.connect(ctx, number);
            }
        }
    }

    /// What happens to clients, by hand or as a fault.
    pub fn action(&mut self, ctx: &mut Ctx<'_>, books: &mut Books, name: &str, arguments: &Params<'_>) -> Result<(), String> {
        let wanted = arguments.text("receiver");
        let found = self.clients.iter().position(|client| *client.receiver.name == *wanted);
        let number = found.ok_or_else(|| format!("there is no client `{wanted}`"))?;
        let client = &mut self.clients[number];
        match name {
            "slow-receiver" => client.factor = arguments.number("factor"),
            "kill-receiver" => {
                // What it was at stays in its buffer.
                client.silent_since = Some(ctx.now);
                client.is_reading = false;
                client.connection = client.connection.wrapping_add(1);
                if !client.is_connected {
                    timer(ctx, ctx.now + self.reconnect_time.sample(&mut self.rng), token(TOKEN_BACK, number, client.connection));
                }
            }
            "revive-receiver" => {
                client.silent_since = None;
                self.read(ctx, number);
            }
            "disconnect-receiver" if client.is_connected => {
                self.disconnect(ctx, books, number, ("disconnected", "the client's connection broke"));
            }
            "disconnect-receiver" => return Err(format!("`{wanted}` is not connected")),
            other => return Err(format!("`{other}` is for webhooks")),
        }
        Ok(())
    }

    pub fn figures(&self, out: &mut Figures) {
        let Counts { connects, disconnects, replayed, dropped, sent_bytes, heartbeats } = self.counts;
        out.counter("connects_count", connects);
        out.counter("disconnects_count", disconnects);
        out.counter("replayed_count", replayed);
        out.counter("buffer_dropped_count", dropped);
        out.counter("sent_bytes", sent_bytes);
        out.counter("push_heartbeats_count", heartbeats);
        out.gauge("clients_connected", self.clients.iter().filter(|client| client.is_connected).count() as f64);
        for client in &self.clients {
            let name = &client.receiver.name;
            out.of("client_delivered_count", name, FigureKind::Counter, client.delivered as f64);
            out.of("client_lost_count", name, FigureKind::Counter, client.lost as f64);
            out.of("client_waiting", name, FigureKind::Gauge, client.waiting.len() as f64);
        }
    }
}

impl Client {
    fn lose(&mut self, ctx: &mut Ctx<'_>, books: &mut Books, item: &Owed, code: &'static str, words: &str) {
        self.lost += 1;
        let reason = Reason { code, detail: Some(words.to_owned().into()) };
        let delivery = Delivery { to: &self.receiver, end: ObligationEnd::Lost, reason: Some(reason), words: format!("lost: {words}") };
        books.end(ctx, item, delivery);
    }
}

fn token(kind: u64, number: usize, connection: u32) -> u64 {
    kind | (number as u64) << 8 | u64::from(connection) << 24
}

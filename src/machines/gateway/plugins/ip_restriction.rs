//! ip-restriction (kong/plugins/ip-restriction/handler.lua): which addresses may pass.

use std::net::IpAddr;
use std::sync::Arc;

use super::{Field, FieldType, Plugin, PluginKind, Settings, Stop, Turn};
use crate::machines::gateway::answer::{BodyForm, Words};

pub(super) const KIND: PluginKind = PluginKind {
    name: "ip-restriction",
    priority: 990,
    help: "Answers 403 to addresses outside the allowed ranges, or inside the denied ones",
    fields: &[
        Field::new("allow", FieldType::Texts, "Addresses or ranges (`10.0.0.0/8`) that may pass"),
        Field::new("deny", FieldType::Texts, "Addresses or ranges that may not; looked at first"),
        Field::new("status", FieldType::Count { min: 400, max: 599 }, "Instead of 403"),
        Field::new("message", FieldType::Text, "Instead of the product's words"),
    ],
    by_consumer: true,
    compile: |settings, _| Ok(Box::new(IpRestriction { config: Arc::new(Config::new(settings)?) })),
};

#[derive(Clone, Debug)]
struct IpRestriction {
    config: Arc<Config>,
}

#[derive(Debug)]
struct Config {
    allow: Vec<Range>,
    deny: Vec<Range>,
    stop: Stop,
}

/// Addresses whose first bits are these.
#[derive(Clone, Copy, Debug)]
struct Range {
    first: u128,
    shift: u32,
    is_v4: bool,
}

impl Range {
    fn read(text: &str) -> Result<Self, String> {
        let no = || format!("`{text}` is no address and no range such as 10.0.0.0/8");
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| no())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(width), |bits| bits.parse::<u32>().map_err(|_| no()))?;
        if bits > width {
            return Err(no());
        }
        Ok(Self { first: number(address), shift: width - bits, is_v4: address.is_ipv4() })
    }
    fn holds(&self, address: IpAddr) -> bool {
        let high = |value: u128| value.checked_shr(self.shift).unwrap_or(0);
        address.is_ipv4() == self.is_v4 && high(number(address)) == high(self.first)
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

impl Config {
    fn new(settings: &Settings) -> Result<Self, String> {
        let ranges = |name| settings.texts(name).iter().map(|text| Range::read(text)).collect::<Result<Vec<_>, _>>();
        let (allow, deny) = (ranges("allow")?, ranges("deny")?);
        if allow.is_empty() && deny.is_empty() {
            return Err("give one of `allow` and `deny`".to_owned());
        }
        let words = settings.text("message").map_or(Words::Known("Your IP address is not allowed"), Words::Made);
        let status = settings.count("status").unwrap_or(403) as u16;
        Ok(Self { allow, deny, stop: Stop { status, code: "forbidden", words, form: BodyForm::Error, challenge: None } })
    }
}

impl Plugin for IpRestriction {
    fn access(&mut self, turn: &mut Turn<'_>) -> Result<(), Stop> {
        let (config, ip) = (&self.config, turn.request.ip);
        let denied = config.deny.iter().any(|range| range.holds(ip));
        let allowed = config.allow.is_empty() || config.allow.iter().any(|range| range.holds(ip));
        turn.note(|| format!("address {ip}"));
        if denied || !allowed { Err(config.stop.clone()) } else { Ok(()) }
    }
    fn clone_box(&self) -> Box<dyn Plugin> {
        Box::new(self.clone())
    }
}

//! The pass itself: one node against one value, and what follows the value.

use super::scan::{self, DEPTH_MAX, Doubt, Numeral};
use super::{Array, Bound, Node, NodeIx, Number, Object, Rest, Rule, Text, Types};

/// Parts tried for each byte of the payload, and to begin with: more is left to the library.
const STEPS_PER_BYTE: usize = 8;
const STEPS_LEAST: usize = 1_000;

/// Why there is no yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Miss {
    /// The value surely breaks the schema.
    Fails,
    Doubt,
}

impl From<Doubt> for Miss {
    fn from(_: Doubt) -> Self {
        Self::Doubt
    }
}

/// Where the value ends.
type Checked = Result<usize, Miss>;

pub(super) fn is_surely_valid(nodes: &[Node], payload: &[u8]) -> bool {
    if !payload.is_ascii() && std::str::from_utf8(payload).is_err() {
        return false;
    }
    let mut pass = Pass { nodes, bytes: payload, steps: STEPS_LEAST + STEPS_PER_BYTE * payload.len() };
    let start = scan::space(payload, 0);
    pass.node(0, start, 0).is_ok_and(|end| scan::space(payload, end) == payload.len())
}

struct Pass<'a> {
    nodes: &'a [Node],
    bytes: &'a [u8],
    /// Left to take.
    steps: usize,
}

impl<'a> Pass<'a> {
    fn node(&mut self, index: NodeIx, at: usize, depth: u32) -> Checked {
        let nodes = self.nodes;
        let node = &nodes[index as usize];
        if node.is_beyond || self.steps == 0 || depth >= DEPTH_MAX {
            return Err(Miss::Doubt);
        }
        self.steps -= 1;
        let end = self.value(node, at, depth)?;
        if let Some(literals) = &node.literals {
            let here = &self.bytes[at..end];
            if !literals.iter().any(|literal| **literal == *here) {
                return Err(if is_plain(here) { Miss::Fails } else { Miss::Doubt });
            }
        }
        for rule in &node.more {
            self.rule(rule, at, depth)?;
        }
        Ok(end)
    }

    fn value(&mut self, node: &'a Node, at: usize, depth: u32) -> Checked {
        let has = |one: u8| if node.types.has(one) { Ok(()) } else { Err(Miss::Fails) };
        match self.bytes.get(at) {
            Some(b'"') => {
                has(Types::TEXT)?;
                self.text(node.text.as_deref(), at)
            }
            Some(b'-' | b'0'..=b'9') => self.number(node, at),
            Some(b'{') => {
                has(Types::OBJECT)?;
                match &node.object {
                    Some(object) => self.object(object, at, depth),
                    None => Ok(scan::skip(self.bytes, at, depth)?),
                }
            }
            Some(b'[') => {
                has(Types::ARRAY)?;
                match &node.array {
                    Some(array) => self.array(array, at, depth),
                    None => Ok(scan::skip(self.bytes, at, depth)?),
                }
            }
            Some(b't') => has(Types::BOOLEAN).and(Ok(scan::word(self.bytes, at, b"true")?)),
            Some(b'f') => has(Types::BOOLEAN).and(Ok(scan::word(self.bytes, at, b"false")?)),
            Some(b'n') => has(Types::NULL).and(Ok(scan::word(self.bytes, at, b"null")?)),
            _ => Err(Miss::Doubt),
        }
    }

    fn text(&self, rules: Option<&Text>, at: usize) -> Checked {
        let text = scan::quoted(self.bytes, at)?;
        let Some(rules) = rules else { return Ok(text.end) };
        if rules.least.is_some() || rules.most.is_some() {
            let chars = text.chars();
            if rules.least.is_some_and(|least| chars < least) || rules.most.is_some_and(|most| chars > most) {
                return Err(Miss::Fails);
            }
        }
        if rules.pattern.is_none() && rules.format.is_none() {
            return Ok(text.end);
        }
        if text.escapes > 0 {
            return Err(Miss::Doubt);
        }
        if rules.format.is_some_and(|format| !format.surely_fits(text.bytes)) {
            return Err(Miss::Doubt);
        }
        if let Some(pattern) = &rules.pattern {
            let characters = std::str::from_utf8(text.bytes).map_err(|_| Miss::Doubt)?;
            if !pattern.is_match(characters) {
                return Err(Miss::Fails);
            }
        }
        Ok(text.end)
    }

    fn number(&self, node: &Node, at: usize) -> Checked {
        let is_free = node.number.is_none() && node.types.has(Types::NUMBER) && node.literals.is_none();
        if is_free {
            return Ok(scan::skip(self.bytes, at, 0)?);
        }
        let (numeral, end) = scan::numeral(self.bytes, at)?;
        match numeral {
            Numeral::Whole(_) if !node.types.has(Types::NUMBER | Types::WHOLE) => return Err(Miss::Fails),
            // 1.0 may be a whole number, and may equal a literal 1.
            Numeral::Real(_) if !node.types.has(Types::NUMBER) || node.literals.is_some() => return Err(Miss::Doubt),
            _ => {}
        }
        if let Some(rules) = &node.number {
            rules.check(numeral)?;
        }
        Ok(end)
    }

    fn array(&mut self, rules: &'a Array, at: usize, depth: u32) -> Checked {
        let mut at = scan::space(self.bytes, at + 1);
        let mut count = 0;
        if self.bytes.get(at) != Some(&b']') {
            loop {
                count += 1;
                let end = match rules.items {
                    Some(items) => self.node(items, at, depth + 1)?,
                    None => scan::skip(self.bytes, at, depth + 1)?,
                };
                at = scan::space(self.bytes, end);
                match self.bytes.get(at) {
                    Some(b',') => at = scan::space(self.bytes, at + 1),
                    Some(b']') => break,
                    _ => return Err(Miss::Doubt),
                }
            }
        }
        let is_kept = count >= rules.least && rules.most.is_none_or(|most| count <= most);
        if is_kept { Ok(at + 1) } else { Err(Miss::Fails) }
    }

    fn object(&mut self, rules: &'a Object, at: usize, depth: u32) -> Checked {
        let mut at = scan::space(self.bytes, at + 1);
        let mut fields = Fields { seen: 0, next: 0, count: 0, has_unknown: false, is_doubtful: false };
        let mut has_failed = false;
        if self.bytes.get(at) != Some(&b'}') {
            loop {
                let (key, value) = scan::key(self.bytes, at)?;
                let end = match self.field(rules, key, value, depth, &mut fields) {
                    // Whether this decides shows at the end: a key may come again, and its last value counts.
                    Err(Miss::Fails) => {
                        has_failed = true;
                        scan::skip(self.bytes, value, depth + 1)?
                    }
                    checked => checked?,
                };
                at = scan::space(self.bytes, end);
                match self.bytes.get(at) {
                    Some(b',') => at = scan::space(self.bytes, at + 1),
                    Some(b'}') => break,
                    _ => return Err(Miss::Doubt),
                }
            }
        }
        let has_bound = rules.least > 0 || rules.most.is_some();
        if fields.is_doubtful || (has_bound && fields.has_unknown) {
            return Err(Miss::Doubt);
        }
        let is_missing = fields.seen & rules.required != rules.required;
        let is_kept = fields.count >= rules.least && rules.most.is_none_or(|most| fields.count <= most);
        if has_failed || is_missing || !is_kept { Err(Miss::Fails) } else { Ok(at + 1) }
    }

    fn field(&mut self, rules: &'a Object, key: &[u8], value: usize, depth: u32, fields: &mut Fields) -> Checked {
        fields.count += 1;
        if let Some(at) = fields.find(rules, key) {
            fields.is_doubtful |= fields.seen & (1 << at) != 0;
            fields.seen |= 1 << at;
            let field = &rules.fields[at];
            if !field.is_bare {
                return self.node(field.node, value, depth + 1);
            }
        } else {
            fields.has_unknown = true;
        }
        match rules.rest {
            Rest::Open => Ok(scan::skip(self.bytes, value, depth + 1)?),
            Rest::Closed => Err(Miss::Fails),
            Rest::Must(node) => {
                let checked = self.node(node, value, depth + 1);
                // Nobody counts the unknown keys: this one may come again.
                fields.is_doubtful |= checked == Err(Miss::Fails);
                checked
            }
        }
    }

    fn rule(&mut self, rule: &'a Rule, at: usize, depth: u32) -> Result<(), Miss> {
        match rule {
            Rule::All(nodes) => nodes.iter().try_for_each(|node| self.node(*node, at, depth + 1).map(drop)),
            Rule::Any(nodes) => {
                let mut miss = Miss::Fails;
                for node in nodes {
                    match self.node(*node, at, depth + 1) {
                        Ok(_) => return Ok(()),
                        Err(Miss::Doubt) => miss = Miss::Doubt,
                        Err(Miss::Fails) => {}
                    }
                }
                Err(miss)
            }
            Rule::One(nodes) => {
                let mut count = 0;
                for node in nodes {
                    match self.node(*node, at, depth + 1) {
                        Ok(_) => count += 1,
                        Err(Miss::Doubt) => return Err(Miss::Doubt),
                        Err(Miss::Fails) => {}
                    }
                }
                if count == 1 { Ok(()) } else { Err(Miss::Fails) }
            }
            Rule::Not(node) => match self.node(*node, at, depth + 1) {
                Ok(_) => Err(Miss::Fails),
                Err(Miss::Fails) => Ok(()),
                Err(Miss::Doubt) => Err(Miss::Doubt),
            },
            Rule::When(condition, then, otherwise) => {
                let next = match self.node(*condition, at, depth + 1) {
                    Ok(_) => then,
                    Err(Miss::Fails) => otherwise,
                    Err(Miss::Doubt) => return Err(Miss::Doubt),
                };
                next.map_or(Ok(()), |node| self.node(node, at, depth + 1).map(drop))
            }
        }
    }
}

/// What an object's keys have been so far.
struct Fields {
    seen: u128,
    /// The field that is looked at first.
    next: usize,
    count: u64,
    has_unknown: bool,
    /// A key came twice, or may have.
    is_doubtful: bool,
}

impl Fields {
    fn find(&mut self, rules: &Object, key: &[u8]) -> Option<usize> {
        let is_here = |at: &usize| rules.fields.get(*at).is_some_and(|field| *field.name == *key);
        let next = self.next;
        let found = Some(next).filter(is_here).or_else(|| (0..rules.fields.len()).find(is_here));
        if let Some(at) = found {
            self.next = at + 1;
        }
        found
    }
}

impl Number {
    fn check(&self, numeral: Numeral) -> Result<(), Miss> {
        for (bound, is_kept) in [
            (self.least, std::cmp::Ordering::is_ge as fn(std::cmp::Ordering) -> bool),
            (self.most, std::cmp::Ordering::is_le),
            (self.above, std::cmp::Ordering::is_gt),
            (self.below, std::cmp::Ordering::is_lt),
        ] {
            if let Some(bound) = bound
                && !is_kept(order(numeral, bound)?)
            {
                return Err(Miss::Fails);
            }
        }
        match (self.step, numeral) {
            (None, _) => Ok(()),
            (Some(step), Numeral::Whole(number)) if number % step == 0 => Ok(()),
            (Some(_), Numeral::Whole(_)) => Err(Miss::Fails),
            (Some(_), Numeral::Real(_)) => Err(Miss::Doubt),
        }
    }
}

/// Compares where both are exact.
fn order(numeral: Numeral, bound: Bound) -> Result<std::cmp::Ordering, Miss> {
    /// Whole numbers up to here are exact as floats.
    const EXACT_MAX: i64 = 1 << 53;
    let exact = |whole: i64| if whole.abs() <= EXACT_MAX { Ok(whole as f64) } else { Err(Miss::Doubt) };
    let (number, bound) = match (numeral, bound) {
        (Numeral::Whole(number), Bound::Whole(bound)) => return Ok(number.cmp(&bound)),
        (Numeral::Whole(number), Bound::Real(bound)) => (exact(number)?, bound),
        (Numeral::Real(number), Bound::Whole(bound)) => (number, exact(bound)?),
        (Numeral::Real(number), Bound::Real(bound)) => (number, bound),
    };
    number.partial_cmp(&bound).ok_or(Miss::Doubt)
}

/// Written in the one way that its value can be written here: what equals no literal byte by byte equals none.
fn is_plain(value: &[u8]) -> bool {
    match value.first() {
        Some(b'"') => !value.contains(&b'\\'),
        Some(b'{' | b'[') => false,
        _ => true,
    }
}

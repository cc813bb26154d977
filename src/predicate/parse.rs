//! From tokens to a checked expectation, by precedence; the units are checked as each node is made.

use super::expr::{Arithmetic, Compare, Expr, Node};
use super::figure::{FigureFn, FigureSpec};
use super::lexer::{Token, tokens};
use super::{DEPTH_MAX, Expectation, FigureRef, ParseError, Suffix, Target, Unit, types};
use crate::units::{SimDuration, UnitError};

/// Longest `after` and `for`.
const SUFFIX_MAX: SimDuration = SimDuration::from_secs(365 * 86_400);
/// Words that are no figures.
const KEYWORDS: [&str; 7] = ["and", "or", "not", "after", "for", "at", "end"];

pub(super) fn expectation(text: &str) -> Result<Expectation, ParseError> {
    let tokens = tokens(text)?;
    if tokens.len() == 1 {
        return Err(ParseError::new(1, "the expectation is empty").with_hint("for example: p99(latency) < 200ms"));
    }
    let mut parser = Parser { tokens: &tokens, next: 0, depth: 0 };
    let condition = parser.disjunction()?;
    types::condition(&condition)?;
    let suffix = parser.suffix()?;
    if let Token::End = parser.token() {
    } else {
        let error = ParseError::new(parser.at(), format!("did not expect {}", parser.token().shown()));
        return Err(match parser.token() {
            Token::Sign(")") => error.with_hint("no parenthesis is open here"),
            Token::Sign(sign) if Compare::ALL.iter().any(|compare| compare.sign() == *sign) => {
                error.with_hint("a comparison has two sides; join two with `and`: `a < b and b < c`")
            }
            _ => error.with_hint("join conditions with `and` or `or`; `after 30s`, `for 10s` and `at end` come last"),
        });
    }
    if !condition.names_a_figure() {
        return Err(
            ParseError::new(1, "no figure of the run stands here, so nothing can break it").with_hint("for example: p99(latency) < 200ms")
        );
    }
    Ok(Expectation { condition, suffix })
}

struct Parser<'a> {
    tokens: &'a [(usize, Token)],
    next: usize,
    depth: usize,
}

impl Parser<'_> {
    fn token(&self) -> &Token {
        // Invariant: the last token is End and is never consumed.
        &self.tokens[self.next].1
    }
    fn at(&self) -> usize {
        self.tokens[self.next].0
    }
    fn advance(&mut self) {
        if self.next + 1 < self.tokens.len() {
            self.next += 1;
        }
    }
    fn take_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.token(), Token::Sign(here) if *here == sign);
        if found {
            self.advance();
        }
        found
    }
    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.token(), Token::Word(here) if here == word);
        if found {
            self.advance();
        }
        found
    }
    fn expect_sign(&mut self, sign: &str, why: &str) -> Result<(), ParseError> {
        if self.take_sign(sign) {
            return Ok(());
        }
        Err(ParseError::new(self.at(), format!("expected `{sign}`, found {}", self.token().shown())).with_hint(why))
    }
    /// Runs `parse` one level deeper.
    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T, ParseError>) -> Result<T, ParseError> {
        if self.depth == DEPTH_MAX {
            return Err(
                ParseError::new(self.at(), format!("nested more than {DEPTH_MAX} deep")).with_hint("split it into several expectations")
            );
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn disjunction(&mut self) -> Result<Expr, ParseError> {
        let mut left = self.conjunction()?;
        loop {
            let at = self.at();
            if !self.take_word("or") {
                return Ok(left);
            }
            let right = self.conjunction()?;
            types::condition(&left)?;
            types::condition(&right)?;
            left = Expr { node: Node::Or(Box::new(left), Box::new(right)), at, unit: Unit::Truth };
        }
    }
    fn conjunction(&mut self) -> Result<Expr, ParseError> {
        let mut left = self.negation()?;
        loop {
            let at = self.at();
            if !self.take_word("and") {
                return Ok(left);
            }
            let right = self.negation()?;
            types::condition(&left)?;
            types::condition(&right)?;
            left = Expr { node: Node::And(Box::new(left), Box::new(right)), at, unit: Unit::Truth };
        }
    }
    fn negation(&mut self) -> Result<Expr, ParseError> {
        let at = self.at();
        if !self.take_word("not") {
            return self.comparison();
        }
        let inner = self.deeper(Self::negation)?;
        types::condition(&inner)?;
        Ok(Expr { node: Node::Not(Box::new(inner)), at, unit: Unit::Truth })
    }
    fn comparison(&mut self) -> Result<Expr, ParseError> {
        let left = self.sum()?;
        let at = self.at();
        let Token::Sign(sign) = *self.token() else { return Ok(left) };
        let Some(compare) = Compare::ALL.into_iter().find(|compare| compare.sign() == sign) else { return Ok(left) };
        self.advance();
        let right = self.sum()?;
        types::common(&left, &right, "compare", at)?;
        Ok(Expr { node: Node::Compare(compare, Box::new(left), Box::new(right)), at, unit: Unit::Truth })
    }
    fn sum(&mut self) -> Result<Expr, ParseError> {
        self.chain(&[Arithmetic::Add, Arithmetic::Subtract], Self::product)
    }
    fn product(&mut self) -> Result<Expr, ParseError> {
        self.chain(&[Arithmetic::Multiply, Arithmetic::Divide], Self::signed)
    }
    fn chain(&mut self, signs: &[Arithmetic], part: fn(&mut Self) -> Result<Expr, ParseError>) -> Result<Expr, ParseError> {
        let mut left = part(self)?;
        loop {
            let at = self.at();
            let Some(sign) = signs.iter().copied().find(|sign| self.take_sign(sign.sign())) else { return Ok(left) };
            let right = part(self)?;
            let unit = types::arithmetic(sign, &left, &right, at)?;
            left = Expr { node: Node::Arithmetic(sign, Box::new(left), Box::new(right)), at, unit };
        }
    }
    fn signed(&mut self) -> Result<Expr, ParseError> {
        let at = self.at();
        if !self.take_sign("-") {
            return self.primary();
        }
        let inner = self.deeper(Self::signed)?;
        if inner.unit == Unit::Truth {
            return Err(ParseError::new(inner.at, "a condition has no sign").with_hint("write `not`"));
        }
        let unit = inner.unit;
        Ok(Expr { node: Node::Negative(Box::new(inner)), at, unit })
    }
    fn primary(&mut self) -> Result<Expr, ParseError> {
        let at = self.at();
        match self.token().clone() {
            Token::Number { value, unit, text } => {
                self.advance();
                Ok(Expr { node: Node::Number { value, text }, at, unit })
            }
            Token::Sign("(") => {
                self.advance();
                let inner = self.deeper(Self::disjunction)?;
                self.expect_sign(")", "close the parenthesis")?;
                Ok(inner)
            }
            Token::Word(word) => self.figure(at, &word),
            Token::Name(name) => Err(ParseError::new(at, format!("\"{name}\" is a name, not a figure"))
                .with_hint(format!("say which of its figures: lag(\"{name}\"), p99(latency, \"{name}\")…"))),
            other => Err(ParseError::new(at, format!("expected a figure or a number, found {}", other.shown()))
                .with_hint("for example: p99(latency) < 200ms")),
        }
    }

    fn figure(&mut self, at: usize, word: &str) -> Result<Expr, ParseError> {
        let table = FigureFn::table();
        let Some(spec) = table.iter().find(|spec| spec.name == word) else {
            return Err(unknown(at, "figure", word, table.iter().map(|spec| spec.name)));
        };
        self.advance();
        let (metric, target, target_at) = if spec.function.is_ledger() { self.ledger_term(spec)? } else { self.arguments(spec)? };
        let figure = FigureRef { function: spec.function, metric, target };
        Ok(Expr { node: Node::Figure { figure, target_at }, at, unit: spec.unit })
    }
    fn ledger_term(&mut self, spec: &FigureSpec) -> Result<(Option<String>, Option<String>, usize), ParseError> {
        self.expect_sign(".", &format!("name a term: {}.{}", spec.name, spec.metrics[1]))?;
        let at = self.at();
        let Token::Word(word) = self.token().clone() else {
            return Err(ParseError::new(at, format!("expected a term of the ledger, found {}", self.token().shown()))
                .with_hint(format!("terms are {}", spec.metrics.join(", "))));
        };
        self.advance();
        Ok((Some(known(at, "term", &word, spec.metrics)?), None, at))
    }
    /// `(metric, "target")` with what the figure's line allows.
    fn arguments(&mut self, spec: &FigureSpec) -> Result<(Option<String>, Option<String>, usize), ParseError> {
        let example = example(spec);
        let opened_at = self.at();
        let (mut metric, mut target, mut target_at) = (None, None, opened_at);
        if self.take_sign("(") && !self.take_sign(")") {
            loop {
                let at = self.at();
                match self.token().clone() {
                    Token::Word(word) if !spec.metrics.is_empty() && metric.is_none() => {
                        metric = Some(known(at, "word", &word, spec.metrics)?);
                    }
                    Token::Name(name) if spec.target != Target::None && target.is_none() => {
                        target = Some(name);
                        target_at = at;
                    }
                    Token::Word(word) if spec.target != Target::None && target.is_none() => {
                        return Err(ParseError::new(at, format!("expected a name in quotes, found `{word}`"))
                            .with_hint(format!("write \"{word}\"")));
                    }
                    Token::Name(name) if metric.is_none() && spec.metrics.contains(&name.as_str()) => {
                        return Err(ParseError::new(at, format!("`{name}` is a word of the language, not a name"))
                            .with_hint("write it without quotes"));
                    }
                    other => {
                        return Err(ParseError::new(at, format!("did not expect {} in `{}`", other.shown(), spec.name))
                            .with_hint(format!("for example: {example}")));
                    }
                }
                self.advance();
                if self.take_sign(")") {
                    break;
                }
                self.expect_sign(",", &format!("for example: {example}"))?;
            }
        }
        if metric.is_none() && !spec.metrics.is_empty() {
            return Err(ParseError::new(opened_at, format!("`{}` of what?", spec.name))
                .with_hint(format!("one of {}; for example: {example}", spec.metrics.join(", "))));
        }
        if target.is_none()
            && let Target::Required(kinds) = spec.target
        {
            return Err(ParseError::new(opened_at, format!("`{}` needs the name of a {kinds}", spec.name))
                .with_hint(format!("for example: {example}")));
        }
        Ok((metric, target, target_at))
    }

    fn suffix(&mut self) -> Result<Suffix, ParseError> {
        let mut suffix = Suffix::default();
        loop {
            let at = self.at();
            let twice = |again: bool, word: &str| {
                if again { Err(ParseError::new(at, format!("`{word}` stands here twice"))) } else { Ok(()) }
            };
            if self.take_word("after") {
                twice(suffix.after.is_some(), "after")?;
                suffix.after = Some(self.duration("after")?);
            } else if self.take_word("for") {
                twice(suffix.lasting.is_some(), "for")?;
                suffix.lasting = Some(self.duration("for")?);
            } else if self.take_word("at") {
                if !self.take_word("end") {
                    return Err(ParseError::new(self.at(), format!("expected `end`, found {}", self.token().shown()))
                        .with_hint("write `at end`, or `after 30s`"));
                }
                twice(suffix.at_end, "at end")?;
                suffix.at_end = true;
            } else {
                return Ok(suffix);
            }
            if suffix.at_end && (suffix.after.is_some() || suffix.lasting.is_some()) {
                return Err(ParseError::new(at, "`at end` judges once, at the end; `after` and `for` have no meaning beside it")
                    .with_hint("leave one of them out"));
            }
        }
    }
    fn duration(&mut self, word: &str) -> Result<SimDuration, ParseError> {
        let at = self.at();
        match self.token().clone() {
            Token::Number { text, unit: Unit::Duration, .. } => {
                self.advance();
                let span: SimDuration = text.parse().map_err(|error: UnitError| ParseError::new(at, error.to_string()))?;
                if span > SUFFIX_MAX {
                    return Err(ParseError::new(at, format!("`{text}` is longer than any run; at most {SUFFIX_MAX}")));
                }
                Ok(span)
            }
            Token::Number { text, unit: Unit::Plain, .. } => {
                Err(ParseError::new(at, format!("`{text}` has no unit")).with_hint(format!("write `{word} {text}s`")))
            }
            other => {
                Err(ParseError::new(at, format!("expected a duration, found {}", other.shown())).with_hint(format!("write `{word} 30s`")))
            }
        }
    }
}

/// How a figure is written.
fn example(spec: &FigureSpec) -> String {
    let target = (spec.target != Target::None).then(|| "billing".to_owned());
    FigureRef { function: spec.function, metric: spec.metrics.first().map(|word| (*word).to_owned()), target }.to_string()
}

fn known(at: usize, what: &str, word: &str, words: &[&'static str]) -> Result<String, ParseError> {
    if words.contains(&word) { Ok(word.to_owned()) } else { Err(unknown(at, what, word, words.iter().copied())) }
}

fn unknown<'a>(at: usize, what: &str, word: &str, words: impl Iterator<Item = &'a str> + Clone) -> ParseError {
    const SHOWN_CHARS_MAX: usize = 40;
    let shown: String = word.chars().take(SHOWN_CHARS_MAX).collect();
    if KEYWORDS.contains(&word) {
        return ParseError::new(at, format!("expected a {what}, found `{shown}`"));
    }
    let error = ParseError::new(at, format!("there is no {what} `{shown}`"));
    match crate::diagnostics::nearest(word, words.clone()) {
        Some(near) => error.with_hint(format!("did you mean `{near}`?")),
        None => error.with_hint(format!("it may be {}", words.collect::<Vec<_>>().join(", "))),
    }
}

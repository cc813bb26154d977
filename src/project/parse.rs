//! Tokens to a tree. An error is reported and passed over: the next comma, bracket or line is a new chance.
//!
//! In: a text. Out: a [`Document`], as whole as the text allows, and every problem with its place. Depth,
//! nodes, texts and problems have limits, so hostile text costs no more than its length.
//! Must not know: what a project is. Start at [`parse`].

use super::lexer::{Bracket, Lexer, Token, TokenKind};
use super::limits::{DEPTH_MAX, FILE_BYTES_MAX, NODES_MAX, PROBLEMS_MAX};
use super::literal;
use super::tree::{Comment, Data, Document, Group, Item, Key, Node};
use crate::diagnostics::{Diagnostic, Place};

/// Reads a text as one value.
pub(super) fn parse(text: &str) -> (Document, Vec<Diagnostic>) {
    let mut lexer = Lexer::new(if text.len() > FILE_BYTES_MAX { "" } else { text });
    let token = lexer.next_token();
    let mut parser = Parser { text, lexer, token, open: Vec::new(), path: String::new(), nodes: 0, halted: false, problems: Vec::new() };
    if text.len() > FILE_BYTES_MAX {
        let place = parser.token.place;
        parser.problem("limit-file", place, format!("the file is larger than {} MiB", FILE_BYTES_MAX >> 20), None);
        parser.halt();
    }
    let document = parser.document();
    (document, parser.problems)
}

struct Parser<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    token: Token,
    /// Brackets that are open, outermost first.
    open: Vec<Bracket>,
    path: String,
    nodes: usize,
    halted: bool,
    problems: Vec<Diagnostic>,
}

impl Parser<'_> {
    fn document(&mut self) -> Document {
        let mut attributes = Vec::new();
        let mut before = Vec::new();
        loop {
            self.comments(&mut before);
            if self.token.kind != TokenKind::Attribute {
                break;
            }
            attributes.push(self.text[self.token.start..self.token.end].to_owned());
            self.bump();
        }
        let root = if self.token.kind == TokenKind::End {
            let place = self.token.place;
            self.problem("syntax", place, "the file is empty".into(), Some("a project is one `( … )` of fields, `format: 1` first"));
            self.broken()
        } else {
            self.value()
        };
        let mut after = Vec::new();
        self.comments(&mut after);
        if self.token.kind != TokenKind::End {
            let message = format!("expected the end of the file, found {}", self.found());
            let place = self.token.place;
            self.problem("syntax", place, message, Some("a file holds one value; look for a bracket that closes too early"));
        }
        Document { attributes, before, root, after }
    }

    fn value(&mut self) -> Node {
        let token = self.token;
        if !self.count_node() {
            return self.broken();
        }
        let data = match token.kind {
            TokenKind::Open(bracket) => return self.group_or_skip(bracket, None, token),
            TokenKind::Word => {
                let word = &self.text[token.start..token.end];
                let next = self.peek();
                self.bump();
                match word {
                    "true" => Data::Bool(true),
                    "false" => Data::Bool(false),
                    "inf" | "NaN" | "nan" | "Infinity" => {
                        self.problem("number", token.place, format!("`{word}` is not a number that can be used here"), None);
                        Data::Broken
                    }
                    word if next.kind == TokenKind::Open(Bracket::Round) && next.start == token.end => {
                        return self.group_or_skip(Bracket::Round, Some(word.to_owned()), token);
                    }
                    word => Data::Word(word.to_owned()),
                }
            }
            TokenKind::Number => {
                self.bump();
                match literal::number(&self.text[token.start..token.end]) {
                    Ok(data) => data,
                    Err((message, hint)) => {
                        self.problem("number", token.place, message, hint.as_deref());
                        Data::Broken
                    }
                }
            }
            TokenKind::Text { .. } | TokenKind::RawText { .. } | TokenKind::Char => self.text_value(token),
            _ => {
                let message = format!("expected a value, found {}", self.found());
                self.problem("syntax", token.place, message, None);
                if !matches!(token.kind, TokenKind::Comma | TokenKind::Close(_) | TokenKind::End) {
                    self.bump();
                }
                Data::Broken
            }
        };
        Node { data, place: token.place, start: token.start, end: token.end }
    }

    fn text_value(&mut self, token: Token) -> Data {
        self.bump();
        let mut problems = Vec::new();
        let text = literal::text(self.text, token, &mut problems);
        for (code, place, message) in problems {
            self.problem(code, place, message, None);
        }
        text.map_or(Data::Broken, Data::Text)
    }

    fn group_or_skip(&mut self, bracket: Bracket, name: Option<String>, first: Token) -> Node {
        let place = first.place;
        if self.open.len() >= DEPTH_MAX {
            self.problem("limit-depth", place, format!("brackets are nested deeper than {DEPTH_MAX}"), None);
            self.skip_balanced();
            return Node { place, start: first.start, ..self.broken() };
        }
        self.open.push(bracket);
        let (group, end) = self.group(bracket, name);
        self.open.pop();
        let some = group.name.as_deref() == Some("Some") && group.items.len() == 1 && group.items[0].key.is_none();
        let data = if some { group.items.into_iter().next().expect("it holds one item").value.data } else { Data::Group(group) };
        Node { data, place, start: first.start, end }
    }

    fn group(&mut self, bracket: Bracket, name: Option<String>) -> (Group, usize) {
        let opened = self.token;
        let mut group = Group { name, ..Group::new(bracket, Vec::new()) };
        self.bump();
        let mut before = Vec::new();
        let mut end = opened.end;
        let mut lines = false;
        loop {
            self.comments(&mut before);
            let token = self.token;
            lines |= token.place.line != opened.place.line;
            match token.kind {
                TokenKind::Close(close) if close == bracket => {
                    end = token.end;
                    self.bump();
                    break;
                }
                TokenKind::Close(close) => {
                    let message = format!(
                        "expected `{}` for the `{}` of line {}, found `{}`",
                        bracket.close(),
                        bracket.open(),
                        opened.place.line,
                        close.close()
                    );
                    self.problem("syntax", token.place, message, None);
                    // It may close a group further out; if so this one ends here.
                    if self.open[..self.open.len() - 1].contains(&close) {
                        break;
                    }
                    self.bump();
                }
                TokenKind::End => {
                    self.problem("syntax", opened.place, format!("this `{}` is never closed", bracket.open()), None);
                    break;
                }
                TokenKind::Comma => {
                    self.problem("syntax", token.place, "expected an entry, found `,`".into(), None);
                    self.bump();
                }
                _ => {
                    let item = self.item(bracket, group.items.len(), std::mem::take(&mut before));
                    group.items.push(item);
                    self.separator(bracket, &mut group, &mut before);
                    end = self.token.start;
                }
            }
        }
        group.tail = before;
        group.broken = Some(lines);
        self.check_names(&group);
        (group, end)
    }

    fn item(&mut self, bracket: Bracket, index: usize, before: Vec<Comment>) -> Item {
        let blank_before = self.token.lines_before >= 2;
        let length = self.path.len();
        let mut item = Item { before, blank_before, ..Item::listed(self.broken()) };
        let nameable = matches!(
            self.token.kind,
            TokenKind::Word | TokenKind::Text { .. } | TokenKind::RawText { .. } | TokenKind::Char | TokenKind::Number
        );
        if bracket != Bracket::Square && nameable && self.peek().kind == TokenKind::Colon {
            let token = self.token;
            let text = match token.kind {
                TokenKind::Word | TokenKind::Number => {
                    self.bump();
                    self.text[token.start..token.end].to_owned()
                }
                _ => {
                    if let Data::Text(text) = self.text_value(token) {
                        text
                    } else {
                        String::new()
                    }
                }
            };
            self.comments(&mut item.before);
            self.bump();
            self.comments(&mut item.before);
            if !self.path.is_empty() {
                self.path.push('.');
            }
            self.path.extend(text.chars().take(80));
            item.key = Some(Key { text, place: token.place });
        } else {
            self.path.push_str(&format!("[{index}]"));
        }
        item.value = self.value();
        self.path.truncate(length);
        item
    }

    /// What stands between an item and the next: a comma, comments of the item's line, or a mistake.
    fn separator(&mut self, bracket: Bracket, group: &mut Group, before: &mut Vec<Comment>) {
        let mut after = Vec::new();
        self.same_line_comments(&mut after);
        self.comments(before);
        match self.token.kind {
            TokenKind::Comma => {
                self.bump();
                self.same_line_comments(&mut after);
            }
            TokenKind::Close(_) | TokenKind::End => {}
            _ => {
                let message = format!("expected `,` or `{}`, found {}", bracket.close(), self.found());
                let place = self.token.place;
                self.problem("syntax", place, message, None);
                let a_field_follows =
                    bracket != Bracket::Square && self.token.kind == TokenKind::Word && self.peek().kind == TokenKind::Colon;
                if self.token.lines_before == 0 && !a_field_follows {
                    self.skip_to_separator();
                }
            }
        }
        if let Some(item) = group.items.last_mut() {
            item.after = after;
        }
    }

    fn check_names(&mut self, group: &Group) {
        let wants_names = group.bracket == Bracket::Curly || group.items.iter().any(|item| item.key.is_some());
        let nameless = group.items.iter().find(|item| item.key.is_none() && !matches!(item.value.data, Data::Broken));
        if let Some(item) = nameless.filter(|_| wants_names) {
            let what = if group.bracket == Bracket::Curly { "an entry of a map is `\"name\": value`" } else { "a field is `name: value`" };
            self.problem("syntax", item.value.place, format!("{what}; there is no name here"), None);
        }
    }

    fn skip_to_separator(&mut self) {
        loop {
            match self.token.kind {
                TokenKind::Comma => {
                    self.bump();
                    return;
                }
                TokenKind::Close(_) | TokenKind::End => return,
                TokenKind::Open(_) => self.skip_balanced(),
                _ => self.bump(),
            }
            if self.token.lines_before > 0 {
                return;
            }
        }
    }

    /// Passes over a group, however deep, without recursion.
    fn skip_balanced(&mut self) {
        let mut depth = 0_usize;
        loop {
            match self.token.kind {
                TokenKind::Open(_) => depth += 1,
                TokenKind::Close(_) => depth = depth.saturating_sub(1),
                TokenKind::End => return,
                _ => {}
            }
            self.bump();
            if depth == 0 {
                return;
            }
        }
    }

    fn same_line_comments(&mut self, into: &mut Vec<Comment>) {
        while self.is_comment() && self.token.lines_before == 0 {
            self.comment(into);
        }
    }
    fn comments(&mut self, into: &mut Vec<Comment>) {
        while self.is_comment() {
            self.comment(into);
        }
    }
    fn is_comment(&self) -> bool {
        matches!(self.token.kind, TokenKind::LineComment | TokenKind::BlockComment { .. })
    }
    fn comment(&mut self, into: &mut Vec<Comment>) {
        let token = self.token;
        if token.kind == (TokenKind::BlockComment { closed: false }) {
            self.problem("syntax", token.place, "this comment is never closed".into(), Some("end it with `*/`"));
        }
        if self.count_node() {
            let text = self.text[token.start..token.end].trim_end().to_owned();
            into.push(Comment { text, blank_before: token.lines_before >= 2 });
        }
        self.bump();
    }

    fn bump(&mut self) {
        if !self.halted {
            self.token = self.lexer.next_token();
        }
    }
    fn peek(&self) -> Token {
        let mut lexer = self.lexer.clone();
        loop {
            let token = lexer.next_token();
            if !matches!(token.kind, TokenKind::LineComment | TokenKind::BlockComment { .. }) {
                return token;
            }
        }
    }
    fn broken(&self) -> Node {
        Node { data: Data::Broken, place: self.token.place, start: self.token.start, end: self.token.start }
    }
    fn count_node(&mut self) -> bool {
        self.nodes += 1;
        if self.nodes > NODES_MAX && !self.halted {
            let place = self.token.place;
            self.problem("limit-nodes", place, format!("the file holds more than {NODES_MAX} values"), None);
            self.halt();
        }
        !self.halted
    }
    /// Gives up on the rest of the text, quietly.
    fn halt(&mut self) {
        self.halted = true;
        self.token = Token { kind: TokenKind::End, start: self.token.start, end: self.token.start, ..self.token };
    }
    fn found(&self) -> String {
        const SHOWN_MAX: usize = 30;
        match self.token.kind {
            TokenKind::End => "the end of the file".into(),
            _ => {
                let text = &self.text[self.token.start..self.token.end];
                let shown: String = text.chars().take_while(|c| *c != '\n').take(SHOWN_MAX).collect();
                if shown.len() < text.len() { format!("`{shown}…`") } else { format!("`{shown}`") }
            }
        }
    }
    fn problem(&mut self, code: &str, place: Place, message: String, hint: Option<&str>) {
        if self.halted {
            return;
        }
        let mut diagnostic = Diagnostic::error(code, self.path.clone(), message).at(place);
        diagnostic.hint = hint.map(str::to_owned);
        self.problems.push(diagnostic);
        if self.problems.len() >= PROBLEMS_MAX {
            let message = format!("more than {PROBLEMS_MAX} problems; the rest of the file was not read");
            self.problems.push(Diagnostic::error("limit-problems", "", message).at(place));
            self.halt();
        }
    }
}

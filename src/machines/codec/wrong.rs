//! What is wrong with a payload and in which field, found inside out by the walks over bytes.

/// What is wrong.
#[derive(Debug)]
pub(super) struct Wrong {
    what: String,
    /// From the innermost field outwards.
    path: Vec<String>,
}

impl Wrong {
    #[cold]
    pub(super) fn new(what: String) -> Box<Self> {
        Box::new(Self { what, path: Vec::new() })
    }
    /// `field customer.address: expected string, 0 bytes left`.
    pub(super) fn words(&self) -> String {
        if self.path.is_empty() {
            return self.what.clone();
        }
        let mut words = "field ".to_owned();
        for (index, part) in self.path.iter().rev().enumerate() {
            if index > 0 && !part.starts_with('[') {
                words.push('.');
            }
            words.push_str(part);
        }
        words.push_str(": ");
        words.push_str(&self.what);
        words
    }
    #[cold]
    pub(super) fn within(mut self: Box<Self>, part: String) -> Box<Self> {
        /// Recursive data can nest deeply; the outermost parts are what a person looks for.
        const PARTS_MAX: usize = 16;
        if self.path.len() == PARTS_MAX {
            self.path.remove(0);
        }
        self.path.push(part);
        self
    }
}

//! Under which subject a client looks for the schema of what it writes.
//!
//! Start at [`SubjectNaming::subject`]; the source is Confluent's three `SubjectNameStrategy` classes.

/// A strategy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SubjectNaming {
    /// `<topic>-key` or `<topic>-value`.
    #[default]
    Topic,
    /// The full name of the record.
    Record,
    /// `<topic>-<full name>`.
    TopicRecord,
}

impl SubjectNaming {
    /// As the product's classes are named, without `Strategy`.
    pub const WORDS: &'static [&'static str] = &["TopicName", "RecordName", "TopicRecordName"];
    const ALL: [Self; 3] = [Self::Topic, Self::Record, Self::TopicRecord];

    /// By its word; the product's default for any other.
    #[must_use]
    pub fn named(word: &str) -> Self {
        Self::WORDS.iter().position(|known| *known == word).map_or(Self::Topic, |at| Self::ALL[at])
    }
    /// The subject of what is written to a topic with a schema of this name.
    ///
    /// # Errors
    /// When the strategy needs a name and the schema has none.
    pub fn subject(self, topic: &str, is_key: bool, record: Option<&str>) -> Result<String, String> {
        let part = if is_key { "key" } else { "value" };
        let unnamed =
            || format!("the {part} of {topic} has a schema without a name: the strategies RecordName and TopicRecordName need one");
        match self {
            Self::Topic => Ok(format!("{topic}-{part}")),
            Self::Record => record.map(str::to_owned).ok_or_else(unnamed),
            Self::TopicRecord => record.map(|record| format!("{topic}-{record}")).ok_or_else(unnamed),
        }
    }
}

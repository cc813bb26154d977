//! Calendar windows in UTC, as kong/tools/timestamp.lua cuts them.

use crate::units::CivilDate;

/// Length of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the words say it")]
pub enum Period {
    Second,
    Minute,
    Hour,
    Day,
    Month,
    Year,
}

const DAY_S: i64 = 86_400;

impl Period {
    /// Shortest first.
    pub const ALL: [Self; 6] = [Self::Second, Self::Minute, Self::Hour, Self::Day, Self::Month, Self::Year];

    /// In configuration: `minute`.
    #[must_use]
    pub fn name(self) -> &'static str {
        ["second", "minute", "hour", "day", "month", "year"][self as usize]
    }
    /// In header names: `Minute`.
    #[must_use]
    pub fn title(self) -> &'static str {
        ["Second", "Minute", "Hour", "Day", "Month", "Year"][self as usize]
    }
    /// What the product counts a window as (plugins/rate-limiting/expiration.lua): months have 30 days there.
    #[must_use]
    pub fn nominal_s(self) -> i64 {
        [1, 60, 3_600, DAY_S, 30 * DAY_S, 365 * DAY_S][self as usize]
    }
    /// Unix second at which the window around `unix_s` began.
    #[must_use]
    pub fn start(self, unix_s: i64) -> i64 {
        let today = || CivilDate::of_day(unix_s.div_euclid(DAY_S));
        match self {
            Self::Second | Self::Minute | Self::Hour | Self::Day => unix_s - unix_s.rem_euclid(self.nominal_s()),
            Self::Month => CivilDate { day: 1, ..today() }.days() * DAY_S,
            Self::Year => CivilDate { month: 1, day: 1, ..today() }.days() * DAY_S,
        }
    }
}

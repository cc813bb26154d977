//! Calendar windows in UTC, as kong/tools/timestamp.lua cuts them.

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
        match self {
            Self::Second | Self::Minute | Self::Hour | Self::Day => unix_s - unix_s.rem_euclid(self.nominal_s()),
            Self::Month => {
                let (year, month) = year_and_month(unix_s.div_euclid(DAY_S));
                days_from_civil(year, month) * DAY_S
            }
            Self::Year => {
                let (year, _) = year_and_month(unix_s.div_euclid(DAY_S));
                days_from_civil(year, 1) * DAY_S
            }
        }
    }
}

/// Year and month of a day counted from 1970-01-01 (Hinnant, "chrono-compatible low-level date algorithms").
fn year_and_month(days: i64) -> (i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month)
}

/// The first of a month as a day counted from 1970-01-01 (the same source).
fn days_from_civil(year: i64, month: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

//! The calendar: days since 1970-01-01 as year, month and day, and back.
//!
//! Source: Howard Hinnant, "chrono-compatible low-level date algorithms". Start at [`CivilDate`].

/// A day of the (proleptic) Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CivilDate {
    /// 2026.
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

impl CivilDate {
    /// The day that comes so many days after 1970-01-01.
    #[must_use]
    pub fn of_day(days: i64) -> Self {
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_shifted + 2) / 5 + 1;
        let month = if month_shifted < 10 { month_shifted + 3 } else { month_shifted - 9 };
        Self { year: year_of_era + era * 400 + i64::from(month <= 2), month: month as u8, day: day as u8 }
    }
    /// How many days after 1970-01-01 it comes.
    #[must_use]
    pub fn days(self) -> i64 {
        let (month, day) = (i64::from(self.month), i64::from(self.day));
        let year = if month <= 2 { self.year - 1 } else { self.year };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_days() {
        let date = |year, month, day| CivilDate { year, month, day };
        for (days, wanted) in [(0, date(1970, 1, 1)), (-1, date(1969, 12, 31)), (11_016, date(2000, 2, 29)), (20_454, date(2026, 1, 1))] {
            assert_eq!((CivilDate::of_day(days), wanted.days()), (wanted, days));
        }
    }

    proptest! {
        /// There and back, and a day later is a later date.
        #[test]
        fn days_and_dates_are_one_to_one(days in -1_000_000i64..4_000_000) {
            prop_assert_eq!(CivilDate::of_day(days).days(), days);
            prop_assert!(CivilDate::of_day(days) < CivilDate::of_day(days + 1));
        }
    }
}

//! `Retry-After`: how a receiver writes it, and how a sender reads it.
//!
//! In: a wait and the receiver's clock, or the text and the sender's clock. Out: the text, or a wait. A date says when, so that a
//! clock that is wrong shows. Must not know: endpoints. Source: RFC 9110, 10.2.3 and 5.6.7. Start at [`write`] and [`read`].

use crate::units::{CivilDate, SimDuration};

/// A wait that is asked for counts up to this.
pub(super) const WAIT_MAX: SimDuration = SimDuration::from_secs(86_400);

const DAY_S: i64 = 86_400;
const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The two ways to say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `120`.
    Seconds,
    /// `Sun, 06 Nov 1994 08:49:37 GMT`.
    Date,
}

/// At least one second; what is no whole number of them is rounded up.
pub(super) fn write(form: Form, wait: SimDuration, unix_s: i64) -> String {
    let seconds = wait.as_ns().div_ceil(1_000_000_000).max(1) as i64;
    match form {
        Form::Seconds => seconds.to_string(),
        Form::Date => date(unix_s + seconds),
    }
}

/// How long a sender waits whose clock says `unix_s`: nothing when that is over, [`WAIT_MAX`] at most. None of what is neither form.
pub(super) fn read(text: &str, unix_s: i64) -> Option<SimDuration> {
    let seconds = match text.trim().parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => u64::try_from(instant(text.trim())? - unix_s).unwrap_or(0),
    };
    Some(SimDuration::from_secs(seconds.min(WAIT_MAX.as_ns() / 1_000_000_000)))
}

fn date(unix_s: i64) -> String {
    let (days, second) = (unix_s.div_euclid(DAY_S), unix_s.rem_euclid(DAY_S));
    let CivilDate { year, month, day } = CivilDate::of_day(days);
    // 1970-01-01 was a Thursday.
    let weekday = DAYS[(days + 4).rem_euclid(7) as usize];
    let month = MONTHS[usize::from(month) - 1];
    format!("{weekday}, {day:02} {month} {year:04} {:02}:{:02}:{:02} GMT", second / 3_600, second / 60 % 60, second % 60)
}

/// Unix seconds of a date in the preferred form; the two obsolete ones are not read.
fn instant(text: &str) -> Option<i64> {
    let words: Vec<&str> = text.split(' ').collect();
    let [_, day, month, year, time, "GMT"] = words[..] else { return None };
    let month = MONTHS.iter().position(|known| *known == month)? as u8 + 1;
    let time: Vec<i64> = time.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [hours, minutes, seconds] = time[..] else { return None };
    let date = CivilDate { year: year.parse().ok().filter(|year| (1..10_000).contains(year))?, month, day: day.parse().ok()? };
    Some(date.days() * DAY_S + hours * 3_600 + minutes * 60 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_date_of_the_rfc() {
        assert_eq!(date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(instant("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
    }

    #[test]
    fn what_is_neither_form_is_not_heeded() {
        for text in ["", "-3", "soon", "1.5", "Sun, 06 Nov 1994", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT"] {
            assert_eq!(read(text, 0), None, "{text}");
        }
        assert_eq!(read("99999999", 0), Some(WAIT_MAX));
    }

    proptest! {
        /// Both forms say the same wait to a sender whose clock is right; a receiver's clock that is ahead adds to a date only.
        #[test]
        fn both_forms_are_read_as_they_are_written(wait_ms in 0u64..80_000_000, unix_s in 0i64..4_000_000_000, ahead_s in 0i64..6_000) {
            let wait = SimDuration::from_ms(wait_ms);
            let whole = SimDuration::from_secs(wait_ms.div_ceil(1_000).max(1));
            prop_assert_eq!(read(&write(Form::Seconds, wait, unix_s + ahead_s), unix_s), Some(whole));
            let ahead = SimDuration::from_secs(ahead_s as u64);
            prop_assert_eq!(read(&write(Form::Date, wait, unix_s + ahead_s), unix_s), Some(whole.plus(ahead).min(WAIT_MAX)));
        }
    }
}

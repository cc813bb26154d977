//! Decimal numbers, exactly: whether one `multipleOf` is a multiple of another (0.3 of 0.1, which it is not in binary).

/// `digits` × 10^−`scale`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Decimal {
    digits: i128,
    scale: u32,
}

/// Most decimal places that are compared exactly.
const SCALE_MAX: u32 = 30;

impl Decimal {
    /// Of a JSON number's text; none when it has more digits than are compared.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
        let scale = i64::try_from(fraction.len()).ok()? - exponent.parse::<i64>().ok()?;
        if scale > i64::from(SCALE_MAX) || scale < -i64::from(SCALE_MAX) {
            return None;
        }
        let mut all = Self { digits, scale: 0 };
        if scale < 0 {
            all.digits = digits.checked_mul(10_i128.checked_pow(scale.unsigned_abs() as u32)?)?;
        } else {
            all.scale = scale as u32;
            while all.scale > 0 && all.digits % 10 == 0 {
                all.digits /= 10;
                all.scale -= 1;
            }
        }
        Some(all)
    }
    /// Whether this is a whole multiple of `other`.
    pub(super) fn is_multiple_of(self, other: Self) -> bool {
        let scale = self.scale.max(other.scale);
        let at = |number: Self| 10_i128.checked_pow(scale - number.scale).and_then(|factor| number.digits.checked_mul(factor));
        match (at(self), at(other)) {
            (Some(number), Some(step)) if step != 0 => number % step == 0,
            _ => false,
        }
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = format!("{:0>width$}", self.digits, width = self.scale as usize + 1);
        let (whole, fraction) = digits.split_at(digits.len() - self.scale as usize);
        if fraction.is_empty() { f.write_str(whole) } else { write!(f, "{whole}.{fraction}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiples_are_exact() {
        let of = |text: &str| Decimal::parse(text).expect(text);
        assert_eq!(of("0.5"), of("0.50"));
        assert_eq!(of("1e2"), of("100"));
        for (number, step, wanted) in
            [("10", "2", true), ("10", "0.5", true), ("0.3", "0.1", true), ("11", "10", false), ("1e-3", "1", false)]
        {
            assert_eq!(of(number).is_multiple_of(of(step)), wanted, "{number} {step}");
        }
        assert!(Decimal::parse("1e400").is_none());
        assert_eq!(
            (of("0.05").to_string(), of("12.50").to_string(), of("3").to_string()),
            ("0.05".to_owned(), "12.5".to_owned(), "3".to_owned())
        );
    }
}

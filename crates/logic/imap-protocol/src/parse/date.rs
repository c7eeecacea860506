//! Dates (RFC 3501 §9).

use crate::parse::{Cursor, Parsed, Refusal};
use crate::types::{Date, DateTime};

impl Cursor<'_> {
    /// date = date-text / DQUOTE date-text DQUOTE
    pub(crate) fn date(&mut self) -> Parsed<Date> {
        let quoted = self.take(b'"');
        let date = self.date_text(1)?;
        if quoted {
            self.expect(b'"')?;
        }
        Ok(date)
    }

    /// date-text = date-day "-" date-month "-" date-year
    fn date_text(&mut self, day_digits: usize) -> Parsed<Date> {
        let day = self.digits(day_digits, 2)?;
        self.expect(b'-')?;
        let month = Date::month(self.run(|byte| byte.is_ascii_alphabetic())).ok_or_else(bad_date)?;
        self.expect(b'-')?;
        let year = self.digits(4, 4)?;
        Date::new(year, month, day).ok_or_else(bad_date)
    }

    fn digits(&mut self, least: usize, most: usize) -> Parsed<u32> {
        let digits = self.run(|byte| byte.is_ascii_digit());
        let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
        number.filter(|_| (least..=most).contains(&digits.len())).ok_or_else(bad_date)
    }

    /// date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
    pub(crate) fn date_time(&mut self) -> Parsed<DateTime> {
        self.expect(b'"')?;
        while self.take(b' ') {}
        let date = self.date_text(1)?;
        self.space()?;
        let hour = self.digits(2, 2)?;
        self.expect(b':')?;
        let minute = self.digits(2, 2)?;
        self.expect(b':')?;
        let second = self.digits(2, 2)?;
        self.space()?;
        let zone = self.zone()?;
        self.expect(b'"')?;
        DateTime::new(date, (hour, minute, second), zone).ok_or_else(bad_date)
    }

    /// zone = ("+" / "-") 4DIGIT
    fn zone(&mut self) -> Parsed<i32> {
        let ahead = self.take(b'+');
        if !ahead && !self.take(b'-') {
            return Err(bad_date());
        }
        let digits = i32::try_from(self.digits(4, 4)?).map_err(|_| bad_date())?;
        let seconds = (digits / 100 * 60 + digits % 100) * 60;
        Ok(if ahead { seconds } else { -seconds })
    }
}

fn bad_date() -> Refusal {
    Refusal::new("Invalid date")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_are_read() {
        let date = |text: &str| Cursor::new(text.as_bytes(), false).date().map(|date| date.to_string()).ok();
        assert_eq!(date("1-Feb-1994").as_deref(), Some("1-Feb-1994"));
        assert_eq!(date("\"01-feb-1994\"").as_deref(), Some("1-Feb-1994"));
        for bad in ["99-Foo-2000", "31-Apr-2000", "1-Feb-94", "\"1-Feb-1994", "", "1-Feb-19940"] {
            assert_eq!(date(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_parses_back(seconds in -2_000_000_000_i64..8_000_000_000, minutes in -720_i32..840) {
            let time = DateTime { seconds, offset_seconds: minutes * 60 };
            let wire = format!("\"{time}\"");
            prop_assert_eq!(Cursor::new(wire.as_bytes(), false).date_time(), Ok(time));
        }
    }
}

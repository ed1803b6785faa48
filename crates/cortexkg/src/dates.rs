//! Calendar dates as sources write them.

use serde::{Deserialize, Serialize};

/// A day of the proleptic Gregorian calendar, with the time of day if one is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Date {
    pub(crate) year: i16,
    pub(crate) month: u8,
    pub(crate) day: u8,
    /// Seconds since midnight; 0 if no time is written.
    pub(crate) second: u32,
}

impl Date {
    fn new(year: i32, month: u32, day: u32) -> Option<Self> {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            4 | 6 | 9 | 11 => 30,
            2 => 28 + u32::from(leap),
            1..=12 => 31,
            _ => return None,
        };
        let valid = (1000..=2999).contains(&year) && (1..=days).contains(&day);
        valid.then_some(Self { year: year as i16, month: month as u8, day: day as u8, second: 0 })
    }

    /// Days since 0000-03-01 (Hinnant's `days_from_civil`, without its shift to 1970).
    pub(crate) fn day_number(self) -> i32 {
        let (month, day) = (i32::from(self.month), i32::from(self.day));
        let year = i32::from(self.year) - i32::from(month <= 2);
        let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
        year * 365 + year / 4 - year / 100 + year / 400 + day_of_year
    }

    /// Its eight digits, year first.
    pub(crate) fn digits(self) -> [u8; 8] {
        let number =
            u32::from(self.year.unsigned_abs()) * 10_000 + u32::from(self.month) * 100 + u32::from(self.day);
        std::array::from_fn(|place| (number / 10u32.pow(7 - place as u32) % 10) as u8)
    }
}

/// Reads `YYYY-MM-DD` (also with `/` or `.`), `YYYYMMDD`, and `DD.MM.YYYY` or `MM/DD/YYYY`
/// (day first, unless only the other order is a date), years 1000 to 2999; behind a `T` or a space, a time `HH:MM` or `HH:MM:SS`,
/// whose fractions and zone are passed over.
pub(crate) fn parse_date(text: &str) -> Option<Date> {
    let text = text.trim();
    let bytes = text.as_bytes();
    if bytes.len() == 8 && bytes.iter().all(u8::is_ascii_digit) {
        let number: u32 = text.parse().ok()?;
        return Date::new((number / 10_000) as i32, number / 100 % 100, number % 100);
    }
    let mut halves = text.splitn(2, ['T', ' ']);
    let (date, time) = (halves.next()?, halves.next());
    if !(8..=10).contains(&date.len()) {
        return None;
    }
    let mut parts = date.split(['-', '/', '.']);
    let [a, b, c] = [parts.next()?, parts.next()?, parts.next()?];
    if parts.next().is_some() || ![a, b, c].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return None;
    }
    let number = |part: &str| part.parse::<u32>().ok();
    let (first, second, third) = (number(a)?, number(b)?, number(c)?);
    let date = match (a.len(), c.len()) {
        (4, _) => Date::new(first as i32, second, third),
        (_, 4) => Date::new(third as i32, second, first).or_else(|| Date::new(third as i32, first, second)),
        _ => None,
    }?;
    Some(Date { second: time.map_or(Some(0), parse_time)?, ..date })
}

fn parse_time(text: &str) -> Option<u32> {
    let number = |from: usize, below: u32| {
        let digits =
            text.as_bytes().get(from..from + 2).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
        let number = u32::from(digits[0] - b'0') * 10 + u32::from(digits[1] - b'0');
        (number < below).then_some(number)
    };
    let colon = |at: usize| text.as_bytes().get(at) == Some(&b':');
    let (hour, minute) = (number(0, 24)?, number(3, 60).filter(|_| colon(2))?);
    let second = if colon(5) { number(6, 61)? } else { 0 };
    Some(hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_written() {
        let day = |text| parse_date(text).map(|date| (date.year, date.month, date.day));
        for text in ["1960-02-10", "19600210", "1960/2/10", "10.02.1960", "1960-02-10T12:00:00Z"] {
            assert_eq!(day(text), Some((1960, 2, 10)), "{text}");
        }
        let second = |text| parse_date(text).map(|date| date.second);
        assert_eq!(second("1960-02-10T02:30:05.5Z"), Some(9005));
        assert_eq!(second("1960-02-10 23:59"), Some(86_340));
        assert_eq!(second("1960-02-10 Monday"), None);
        assert_eq!(day("12/25/1999"), Some((1999, 12, 25)));
        for text in ["", "1960-13-10", "19600230", "1900-02-29", "6988048", "2020", "1-2-3-4", "०१.०२.१९६०"]
        {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn day_numbers_count_days() {
        let number = |text| parse_date(text).expect("a date").day_number();
        assert_eq!(number("2000-03-01") - number("2000-02-28"), 2);
        assert_eq!(number("1900-03-01") - number("1900-02-28"), 1);
        assert_eq!(number("2001-01-01") - number("2000-01-01"), 366);
        assert_eq!(parse_date("19600210").expect("a date").digits(), [1, 9, 6, 0, 0, 2, 1, 0]);
    }
}

//! Calendar dates as sources write them.

/// A day of the proleptic Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Date {
    pub(crate) year: i16,
    pub(crate) month: u8,
    pub(crate) day: u8,
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
        valid.then_some(Self { year: year as i16, month: month as u8, day: day as u8 })
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

/// Reads `YYYY-MM-DD` (also with `/` or `.`, and with a time behind it), `YYYYMMDD`, and `DD.MM.YYYY` or `MM/DD/YYYY`
/// (day first, unless only the other order is a date). Years 1000 to 2999.
pub(crate) fn parse_date(text: &str) -> Option<Date> {
    let text = text.trim();
    let bytes = text.as_bytes();
    if bytes.len() == 8 && bytes.iter().all(u8::is_ascii_digit) {
        let number: u32 = text.parse().ok()?;
        return Date::new((number / 10_000) as i32, number / 100 % 100, number % 100);
    }
    let date = text.split(['T', ' ']).next()?;
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
    match (a.len(), c.len()) {
        (4, _) => Date::new(first as i32, second, third),
        (_, 4) => Date::new(third as i32, second, first).or_else(|| Date::new(third as i32, first, second)),
        _ => None,
    }
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

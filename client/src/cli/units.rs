//! Numbers for people: sizes, counts and times.

/// `1.3 GB`: three digits at most, powers of ten.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let (mut value, mut unit) = (bytes as f64 / 1000.0, 0);
    // The bound is where the rounded text would have four digits.
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let digits = usize::from(value < 9.95);
    format!("{value:.digits$} {}", UNITS[unit])
}

/// `78,255`.
pub(super) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `78,255 files`, `1 file`: for words whose plural has an `s`.
pub(super) fn counted(number: u64, word: &str) -> String {
    let plural = if number == 1 {
        ""
    } else if word.ends_with('y') && !word.ends_with("ey") {
        "ies"
    } else {
        "s"
    };
    let stem = if plural == "ies" { word.trim_end_matches('y') } else { word };
    format!("{} {stem}{plural}", count(number))
}

/// `3 h 12 min`: the two largest units.
pub(super) fn seconds(seconds: u64) -> String {
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let first = parts.iter().position(|(value, _)| *value > 0).unwrap_or(3);
    let shown = parts[first..].iter().take(2).filter(|(value, _)| *value > 0 || first == 3);
    shown.map(|(value, unit)| format!("{value} {unit}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let sizes = [0, 999, 1000, 9_949, 9_960, 999_499, 999_500, 1_298_700_000, u64::MAX];
        let shown: Vec<_> = sizes.into_iter().map(bytes).collect();
        let expected =
            ["0 B", "999 B", "1.0 kB", "9.9 kB", "10 kB", "999 kB", "1.0 MB", "1.3 GB", "18 EB"];
        assert_eq!(shown, expected);
        assert_eq!(["0", "999", "1,000", "78,255"], [0, 999, 1000, 78_255].map(count)[..]);
        let counts = [counted(1, "file"), counted(2, "file"), counted(5096, "directory")];
        assert_eq!(counts, ["1 file", "2 files", "5,096 directories"]);
        let times = [0, 59, 60, 61, 3600, 11_520, 90_061].map(seconds);
        assert_eq!(times, ["0 s", "59 s", "1 min", "1 min 1 s", "1 h", "3 h 12 min", "1 d 1 h"]);
    }
}

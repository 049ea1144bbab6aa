//! Folding: one spelling for what people type in many (data.md, "Driver search keys").
//!
//! Lower case, ё = е, Latin look-alikes of Russian plate letters = Cyrillic, phones to `7` + ten digits. Used for search
//! keys on the replica and for claims (licence, plate) on the hub, so both must fold alike: only here.

/// Lower case, ё as е, runs of anything but letters and digits as one space.
#[must_use]
pub fn name(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        let c = if c == 'ё' { 'е' } else { c };
        if c.is_alphanumeric() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Digits only; a Russian number written with 8, +7 or ten digits becomes `7` and ten digits.
#[must_use]
pub fn phone(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    match (digits.len(), digits.strip_prefix('8')) {
        (10, _) => format!("7{digits}"),
        (11, Some(rest)) => format!("7{rest}"),
        _ => digits,
    }
}

/// Plates and licences: letters and digits only, lower case, the twelve Latin letters that look like Cyrillic ones as
/// Cyrillic (ГОСТ Р 50577 uses just those).
#[must_use]
pub fn plate(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).map(cyrillic).collect()
}

fn cyrillic(c: char) -> char {
    match c {
        'a' => 'а',
        'b' => 'в',
        'e' | 'ё' => 'е',
        'k' => 'к',
        'm' => 'м',
        'h' => 'н',
        'o' => 'о',
        'p' => 'р',
        'c' => 'с',
        't' => 'т',
        'y' => 'у',
        'x' => 'х',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fold_case_yo_and_punctuation() {
        assert_eq!(name("  Ёлкин-ПАЛКИН,  Пётр "), "елкин палкин петр");
        assert_eq!(name("..."), "");
    }

    #[test]
    fn phones_fold_to_seven_and_ten_digits() {
        for text in ["+7 916 123-45-67", "8 (916) 123 45 67", "9161234567", "79161234567"] {
            assert_eq!(phone(text), "79161234567");
        }
        assert_eq!(phone("4567"), "4567", "a suffix stays a suffix");
        assert_eq!(phone("+375 29 1234567"), "375291234567");
    }

    #[test]
    fn plates_fold_look_alikes() {
        assert_eq!(plate("A123BC 77"), plate("а 123 вс 77"));
        assert_eq!(plate("99 АЕ 123456"), plate("99AE123456"));
    }
}

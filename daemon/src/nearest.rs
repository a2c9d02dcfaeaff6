//! "Did you mean": the known word that a mistyped one is nearest to.

/// The known word within a third of the length of what was typed, if there is one.
pub(crate) fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // A name that no one can have meant is not worth comparing, whatever its length.
    if typed.len() > 80 {
        return None;
    }
    let most = (typed.chars().count() / 3).max(1);
    known
        .map(|word| (strsim::levenshtein(typed, word), word))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_its_word() {
        let known = ["index.search", "index.build", "daemon.ping"];
        assert_eq!(nearest("index.serach", known.into_iter()), Some("index.search"));
        assert_eq!(nearest("daemon.pin", known.into_iter()), Some("daemon.ping"));
        assert_eq!(nearest("xyz", known.into_iter()), None);
    }
}

//! Trees as strings: `//- path`, then the content up to the next such line.

/// The files of a fixture. Each line of a content ends in a line feed.
pub(crate) fn files(text: &str) -> Vec<(&str, String)> {
    let mut files: Vec<(&str, String)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("//- "), files.last_mut()) {
            (Some(path), _) => files.push((path, String::new())),
            (None, Some((_, content))) => {
                content.push_str(line);
                content.push('\n');
            }
            (None, None) => assert!(line.trim().is_empty(), "a fixture begins with `//- path`"),
        }
    }
    files
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_fixture_is_files_with_their_lines() {
        let files = super::files("\n//- a/b\none\ntwo\n//- c\n//- d\nthree");
        let expected = [("a/b", "one\ntwo\n"), ("c", ""), ("d", "three\n")];
        assert_eq!(files, expected.map(|(path, content)| (path, content.to_owned())));
    }
}

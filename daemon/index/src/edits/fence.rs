//! Fences of Markdown: what they open, and what closes them.

/// What stands after the opening marks of a fence; none where a line opens none.
pub(super) fn info(line: &[u8]) -> Option<&[u8]> {
    let line = line.trim_ascii();
    let mark = *line.first().filter(|byte| matches!(byte, b'`' | b'~'))?;
    let length = line.iter().take_while(|byte| **byte == mark).count();
    let info = line[length..].trim_ascii();
    // Marks of code within a line are no fence.
    (length >= 3 && !info.contains(&b'`')).then_some(info)
}

/// A fence that is open.
#[derive(Debug)]
pub(super) struct Fence {
    mark: u8,
    length: usize,
    /// How many are open in it.
    within: usize,
    /// The line of the reply that it begins on.
    pub(super) line: u32,
    /// What stands after its opening marks.
    pub(super) info: Vec<u8>,
    /// The names that the lines above give.
    pub(super) names: Vec<Vec<u8>>,
    /// The path that the line above says, and nothing else.
    pub(super) alone: Option<Vec<u8>>,
    /// The word that the line above says, and nothing else.
    pub(super) word: Option<Vec<u8>>,
    /// The text in it.
    pub(super) text: Vec<u8>,
    /// It holds edits of another form.
    pub(super) is_taken: bool,
}

impl Fence {
    /// The fence that a line opens.
    pub(super) fn open(line: &[u8], number: u32, names: Vec<Vec<u8>>) -> Option<Self> {
        let info = info(line)?.to_vec();
        let line = line.trim_ascii();
        let mark = line[0];
        let length = line.iter().take_while(|byte| **byte == mark).count();
        let (text, is_taken, alone, word) = (Vec::new(), false, None, None);
        Some(Self {
            mark,
            length,
            within: 0,
            line: number,
            info,
            names,
            alone,
            word,
            text,
            is_taken,
        })
    }

    /// Whether a line closes it. One of as many marks that says a language opens another one within it.
    pub(super) fn closes(&mut self, line: &[u8]) -> bool {
        let line = line.trim_ascii();
        let length = line.iter().take_while(|byte| **byte == self.mark).count();
        if length < self.length || info(line).is_none() {
            return false;
        }
        if !line[length..].trim_ascii().is_empty() {
            self.within += 1;
        } else if self.within > 0 {
            self.within -= 1;
        } else {
            return true;
        }
        false
    }

    /// Whether it says that a diff is in it.
    pub(super) fn is_diff(&self) -> bool {
        let language = self.info.split(|byte| !byte.is_ascii_alphanumeric()).next();
        matches!(language, Some(b"diff" | b"udiff" | b"patch"))
    }

    /// Whether it says that what is in it is for a shell.
    pub(super) fn is_shell(&self) -> bool {
        let language = self.info.split(|byte| byte.is_ascii_whitespace()).next();
        matches!(
            language,
            Some(
                b"bash"
                    | b"sh"
                    | b"shell"
                    | b"zsh"
                    | b"fish"
                    | b"console"
                    | b"cmd"
                    | b"powershell"
                    | b"ps1"
            )
        )
    }
}

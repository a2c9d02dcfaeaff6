//! A reply in one form, or in any: however it comes in pieces its edits are the same, and they are made in
//! files or fail, and nothing else. The first byte says the size of the pieces, and what follows up to a NUL is
//! a file.

use hob_index::edits::names::Known;
use hob_index::edits::{Files, Format, Parser, Refused, parse, plan};

struct One<'a>(&'a [u8]);

impl Files for One<'_> {
    fn read(&self, path: &[u8]) -> Result<Option<Vec<u8>>, Refused> {
        Ok((path == b"src/a.py").then(|| self.0.to_vec()))
    }

    fn having(&self, _: &[u8]) -> Vec<Vec<u8>> {
        vec![b"src/a.py".to_vec()]
    }
}

pub(crate) fn check(only: Option<Format>, bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let end = rest.iter().position(|byte| *byte == 0).unwrap_or(0);
    let (file, reply) = (&rest[..end], &rest[end..]);
    let reply = reply.strip_prefix(b"\0").unwrap_or(reply);
    let whole = parse(reply, only);
    let mut parser = Parser::new(only);
    reply.chunks(usize::from(*first) + 1).for_each(|piece| parser.feed(piece));
    assert_eq!(parser.finish(), whole);
    let all = || vec![b"src/a.py".to_vec()];
    let plan = plan(&whole, &Known::of(Vec::new(), all), &One(file));
    for change in plan.files {
        let is_other = change.before != change.after || change.program.is_some();
        assert!(is_other || change.from.is_some());
    }
}

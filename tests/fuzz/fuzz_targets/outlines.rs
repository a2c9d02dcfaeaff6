//! The outline and the references of any text, as one of each language. The first byte says which.
#![no_main]

use hob_index::symbols::extract::{Extractor, Limits};
use hob_index::symbols::languages;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, text)) = bytes.split_first() else { return };
    let language = languages::all().iter().cycle().nth(usize::from(*first));
    // Work ends in different places of the text, too.
    let work = 1 + usize::from(*first) / 64;
    let limits = Limits { work, ..Limits::default() };
    for limits in [Limits::default(), limits] {
        let Some(language) = language else { return };
        let mut extractor = Extractor::new(limits);
        let outline = extractor.extract(language, text);
        let end = text.len() as u32;
        for symbol in &outline.symbols {
            assert!(symbol.range.start < symbol.range.end && symbol.range.end <= end);
        }
        let mut last = 0;
        for reference in extractor.references(language, text, &outline).references {
            let name = reference.name;
            assert!(last <= name.start && name.start < name.end && name.end <= end);
            last = name.end;
        }
    }
});

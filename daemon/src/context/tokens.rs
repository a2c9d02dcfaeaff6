//! How many tokens a text has.

use tiktoken_rs::bpe_for_tokenizer;
use tiktoken_rs::tokenizer::{Tokenizer, get_tokenizer};

/// By what tokens are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tokens {
    /// A fourth of the bytes.
    #[default]
    Bytes,
    /// As a model's tokenizer does it. It is loaded when it is first needed, and then stays.
    Of(Tokenizer),
}

/// A run of characters with or without white space that is longer is counted in pieces: to find where
/// a token ends in it would take a tokenizer too much.
const PIECE: usize = 4_096;

impl Tokens {
    /// Those of a model, which may stand behind the name of who serves it: `openai/gpt-4o`. Of a model
    /// whose tokenizer is not known it is a fourth of the bytes.
    pub(crate) fn of_model(model: &str) -> Self {
        let name = model.rsplit('/').next().unwrap_or(model);
        get_tokenizer(name).map_or(Self::Bytes, Self::Of)
    }

    /// What it is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes/4",
            Self::Of(Tokenizer::O200kHarmony) => "o200k_harmony",
            Self::Of(Tokenizer::O200kBase) => "o200k_base",
            Self::Of(Tokenizer::Cl100kBase) => "cl100k_base",
            Self::Of(Tokenizer::P50kBase) => "p50k_base",
            Self::Of(Tokenizer::P50kEdit) => "p50k_edit",
            Self::Of(Tokenizer::R50kBase | Tokenizer::Gpt2) => "r50k_base",
        }
    }

    /// How many tokens a text has. What is no UTF-8 counts as what is sent for it, U+FFFD.
    pub(crate) fn count(self, text: &[u8]) -> usize {
        let Self::Of(tokenizer) = self else { return text.len().div_ceil(4) };
        let Ok(tokenizer) = bpe_for_tokenizer(tokenizer) else { return text.len().div_ceil(4) };
        let text = String::from_utf8_lossy(text);
        pieces(&text).into_iter().map(|piece| tokenizer.count_ordinary(piece)).sum()
    }
}

/// A text as a whole, or in pieces where a run in it is too long for a tokenizer.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut run, mut blank) = (0, 0, false);
    for (at, char) in text.char_indices() {
        let is_same = char.is_whitespace() == blank;
        blank = char.is_whitespace();
        run = if is_same { run + char.len_utf8() } else { char.len_utf8() };
        if run > PIECE {
            pieces.push(&text[start..at]);
            (start, run) = (at, char.len_utf8());
        }
    }
    pieces.push(&text[start..]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_models_own_tokens_are_counted_where_they_are_known() {
        let text = b"fn main() {\n    println!(\"Hello, world!\");\n}\n";
        for (model, name, count) in [
            ("gpt-4o", "o200k_base", 12),
            ("openai/gpt-4o-mini", "o200k_base", 12),
            ("gpt-4", "cl100k_base", 12),
            ("llama3:8b", "bytes/4", 12),
            ("", "bytes/4", 12),
        ] {
            let tokens = Tokens::of_model(model);
            assert_eq!((tokens.name(), tokens.count(text)), (name, count), "{model}");
        }
    }

    #[test]
    fn what_is_no_text_is_counted_as_it_is_sent() {
        let tokens = Tokens::of_model("gpt-4o");
        assert_eq!(tokens.count(b"\xff\xfe"), tokens.count("\u{fffd}\u{fffd}".as_bytes()));
        assert_eq!(tokens.count(b""), 0);
    }

    #[test]
    fn a_run_without_end_is_counted_in_pieces() {
        let long = "ab".repeat(PIECE);
        assert_eq!(pieces(&long).concat(), long);
        assert_eq!(pieces(&long).len(), 2);
        assert_eq!(pieces("a b c"), ["a b c"]);
        assert!(Tokens::of_model("gpt-4o").count(long.repeat(100).as_bytes()) > 1_000);
        assert!(Tokens::of_model("gpt-4o").count(" ".repeat(2_000_000).as_bytes()) > 1_000);
    }
}

//! hob's engine as a pure library: it is given bytes and computes.
//!
//! Text search stands on trigrams. A document's text ([`trigram::text_of`])
//! becomes a set of trigrams ([`trigram::Extractor`]), sets become immutable
//! segments of checked blocks ([`postings::Builder`]), and a pattern becomes a
//! boolean query over trigrams ([`plan::plan`]) whose candidates
//! ([`postings::evaluate`]) are a superset of the documents that match.
//!
//! Deliberately absent: files, stores, threads, async and the wire. Whoever has
//! candidates verifies them on the files' bytes.

pub mod plan;
pub mod postings;
pub mod trigram;

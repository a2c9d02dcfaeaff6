//! How a file's entry in a saved tree is written.
//!
//! Key: the root's number (4 bytes, big-endian), then the path with NUL for `/`,
//! so that the order of keys is the order of the tree. Value, little-endian: size
//! (8), mtime (8), print (8), content's number (4), whether it is outlined (1),
//! then 4 bytes of BLAKE3 over key and value, since redb does not notice when a
//! byte on the disk changes.

use super::RootId;
use hob_index::tree::{DocId, File};

const BODY: usize = 29;
/// In version 1 there was no word on outlines.
const BODY_1: usize = 28;
const CHECK: usize = 4;
const VALUE: usize = BODY + CHECK;

pub(super) fn key(root: RootId, path: &[u8]) -> Vec<u8> {
    let mut key = root.to_be_bytes().to_vec();
    key.extend(path.iter().map(|byte| if *byte == b'/' { 0 } else { *byte }));
    key
}

/// The first key of a root, and the first of the next one.
pub(super) fn bounds(root: RootId) -> ([u8; 4], [u8; 4]) {
    (root.to_be_bytes(), root.saturating_add(1).to_be_bytes())
}

pub(super) fn encode(key: &[u8], file: &File) -> [u8; VALUE] {
    let mut value = [0; VALUE];
    value[..8].copy_from_slice(&file.size.to_le_bytes());
    value[8..16].copy_from_slice(&file.mtime.to_le_bytes());
    value[16..24].copy_from_slice(&file.print.to_le_bytes());
    value[24..28].copy_from_slice(&file.doc.known().unwrap_or(u32::MAX).to_le_bytes());
    value[28] = u8::from(file.outlined);
    let check = check(key, &value[..BODY]);
    value[BODY..].copy_from_slice(&check);
    value
}

/// The path and the file; `None` where the record is not what was written.
pub(super) fn decode(key: &[u8], value: &[u8]) -> Option<(Vec<u8>, File)> {
    let (body, stored) = value.split_at_checked(value.len().checked_sub(CHECK)?)?;
    if !matches!(body.len(), BODY_1 | BODY) || stored != check(key, body) {
        return None;
    }
    let path = key.get(4..)?.iter().map(|byte| if *byte == 0 { b'/' } else { *byte }).collect();
    let number = |at: usize| body[at..at + 8].try_into().map(u64::from_le_bytes).ok();
    let doc = body[24..28].try_into().map(u32::from_le_bytes).ok()?;
    let file = File {
        size: number(0)?,
        mtime: number(8)?.cast_signed(),
        print: number(16)?,
        touch: 0,
        doc: DocId::new(doc)?,
        outlined: body.get(28) == Some(&1),
    };
    Some((path, file))
}

fn check(key: &[u8], body: &[u8]) -> [u8; 4] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(key).update(body);
    let mut check = [0; 4];
    check.copy_from_slice(&hasher.finalize().as_bytes()[..4]);
    check
}

//! Checks of what a store keeps: eight bytes of BLAKE3 over the bytes and their key.
//!
//! A value that was damaged, or that is found under a key which is not its own, does not open.

/// The bytes that a check takes.
pub(crate) const CHECK: usize = 8;

/// Appends the check of a value that is stored under `key`.
pub(crate) fn seal(body: &mut Vec<u8>, key: &[u8]) {
    let check = check(body, key);
    body.extend_from_slice(&check);
}

/// The value without its check; none where it is not what was stored under `key`.
pub(crate) fn open<'a>(bytes: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let (body, stored) = bytes.split_last_chunk::<CHECK>()?;
    (check(body, key) == *stored).then_some(body)
}

fn check(body: &[u8], key: &[u8]) -> [u8; CHECK] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(body).update(key);
    let mut check = [0; CHECK];
    check.copy_from_slice(&hasher.finalize().as_bytes()[..CHECK]);
    check
}

//! Under what a value is known: a hash of typed parts.

use super::Namespace;

/// The key of a value: its namespace, and BLAKE3 of the parts that it follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(super) namespace: Namespace,
    pub(super) hash: [u8; 32],
}

/// Takes parts in, each with its type and length before it: a printed form would have the same
/// bytes for `("ab", "c")` and `("a", "bc")`.
pub(crate) struct KeyBuilder {
    namespace: Namespace,
    hasher: blake3::Hasher,
}

impl Key {
    /// Begins a key.
    pub(crate) fn of(namespace: Namespace) -> KeyBuilder {
        KeyBuilder { namespace, hasher: blake3::Hasher::new() }
    }

    /// The key that is stored as these bytes; `None` where its namespace is not one of this build.
    pub(super) fn from_stored(stored: &[u8; 33]) -> Option<Self> {
        let namespace = Namespace::ALL.iter().copied().find(|one| one.number() == stored[0])?;
        let hash = stored[1..].try_into().ok()?;
        Some(Self { namespace, hash })
    }

    /// The bytes under which it is stored.
    pub(super) fn stored(&self) -> [u8; 33] {
        let mut stored = [0; 33];
        stored[0] = self.namespace.number();
        stored[1..].copy_from_slice(&self.hash);
        stored
    }
}

impl KeyBuilder {
    /// A part that is text or bytes.
    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        self.part(b'b', bytes)
    }

    /// A part that is a number.
    pub(crate) fn number(self, number: u64) -> Self {
        self.part(b'n', &number.to_le_bytes())
    }

    /// The key of all parts so far.
    pub(crate) fn finish(self) -> Key {
        Key { namespace: self.namespace, hash: *self.hasher.finalize().as_bytes() }
    }

    fn part(mut self, kind: u8, bytes: &[u8]) -> Self {
        self.hasher.update(&[kind]);
        self.hasher.update(&(bytes.len() as u64).to_le_bytes());
        self.hasher.update(bytes);
        self
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:", self.namespace.name())?;
        self.hash.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::str::FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, digits) = text
            .split_once(':')
            .ok_or_else(|| format!("`{text}` is no key: a key is `NAMESPACE:HASH`"))?;
        let namespace = Namespace::named(name)?;
        let mut hash = [0; 32];
        let whole = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !whole {
            return Err(format!("`{digits}` is no hash of 64 hexadecimal digits"));
        }
        for (at, byte) in hash.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap_or_default();
        }
        Ok(Self { namespace, hash })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart() {
        let key = |parts: &[&str]| {
            parts
                .iter()
                .fold(Key::of(Namespace::Outlines), |key, part| key.bytes(part.as_bytes()))
                .finish()
        };
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
        assert_ne!(key(&["abc"]), key(&["abc", ""]));
        assert_eq!(key(&["ab", "c"]), key(&["ab", "c"]));
        let eight = Key::of(Namespace::Outlines).bytes(&7_u64.to_le_bytes()).finish();
        assert_ne!(Key::of(Namespace::Outlines).number(7).finish(), eight);
    }

    #[test]
    fn a_printed_key_is_read_back() {
        let key = Key::of(Namespace::Outlines).number(7).finish();
        assert_eq!(key.to_string().parse(), Ok(key));
        for text in
            ["", "outlines", "outlines:12", "nothing:00", &format!("outlines:{}", "é".repeat(32))]
        {
            assert!(text.parse::<Key>().is_err(), "{text}");
        }
    }
}

//! Lists of who defines a name and who mentions it, in few bytes.

use crate::varint;

/// Who defines a name, and who else mentions it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct List {
    /// Nodes, in order, with what [`super::defines`] said.
    pub(super) definers: Vec<(u32, u8)>,
    /// Nodes, in order, with the class of their count. None of them defines it.
    pub(super) mentions: Vec<(u32, u8)>,
}

/// A class of counts: a power of two.
pub(super) fn class_of(count: u32) -> u8 {
    count.max(1).ilog2().min(3) as u8
}

/// What mentions of that class are worth together: the root of how many they are.
pub(super) fn mention_weight(class: u8) -> f32 {
    [1.0, 1.414, 2.0, 2.828][usize::from(class & 3)]
}

impl List {
    /// Appends what another one has.
    pub(super) fn append(&mut self, mut other: Self) {
        self.definers.append(&mut other.definers);
        self.mentions.append(&mut other.mentions);
    }

    /// Writes it: how many define it; each as a gap and four bits; the same of those who mention it, with two bits.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        varint::push(out, self.definers.len() as u64);
        let mut before = 0;
        for (node, packed) in &self.definers {
            varint::push(out, u64::from(node - before) << 4 | u64::from(packed & 15));
            before = *node;
        }
        varint::push(out, self.mentions.len() as u64);
        before = 0;
        for (node, class) in &self.mentions {
            varint::push(out, u64::from(node - before) << 2 | u64::from(class & 3));
            before = *node;
        }
    }

    /// Reads what [`List::write`] wrote, but for nodes that are not live.
    pub(super) fn read(&mut self, mut bytes: &[u8], is_live: impl Fn(u32) -> bool) {
        self.definers.clear();
        self.mentions.clear();
        for (nodes, bits) in [(&mut self.definers, 4), (&mut self.mentions, 2)] {
            let count = varint::take(&mut bytes).unwrap_or(0);
            let mut node = 0;
            for _ in 0..count {
                let Some(next) = varint::take(&mut bytes) else { break };
                node += (next >> bits) as u32;
                if is_live(node) {
                    nodes.push((node, next as u8 & ((1 << bits) - 1)));
                }
            }
        }
    }
}

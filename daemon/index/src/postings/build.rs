//! Makes a segment of documents that are given one after the other.
//!
//! Postings are spread over 4,096 buckets by the high half of the trigram, each
//! posting one `u32` of the low half and the document. Since documents come in
//! order, a stable counting sort of each bucket by the low half gives lists
//! that are sorted already.

use super::write::{Emit, Writer};
use crate::trigram::Trigram;

/// The most documents of a segment that [`Builder`] makes.
pub const MAX_DOCS: u32 = 1 << DOC_BITS;

const DOC_BITS: u32 = 20;
const BUCKETS: usize = 1 << 12;
/// Postings in a chunk. Buckets grow by chunks of one pool, not as vectors of
/// their own: 4,096 vectors that double would waste half of the budget.
const CHUNK: usize = 256;
/// Postings by which the pool grows.
const GROWTH: usize = 1 << 18;
const END: u32 = u32::MAX;

/// Collects documents in memory, and writes them out as one segment.
///
/// ```
/// use hob_index::postings::{Builder, Key};
/// let mut builder = Builder::new(7);
/// assert_eq!(builder.add(&[0x616263, 0x626364]), 0);
/// let mut keys = Vec::new();
/// let docs = builder.finish(&mut |key, _block| {
///     keys.push(key);
///     Ok::<(), std::convert::Infallible>(())
/// });
/// assert_eq!((docs, keys), (Ok(1), vec![Key { segment: 7, trigram: 0, part: 0 }]));
/// ```
pub struct Builder {
    segment: u32,
    docs: u32,
    pool: Vec<u32>,
    /// For each chunk the next one of its bucket, or `END`.
    next: Vec<u32>,
    buckets: Box<[Bucket]>,
}

#[derive(Clone, Copy)]
struct Bucket {
    first: u32,
    last: u32,
    /// Where in the pool the next posting goes; at a multiple of `CHUNK` there
    /// is no room left.
    cursor: u32,
}

impl Builder {
    /// The builder of a segment that has no documents yet.
    pub fn new(segment: u32) -> Self {
        Self::with_memory(segment, 0)
    }

    /// The same, with room for so many bytes from the start: a vector of tens of megabytes that
    /// grows is copied again and again, and what it leaves behind is not given back at once. What
    /// is not used costs address space only.
    pub fn with_memory(segment: u32, bytes: usize) -> Self {
        let empty = Bucket { first: END, last: END, cursor: 0 };
        let buckets = vec![empty; BUCKETS].into_boxed_slice();
        let (pool, next) = (Vec::with_capacity(bytes / 4), Vec::with_capacity(bytes / 4 / CHUNK));
        Self { segment, docs: 0, pool, next, buckets }
    }

    /// Adds a document with its distinct trigrams, in any order; its local id.
    ///
    /// # Panics
    ///
    /// Where the segment has [`MAX_DOCS`] documents: ask [`Builder::is_full`].
    pub fn add(&mut self, trigrams: &[Trigram]) -> u32 {
        let doc = self.docs;
        assert!(doc < MAX_DOCS, "a segment has at most {MAX_DOCS} documents");
        for &trigram in trigrams {
            let bucket = (trigram >> 12) as usize % BUCKETS;
            let mut at = self.buckets[bucket].cursor as usize;
            if at.is_multiple_of(CHUNK) {
                at = self.grow(bucket);
            }
            self.pool[at] = (trigram & 0xfff) << DOC_BITS | doc;
            self.buckets[bucket].cursor = at as u32 + 1;
        }
        self.docs += 1;
        doc
    }

    /// How many documents were added.
    pub fn docs(&self) -> u32 {
        self.docs
    }

    /// The bytes that the postings take at the moment.
    pub fn memory(&self) -> usize {
        4 * (self.pool.len() + self.next.len()) + BUCKETS * size_of::<Bucket>()
    }

    /// Whether it is time to finish: past `budget` bytes, or at [`MAX_DOCS`].
    pub fn is_full(&self, budget: usize) -> bool {
        self.docs == MAX_DOCS || self.memory() > budget
    }

    /// Writes the segment's blocks out in the order of their keys; the number
    /// of its documents. Beside the postings it takes the memory of the largest
    /// bucket once.
    ///
    /// # Errors
    ///
    /// The first error of `emit`.
    pub fn finish<E>(self, emit: &mut Emit<'_, E>) -> Result<u32, E> {
        let mut writer = Writer::new(self.segment);
        let mut sorted = Vec::new();
        for bucket in 0..BUCKETS {
            self.write_bucket(bucket, &mut sorted, &mut writer, emit)?;
        }
        writer.finish(emit)?;
        Ok(self.docs)
    }

    /// Gives the bucket another chunk; the place of its first posting.
    fn grow(&mut self, bucket: usize) -> usize {
        let chunk = self.next.len() as u32;
        if self.pool.capacity() < self.pool.len() + CHUNK {
            self.pool.reserve_exact(GROWTH);
        }
        self.pool.resize(self.pool.len() + CHUNK, 0);
        self.next.push(END);
        let bucket = &mut self.buckets[bucket];
        match bucket.first {
            END => bucket.first = chunk,
            _ => self.next[bucket.last as usize] = chunk,
        }
        bucket.last = chunk;
        chunk as usize * CHUNK
    }

    /// The bucket's postings in the order in which they were added.
    fn runs(&self, bucket: usize) -> impl Iterator<Item = &[u32]> {
        let Bucket { first, last, cursor } = self.buckets[bucket];
        let mut chunk = first;
        std::iter::from_fn(move || {
            let start = (chunk != END).then_some(chunk as usize * CHUNK)?;
            let end = if chunk == last { cursor as usize } else { start + CHUNK };
            chunk = self.next[chunk as usize];
            Some(&self.pool[start..end])
        })
    }

    fn write_bucket<E>(
        &self,
        bucket: usize,
        sorted: &mut Vec<u32>,
        writer: &mut Writer,
        emit: &mut Emit<'_, E>,
    ) -> Result<(), E> {
        if self.buckets[bucket].first == END {
            return Ok(());
        }
        let mut ends = [0u32; BUCKETS];
        for &posting in self.runs(bucket).flatten() {
            ends[(posting >> DOC_BITS) as usize] += 1;
        }
        let mut sum = 0;
        for end in &mut ends {
            sum += std::mem::replace(end, sum);
        }
        sorted.clear();
        sorted.resize(sum as usize, 0);
        // What was the start of each list moves to its end as it is filled.
        for &posting in self.runs(bucket).flatten() {
            let end = &mut ends[(posting >> DOC_BITS) as usize];
            sorted[*end as usize] = posting & (MAX_DOCS - 1);
            *end += 1;
        }
        let mut start = 0;
        for (low, &end) in ends.iter().enumerate() {
            if start < end {
                let trigram = (bucket << 12 | low) as Trigram;
                writer.push(trigram, &sorted[start as usize..end as usize], emit)?;
            }
            start = end;
        }
        Ok(())
    }
}

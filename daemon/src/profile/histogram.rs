//! How long something took, many times: counts in buckets of which each is an eighth of a power of
//! two wide (as in HdrHistogram), so that a percentile is at most 7 % off. Pure.

/// Times below this are told apart no further, in nanoseconds, as a power of two.
const FINEST: u32 = 7;
/// Each power of two has so many buckets, as a power of two.
const PARTS: u32 = 3;

/// Times of one operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) count: u64,
    pub(crate) total: u64,
    /// Without what belongs to operations within it.
    pub(crate) own: u64,
    pub(crate) max: u64,
    buckets: Vec<u32>,
}

impl Times {
    /// One more, in nanoseconds.
    pub(crate) fn add(&mut self, total: u64, own: u64) {
        self.count += 1;
        self.total = self.total.saturating_add(total);
        self.own = self.own.saturating_add(own);
        self.max = self.max.max(total);
        let bucket = bucket(total);
        if self.buckets.len() <= bucket {
            self.buckets.resize(bucket + 1, 0);
        }
        self.buckets[bucket] = self.buckets[bucket].saturating_add(1);
    }

    /// Those of another as well.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.total = self.total.saturating_add(other.total);
        self.own = self.own.saturating_add(other.own);
        self.max = self.max.max(other.max);
        if self.buckets.len() < other.buckets.len() {
            self.buckets.resize(other.buckets.len(), 0);
        }
        for (ours, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *ours = ours.saturating_add(*theirs);
        }
    }

    /// The time within which so many of a hundred were done; 0 where there is none.
    pub(crate) fn percentile(&self, percent: u64) -> u64 {
        let rank = (self.count * percent).div_ceil(100).max(1);
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += u64::from(*count);
            if seen >= rank {
                return middle(bucket).min(self.max);
            }
        }
        self.max
    }
}

fn bucket(time: u64) -> usize {
    let units = time >> FINEST;
    let Some(power) = units.checked_ilog2().filter(|power| *power >= PARTS) else {
        return units as usize;
    };
    let part = (units >> (power - PARTS)) & ((1 << PARTS) - 1);
    ((power - PARTS + 1) << PARTS) as usize + part as usize
}

/// The time in the middle of a bucket.
fn middle(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let (row, part) = (bucket >> PARTS, bucket & ((1 << PARTS) - 1));
    let (first, width) = match row {
        0 => (part, 1),
        row => (((1 << PARTS) + part) << (row - 1), 1 << (row - 1)),
    };
    (first << FINEST).saturating_add((width << FINEST) / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn percentiles_are_of_what_was_added() {
        let mut times = Times::default();
        assert_eq!((times.percentile(50), times.percentile(99)), (0, 0));
        for time in 1..=1000 {
            times.add(time * 1_000_000, time * 500_000);
        }
        let near = |found: u64, expected: u64| found.abs_diff(expected) * 100 <= expected * 7;
        assert!(near(times.percentile(50), 500_000_000), "{}", times.percentile(50));
        assert!(near(times.percentile(99), 990_000_000), "{}", times.percentile(99));
        assert_eq!((times.count, times.max), (1000, 1_000_000_000));
        assert_eq!(times.own * 2, times.total);
    }

    #[test]
    fn two_merged_are_as_one() {
        let (mut one, mut two, mut both) = (Times::default(), Times::default(), Times::default());
        for time in [0, 5, 127, 128, 4096, 1 << 40, u64::MAX / 4] {
            one.add(time, 1);
            both.add(time, 1);
        }
        for time in [3, 1 << 20] {
            two.add(time, 0);
            both.add(time, 0);
        }
        two.merge(&one);
        assert_eq!(two, both);
    }

    proptest! {
        #[test]
        fn one_time_is_its_own_percentile(time in any::<u64>()) {
            let mut times = Times::default();
            times.add(time, 0);
            let found = times.percentile(50);
            prop_assert!(found <= time);
            prop_assert!(time - found <= (time >> 4) + (1 << FINEST));
        }
    }
}

//! Made in the commits that follow.

//! A tree that is kept warm.
mod rules;
mod scan;

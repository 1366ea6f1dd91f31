//! Promises about tokens that many want at once: processes without each other's lock, a logout in
//! the middle of a refresh, long random histories. The instance is a small model of one, time is
//! moved by hand, and who is next is drawn from a seed, so that each run can be run again.

#![expect(clippy::unwrap_used, reason = "a test that meets what it did not expect ends there")]

mod endings;
mod histories;
mod instance;
mod logout;
mod overtaken;
mod reference;
mod scene;
mod turns;

#[path = "../it/support/shared_store.rs"]
#[expect(dead_code, reason = "the other tests fill its disk")]
mod shared_store;

/// How often a thing is tried: usually, or with `SNOWTOKEN_TEST_COUNTS=full`.
fn counts(usual: u64, full: u64) -> u64 {
    if std::env::var("SNOWTOKEN_TEST_COUNTS").as_deref() == Ok("full") { full } else { usual }
}

/// A small generator (`SplitMix64`) for choices that a seed decides.
#[derive(Debug, Clone)]
struct Dice(u64);

impl Dice {
    fn draw(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(below).unwrap()).unwrap()
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.draw(100) < percent
    }
}

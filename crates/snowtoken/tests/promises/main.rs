//! Proof that wrong answers, bad networks and clocks lose no session. Each test is named after the
//! promise it proves.
//!
//! A real session and a real instance (the stand-in), with what lies between them spoilt: on sockets
//! of this machine where bytes matter, in memory where only time does. Time moves by hand. With
//! `SNOWTOKEN_TEST_COUNTS=full` every case is tried, otherwise a part of them.

#![expect(clippy::unwrap_used, reason = "a test that meets what it did not expect ends there")]

mod clocks;
mod cut_answers;
mod lifetimes;
mod network_faults;
mod retry_storm;
mod served;
#[cfg(target_os = "linux")]
mod soak;
mod stage;
mod support;
mod wrong_answers;

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many cases to try: a bounded part of them, or all.
fn counts<T>(default: T, full: T) -> T {
    let all = std::env::var("SNOWTOKEN_TEST_COUNTS").is_ok_and(|value| value == "full");
    if all { full } else { default }
}

/// Tries every case, some at a time: most of them wait. The first panic ends the test.
fn each<T: Sync>(cases: &[T], at_once: usize, run: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..at_once.min(cases.len()) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                    run(case);
                }
            });
        }
    });
}

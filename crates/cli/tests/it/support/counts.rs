//! How often something is tried: a bounded number by default, all of it on request.

/// The default, or with `SNOWTOKEN_TEST_COUNTS=full` the full count.
pub(crate) fn counts(default: usize, full: usize) -> usize {
    if std::env::var_os("SNOWTOKEN_TEST_COUNTS").is_some_and(|value| value == "full") {
        full
    } else {
        default
    }
}

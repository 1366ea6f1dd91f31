//! One request, one answer: bounded, unfollowed, to nobody else.

#[cfg(target_os = "linux")]
mod bombs;
mod connections;
mod origins;
mod proxies;
mod redirects;

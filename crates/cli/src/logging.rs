//! A log on stderr for whoever asks for it with `SNOWTOKEN_LOG`. Secrets are types that cannot be
//! printed; what libraries say is shown on one line with its control characters spelt out.

use std::io::Write as _;
use std::time::Instant;

use log::{LevelFilter, Log, Metadata, Record};
use snowtoken::core::printable::Printable;

struct Stderr {
    level: LevelFilter,
    started: Instant,
}

impl Log for Stderr {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= self.level
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let text = record.args().to_string();
            let elapsed = self.started.elapsed().as_secs_f64();
            let line = format!(
                "[{elapsed:9.3}] {:5} {}: {}\n",
                record.level(),
                record.target(),
                Printable(&text)
            );
            let _ = std::io::stderr().lock().write_all(line.as_bytes());
        }
    }

    fn flush(&self) {}
}

/// Starts the log at the level named, if it is one.
pub(crate) fn start(level: Option<&str>) {
    let Some(level) = level.and_then(|text| text.parse::<LevelFilter>().ok()) else {
        return;
    };
    if log::set_boxed_logger(Box::new(Stderr { level, started: Instant::now() })).is_ok() {
        log::set_max_level(level);
    }
}

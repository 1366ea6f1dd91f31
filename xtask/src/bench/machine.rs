//! One line about where a figure was measured.

use std::fs;

use crate::run::{output, program};

/// Month, processor, memory, system, compiler, and how busy the machine was with other things.
pub(super) fn line() -> String {
    let said = |name: &str, arguments: &[&str]| {
        let text = output(program(name).args(arguments).env("LC_ALL", "C"));
        text.map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
    };
    let (kernel, month) = (said("uname", &["-sr"]), said("date", &["+%B %Y"]));
    let kernel = kernel.split(['-', '.']).take(2).collect::<Vec<_>>().join(".");
    let compiler = said("rustc", &["--version"]);
    let compiler = compiler.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let processor = entry("/proc/cpuinfo", "model name", ':');
    let kib: f64 = entry("/proc/meminfo", "MemTotal", ':')
        .split(' ')
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or_default();
    let system = entry("/etc/os-release", "PRETTY_NAME", '=');
    format!(
        "{month}; {cores} cores ({processor}), {:.0} GiB, {system}, {kernel}, {compiler}; load average {}",
        kib / 1024.0 / 1024.0,
        load()
    )
}

/// Programs that want to run, over the last minute.
fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().filter(|word| !word.is_empty()).unwrap_or("unknown").to_owned()
}

fn entry(file: &str, name: &str, mark: char) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let mut pairs = text.lines().filter_map(|line| line.split_once(mark));
    let found = pairs.find(|(key, _)| key.trim() == name);
    found.map_or_else(|| "unknown".into(), |(_, value)| value.trim().trim_matches('"').to_owned())
}

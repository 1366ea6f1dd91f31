//! What keeping many profiles costs, and how that grows.
//!
//! Virtual time, so the machine's speed is all there is to see: SQLite on a memory file system, an
//! instance inside the process that answers at once. A refresh is the whole of it: plan, lock, slot,
//! intent noted, request, answer judged, tokens sealed and stored, next plan.

use std::path::Path;

use serde_json::Value;

use super::Place;
use super::table::Row;
use crate::run::{cargo, output, program, succeed, target_dir};

const SIZES: [u32; 3] = [1_000, 10_000, 100_000];
/// With a hundred times the profiles, each may cost this many times as much.
const GROWTH: f64 = 2.0;
/// A place in memory, where there is one: disks are measured elsewhere.
const MEMORY: &str = "/dev/shm";

const CPU: &str = "`keep`: CPU for one refresh of one of";
const BYTES: &str = "`keep`: resident memory for each of";

/// What one size costs.
struct Cost {
    micros: f64,
    bytes: f64,
}

/// What it is called, where it is found, and its unit.
type Figure = (&'static str, fn(&Cost) -> f64, &'static str);

/// Two rows for each size, the smallest beside each.
pub(super) fn rows(place: &Place) -> Vec<Row> {
    let measured: Result<Vec<Cost>, String> = build()
        .and_then(|example| SIZES.iter().map(|size| measure(&example, place, *size)).collect());
    match measured {
        Ok(costs) => shown(&costs),
        Err(why) => vec![Row::failed(CPU, &why), Row::failed(BYTES, &why)],
    }
}

fn build() -> Result<std::path::PathBuf, String> {
    let arguments = ["build", "--quiet", "--release", "--locked", "-p", "snowtoken"];
    succeed(cargo(&arguments).args(["--example", "keep_many"]))?;
    Ok(target_dir().join("release/examples/keep_many"))
}

fn measure(example: &Path, place: &Place, size: u32) -> Result<Cost, String> {
    let name = format!("keep-{size}");
    let home = if Path::new(MEMORY).is_dir() {
        let made = output(program("mktemp").args(["-d", "-p", MEMORY, "snowtoken-bench-XXXXXX"]))?;
        std::path::PathBuf::from(made.trim())
    } else {
        place.folder(&name)?
    };
    let said = output(program(example).arg(&home).arg(size.to_string()));
    let _ = std::fs::remove_dir_all(&home);
    cost(&said?, size)
}

fn cost(said: &str, size: u32) -> Result<Cost, String> {
    let told: Value = serde_json::from_str(said).map_err(|e| format!("{e}: {said}"))?;
    let number = |name: &str| told[name].as_f64().ok_or_else(|| format!("no {name}: {said}"));
    let refreshes = number("refreshes")?;
    if refreshes < f64::from(size) || number("failed")? > 0.0 {
        return Err(format!("not everybody was refreshed: {said}"));
    }
    Ok(Cost {
        micros: number("cpu_seconds")? * 1e6 / refreshes,
        bytes: (number("resident_end")? - number("resident_before")?) / f64::from(size),
    })
}

fn shown(costs: &[Cost]) -> Vec<Row> {
    let mut rows = Vec::new();
    let figures: [Figure; 2] =
        [(CPU, |cost| cost.micros, "µs"), (BYTES, |cost| cost.bytes, "bytes")];
    for (title, figure, unit) in figures {
        let smallest = costs.first().map_or(1.0, figure);
        for (size, cost) in SIZES.iter().zip(costs) {
            let (name, value) = (format!("{title} {size}"), figure(cost));
            let ours = format!("{value:.0} {unit}");
            let row = if *size == SIZES[0] {
                Row::told(&name, ours)
            } else {
                let ratio = value / smallest;
                Row::limited(&name, ratio, GROWTH, ours)
                    .beside(format!("of {}: {smallest:.0} {unit}", SIZES[0]), ratio)
                    .required(&format!("≤ {GROWTH} × of {}", SIZES[0]))
            };
            rows.push(row);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_becomes_a_cost_for_each() {
        let said = r#"{"refreshes":2000,"failed":0,"cpu_seconds":0.5,"resident_before":1000,"resident_end":3001000}"#;
        let found = cost(said, 1_000).unwrap();
        assert_eq!((found.micros.round(), found.bytes.round()), (250.0, 3_000.0));
        assert!(cost(&said.replace("\"failed\":0", "\"failed\":1"), 1_000).is_err());
        assert!(cost(said, 10_000).is_err(), "some were forgotten");
    }

    #[test]
    fn growth_has_a_limit() {
        let costs = [(100.0, 10.0), (150.0, 10.0), (201.0, 19.0)];
        let costs = costs.map(|(micros, bytes)| Cost { micros, bytes });
        let missed: Vec<bool> = shown(&costs).iter().map(Row::is_missed).collect();
        assert_eq!(missed, [false, false, true, false, false, false]);
    }
}

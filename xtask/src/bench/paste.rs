//! From the paste to the end of `login`, in round trips.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::Place;
use super::front::{Front, delayed};
use super::person::{Client, Person, stand_in};
use super::table::Row;
use super::timing::median;

const ONE_WAY: Duration = Duration::from_millis(100);
/// How long a person needs: by then the connection stands.
const PERSON: Duration = Duration::from_millis(3200);
const RUNS: usize = 5;

/// A way to log in, and the round trips it may take.
struct Way {
    figure: &'static str,
    tls: bool,
    more: &'static [&'static str],
    limit: f64,
}

const WAYS: [Way; 3] = [
    Way { figure: "paste to exit, TLS, with verification", tls: true, more: &[], limit: 2.2 },
    Way {
        figure: "paste to exit, TLS, `--no-verify`",
        tls: true,
        more: &["--no-verify"],
        limit: 1.2,
    },
    Way { figure: "paste to exit, plain HTTP", tls: false, more: &[], limit: 3.5 },
];

/// One row for each way.
pub(super) fn rows(shipped: &Path, place: &Place) -> Vec<Row> {
    let ready = place.folder("paste").and_then(|folder| {
        let (server, instance) = stand_in(shipped, &folder, &[])?;
        let front = Front::before(instance.port, &folder)?;
        let far = (delayed(front.port, ONE_WAY)?, delayed(instance.port, ONE_WAY)?);
        Ok((server, front, instance, far))
    });
    let (_server, front, instance, (secure, plain)) = match ready {
        Ok(ready) => ready,
        Err(why) => return WAYS.iter().map(|way| Row::failed(way.figure, &why)).collect(),
    };
    let ca = front.authority.display().to_string();
    let measured = |(number, way): (usize, &Way)| {
        let (url, trust) = if way.tls {
            (format!("https://127.0.0.1:{secure}"), vec!["--ca-file", &ca])
        } else {
            (format!("http://127.0.0.1:{plain}"), vec![])
        };
        let to = Client { url, ..instance.clone() };
        let more = [trust.as_slice(), way.more].concat();
        let mut trips = Vec::new();
        for run in 0..RUNS {
            let person = Person::new(shipped, place.folder(&format!("paste-{number}-{run}"))?);
            trips.push(once(&person, &to, &more)?);
        }
        let middle = median(&mut trips);
        let time = (ONE_WAY * 2).mul_f64(middle).as_millis();
        Ok(Row::limited(way.figure, middle, way.limit, format!("{middle:.2} round trips"))
            .required(&format!("≤ {} round trips", way.limit))
            .beside(format!("{time} ms, one trip {} ms", (ONE_WAY * 2).as_millis()), middle))
    };
    let ways = WAYS.iter().enumerate();
    ways.map(|way| (way.1.figure, measured(way)))
        .map(|(figure, row): (_, Result<Row, String>)| {
            row.unwrap_or_else(|why| Row::failed(figure, &why))
        })
        .collect()
}

/// Somebody's very first login: the key and the store are made in it as well.
fn once(person: &Person, to: &Client, more: &[&str]) -> Result<f64, String> {
    let shown = Instant::now();
    let (mut running, redirected) = person.begin(to, more)?;
    thread::sleep((shown + PERSON).saturating_duration_since(Instant::now()));
    let pasted = Instant::now();
    running.write(&redirected)?;
    running.finish()?;
    Ok(pasted.elapsed().as_secs_f64() / (ONE_WAY * 2).as_secs_f64())
}

//! What a person waits for in front of `wizard`, beside Python's own web server with a page as large.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::Place;
use super::person::{Person, stand_in};
use super::running::Running;
use super::table::Row;
use super::timing::{median, shown};
use super::web::{Answer, Browser, target_of};

const RUNS: usize = 25;
const WALKS: usize = 9;
const FIRST_MS: f64 = 200.0;
const STEP_MS: f64 = 50.0;
const PEAK_MIB: f64 = 30.0;

const FIRST: &str = "`wizard`: from the command to the first page, complete";
const STEP: &str = "`wizard`: the slowest answer to a step";
const PEAK: &str = "`wizard`: peak memory, after the walk";

/// How long a page that looks again by itself may do so.
const PATIENCE: Duration = Duration::from_secs(20);

/// A page of the journey as somebody leaves it: its name, and what its form sends.
type Step = (&'static str, &'static [(&'static str, &'static str)]);

/// From the choice of the product to the address that ServiceNow asks for Allow; the instance's
/// address is put in where the form has none.
const STEPS: [Step; 5] = [
    ("product", &[("do", "target"), ("target", "nice-knowledge-hub")]),
    ("place", &[("do", "place"), ("instance", ""), ("region", "us-west-2"), ("name", "bench")]),
    ("instance answers", &[("do", "clear")]),
    ("way", &[("do", "way"), ("way", "there")]),
    ("client", &[("do", "client"), ("client_id", ID), ("client_secret", "no-secret-of-anybody")]),
];
const ID: &str = "0123456789abcdef0123456789abcdef";

/// Time to the first page, time of each answer, memory.
pub(super) fn rows(shipped: &Path, place: &Place) -> Vec<Row> {
    let ready = place.folder("wizard").and_then(|home| {
        let (server, instance) = stand_in(shipped, &home, &[])?;
        Ok((server, instance.url, Person::new(shipped, home)))
    });
    let failed = |why: &str| [FIRST, STEP, PEAK].map(|figure| Row::failed(figure, why)).to_vec();
    match ready {
        Ok((_server, instance, person)) => {
            measured(&person, &instance).unwrap_or_else(|why| failed(&why))
        }
        Err(why) => failed(&why),
    }
}

fn measured(person: &Person, instance: &str) -> Result<Vec<Row>, String> {
    let page = Wizard::start(person)?.page.clone();
    let folder = person.path("pages");
    fs::create_dir(&folder).map_err(|e| e.to_string())?;
    fs::write(folder.join("index.html"), page).map_err(|e| e.to_string())?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        ours.push(Wizard::start(person)?.first);
        theirs.push(Python::start(person, &folder)?.first);
    }
    let mut rows = vec![first(median(&mut ours), median(&mut theirs))];
    let mut walk = Walk::default();
    for number in 0..WALKS {
        // Each has a home of its own, so that each makes the same connection for the first time.
        let home = person.path(&format!("walk-{number}"));
        fs::create_dir(&home).map_err(|e| e.to_string())?;
        walk.go(&Person::new(person.shipped(), home), instance, &folder)?;
    }
    rows.extend(walk.rows());
    Ok(rows)
}

fn first(ours: Duration, theirs: Duration) -> Row {
    Row::limited(FIRST, milliseconds(ours), FIRST_MS, shown(ours))
        .beside(format!("Python's `http.server`: {}", shown(theirs)), ratio(ours, theirs))
        .required(&format!("≤ {FIRST_MS} ms"))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn ratio(ours: Duration, theirs: Duration) -> f64 {
    ours.as_secs_f64() / theirs.as_secs_f64()
}

/// One run of the command, entered by its link.
struct Wizard {
    running: Running,
    browser: Browser,
    page: String,
    first: Duration,
}

impl Wizard {
    fn start(person: &Person) -> Result<Self, String> {
        let start = Instant::now();
        let mut running = Running::start(&mut person.snowtoken(&["wizard", "--no-browser"]))?;
        let link = running.hear(|line| line.starts_with("http://").then(|| line.to_owned()))?;
        let mut browser = Browser::of(port(&link)?);
        let entered = browser.get(&target_of(&link)?)?;
        let answer = follow(&mut browser, entered)?;
        let first = start.elapsed();
        complete(&answer)?;
        Ok(Self { running, browser, page: answer.body, first })
    }

    /// Sends a form and follows it to the next page; how long both took together.
    fn send(&mut self, fields: &[(String, String)]) -> Result<(Duration, Answer), String> {
        let start = Instant::now();
        let sent = self.browser.post("/journey", fields, None)?;
        let answer = follow(&mut self.browser, sent)?;
        let time = start.elapsed();
        complete(&answer)?;
        Ok((time, answer))
    }

    /// Waits, as a page does, until what takes time beside the pages is there.
    fn settled(&mut self) -> Result<String, String> {
        let end = Instant::now() + PATIENCE;
        loop {
            let answer = self.browser.get("/journey")?;
            if !answer.body.contains("http-equiv=\"refresh\"") {
                return Ok(answer.body);
            }
            if Instant::now() > end {
                return Err("a page of the wizard does not stop to look again".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The page to which an answer leads.
fn follow(browser: &mut Browser, mut answer: Answer) -> Result<Answer, String> {
    for _ in 0..4 {
        let Some(next) = answer.header("location").map(str::to_owned) else { break };
        answer = browser.get(&next)?;
    }
    Ok(answer)
}

/// A whole page, and no refusal.
fn complete(answer: &Answer) -> Result<(), String> {
    if answer.status == 200 && answer.body.contains("</html>") {
        return Ok(());
    }
    Err(format!("the wizard answered {}: {}", answer.status, answer.body))
}

fn port(link: &str) -> Result<u16, String> {
    let after = link.rsplit(':').next().and_then(|rest| rest.split('/').next());
    after.and_then(|port| port.trim().parse().ok()).ok_or_else(|| format!("no port in {link}"))
}

/// Python's server over a folder.
struct Python {
    running: Running,
    browser: Browser,
    first: Duration,
}

impl Python {
    fn start(person: &Person, folder: &Path) -> Result<Self, String> {
        let start = Instant::now();
        let mut command = person.program("python3");
        command.args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"]);
        let mut running = Running::start(command.arg(folder))?;
        let port = running.hear(|line| {
            let (_, rest) = line.split_once(" port ")?;
            rest.split(' ').next()?.parse().ok()
        })?;
        let mut browser = Browser::of(port);
        browser.get("/")?;
        Ok(Self { running, browser, first: start.elapsed() })
    }
}

/// What was seen on the way: for each step how long its answer took, and theirs in the same moment.
#[derive(Default)]
struct Walk {
    ours: [Vec<Duration>; STEPS.len()],
    theirs: Vec<Duration>,
    peak: f64,
    peak_beside: f64,
}

impl Walk {
    fn go(&mut self, person: &Person, instance: &str, folder: &Path) -> Result<(), String> {
        let mut wizard = Wizard::start(person)?;
        let mut python = Python::start(person, folder)?;
        let csrf = hidden(&wizard.page, "csrf").ok_or("the first page has no form")?;
        wizard.browser.post("/begin", &[("csrf".to_owned(), csrf.clone())], None)?;
        for ((name, fields), times) in STEPS.iter().zip(&mut self.ours) {
            let page = wizard.settled()?;
            let filled = |(key, value): &(&str, &str)| {
                let value = if *key == "instance" { instance } else { value };
                ((*key).to_owned(), value.to_owned())
            };
            let mut form: Vec<_> = fields.iter().map(filled).collect();
            let asked = form.first().map(|(_, value)| format!("value=\"{value}\""));
            if !asked.is_some_and(|asked| page.contains(&asked)) {
                return Err(format!("the wizard is not at the step `{name}`: {page}"));
            }
            form.push(("csrf".to_owned(), csrf.clone()));
            times.push(wizard.send(&form)?.0);
            let start = Instant::now();
            // A form and the page after it are two requests.
            python.browser.get("/")?;
            python.browser.get("/")?;
            self.theirs.push(start.elapsed());
        }
        self.peak = self.peak.max(wizard.running.peak()?);
        self.peak_beside = self.peak_beside.max(python.running.peak()?);
        Ok(())
    }

    fn rows(mut self) -> Vec<Row> {
        let theirs = median(&mut self.theirs);
        let mut slowest = (Duration::ZERO, "");
        for ((name, _), times) in STEPS.iter().zip(&mut self.ours) {
            slowest = slowest.max((median(times), name));
        }
        let (time, name) = slowest;
        let step =
            Row::limited(STEP, milliseconds(time), STEP_MS, format!("{} ({name})", shown(time)))
                .beside(
                    format!("Python's `http.server`, two files: {}", shown(theirs)),
                    ratio(time, theirs),
                )
                .required(&format!("≤ {STEP_MS} ms"));
        let beside = format!("Python's `http.server`: {:.1} MiB", self.peak_beside);
        let peak = Row::limited(PEAK, self.peak, PEAK_MIB, format!("{:.1} MiB", self.peak))
            .beside(beside, self.peak / self.peak_beside)
            .required(&format!("≤ {PEAK_MIB} MiB"));
        vec![step, peak]
    }
}

/// The value of a hidden field.
fn hidden(page: &str, name: &str) -> Option<String> {
    let start = format!("name=\"{name}\" value=\"");
    Some(page.split_once(&start)?.1.split('"').next()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_forms_are_read() {
        assert_eq!(port("http://127.0.0.1:8123/enter?key=ab"), Ok(8123));
        assert!(port("http://nowhere/").is_err());
        assert_eq!(
            hidden("<input type=\"hidden\" name=\"csrf\" value=\"x1\">", "csrf").unwrap(),
            "x1"
        );
        assert!(hidden("<p>", "csrf").is_none());
    }
}

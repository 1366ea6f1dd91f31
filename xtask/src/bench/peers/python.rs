//! `requests-oauthlib` (Python): what a script does that follows the vendors' pages.

use std::process::Command;
use std::time::Duration;

use super::super::person::PROFILE;
use super::super::table::Row;
use super::super::timing::{pairs, said};
use super::{Scene, compared, home_of};
use crate::run::{output, program};

pub(super) const FIGURES: [&str; 3] = [
    "`token`, living, against `requests-oauthlib` with a token file",
    "`refresh`, a process each, against `requests-oauthlib`",
    "`refresh`, a process each, against `requests-oauthlib` in one process",
];

/// Gets a token out of a file, as a session would use it.
const LIVING: &str = "
import json, sys
from requests_oauthlib import OAuth2Session
with open(sys.argv[1]) as file:
    session = OAuth2Session(sys.argv[2], token=json.load(file))
print(session.access_token)
";

/// Refreshes so many times, keeps what came, and prints the seconds it took.
const REFRESH: &str = "
import json, os, sys, time
from requests_oauthlib import OAuth2Session
path, name, secret, url, count = sys.argv[1:6]
with open(path) as file:
    session = OAuth2Session(name, token=json.load(file))
start = time.perf_counter()
for _ in range(int(count)):
    token = session.refresh_token(url, auth=(name, secret))
    with open(path + '.new', 'w') as file:
        json.dump(token, file)
    os.replace(path + '.new', path)
print(time.perf_counter() - start)
";

const LIVING_ROUNDS: usize = 40;
const REFRESH_ROUNDS: usize = 60;
const LOOP_ROUNDS: u32 = 300;

pub(super) fn rows(scene: &Scene) -> Result<Vec<Row>, String> {
    let home = home_of("python")?;
    let python = home.join("bin/python");
    let works = |python| output(program(python).args(["-c", "import requests_oauthlib"])).is_ok();
    if !works(&python) {
        output(program("python3").args(["-m", "venv", "--clear"]).arg(&home))?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        output(program(&python).args(pip).arg("requests-oauthlib"))
            .map_err(|why| format!("requests-oauthlib cannot be had: {why}"))?;
    }
    let tokens = scene.us.file("tokens.json", &scene.tokens()?.to_string())?;
    let script = |text: &str| -> Command {
        let mut command = scene.us.program(&python);
        command.env("OAUTHLIB_INSECURE_TRANSPORT", "1").args(["-c", text]).arg(&tokens);
        command.arg(&scene.server.id);
        command
    };
    let refresh = |count: &str| {
        let mut command = script(REFRESH);
        command.args([&scene.server.secret, &format!("{}/oauth_token.do", scene.server.url)]);
        command.arg(count);
        command
    };
    let living = &mut scene.us.snowtoken(&["token", PROFILE]);
    let living = pairs(living, &mut script(LIVING), LIVING_ROUNDS)?;
    let ours = &mut scene.us.snowtoken(&["refresh", PROFILE]);
    let one = pairs(ours, &mut refresh("1"), REFRESH_ROUNDS)?;
    let seconds = said(&mut refresh(&LOOP_ROUNDS.to_string()))?;
    let seconds = seconds.trim().parse().map_err(|_| format!("the script said {seconds}"))?;
    let each = Duration::from_secs_f64(seconds) / LOOP_ROUNDS;
    let per_second = |time: Duration| 1.0 / time.as_secs_f64();
    Ok(vec![
        compared(FIGURES[0], "Python", &living),
        compared(FIGURES[1], "Python", &one),
        Row::told(FIGURES[2], format!("{:.0} refreshes/s", per_second(one.ours))).beside(
            format!("Python: {:.0} refreshes/s", per_second(each)),
            per_second(one.ours) / per_second(each),
        ),
    ])
}

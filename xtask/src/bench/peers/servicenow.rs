//! `servicenow-cli` (Rust): the nearest product. It prints no token; it tells who is signed in.

use std::net::TcpListener;
use std::process::Command;

use super::super::person::{PROFILE, Person};
use super::super::running::Running;
use super::super::table::Row;
use super::super::timing::pairs;
use super::super::web;
use super::{Scene, compared, home_of};
use crate::run::{cargo, output};

pub(super) const FIGURES: [&str; 3] = [
    "`--version`, against `servicenow-cli`",
    "`status`, offline, against `servicenow-cli`",
    "`verify`, against `servicenow-cli`",
];

const ROUNDS: usize = 100;

pub(super) fn rows(scene: &Scene) -> Result<Vec<Row>, String> {
    let home = home_of("cargo")?;
    let program = home.join("bin/servicenow");
    if !program.exists() {
        let mut install = cargo(&["install", "--quiet", "--locked", "servicenow-cli", "--root"]);
        output(install.arg(&home).env("CARGO_TARGET_DIR", home.join("build")))
            .map_err(|why| format!("servicenow-cli cannot be had: {why}"))?;
    }
    // A home of its own, in the same place as ours.
    let them = Person::new(&program, scene.place.folder("servicenow")?);
    let theirs = |arguments: &[&str]| -> Command {
        let mut command = them.program(&program);
        command.args(arguments);
        command
    };
    sign_in(scene, &theirs)?;
    let cases: [(&[&str], &[&str], &str); 3] = [
        (&["--version"], &["--version"], "`servicenow --version`"),
        (
            &["status", PROFILE],
            &["auth", "status", "--offline"],
            "`servicenow auth status --offline`",
        ),
        (&["verify", PROFILE], &["auth", "status"], "`servicenow auth status`"),
    ];
    let mut rows = Vec::new();
    for (figure, (ours, arguments, name)) in FIGURES.iter().zip(cases) {
        let ours = &mut scene.us.snowtoken(ours);
        let pair = pairs(ours, &mut theirs(arguments), ROUNDS)?;
        rows.push(compared(figure, name, &pair));
    }
    Ok(rows)
}

/// Its login, by the listener that it has.
fn sign_in(scene: &Scene, theirs: &dyn Fn(&[&str]) -> Command) -> Result<(), String> {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let port = free.map_err(|e| e.to_string())?.port();
    let redirect_uri = format!("http://127.0.0.1:{port}/callback");
    let server = &scene.server;
    let mut login = theirs(&["auth", "login", "--method", "oauth", "--secret-stdin"]);
    login.args(["--no-browser", "--insecure-storage", "--instance", &server.url]);
    login.args(["--client-id", &server.id, "--redirect-uri", &redirect_uri]);
    let mut running = Running::start(&mut login)?;
    running.write(&format!("{}\n", server.secret))?;
    running.close();
    let url = running.hear(|line| {
        let line = line.trim();
        line.starts_with(&server.url).then(|| line.to_owned())
    })?;
    let redirected = web::consent(server.port, &url)?;
    web::get(port, &redirected)?;
    running.finish()
}

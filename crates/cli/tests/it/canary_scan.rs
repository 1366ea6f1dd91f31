//! Secrets stay inside: a whole life with every log switched on, every mishap, and then a search
//! through all that was said, written and handed to other programs. Each search is shown to find
//! what it looks for.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::mishaps::{self, Scene};
use crate::support::canary::Scanner;
use crate::support::foreign::{Foreign, Kind, Options};
use crate::support::instance::{
    Consent, Instance, PROFILE, first_login, free_redirect_uri, log_in, paste, words,
};
use crate::support::process::{Outcome, Running};
use crate::support::sandbox::{BINARY, Sandbox};

/// Every switch that makes a Rust program talkative.
fn talkative() -> Vec<(String, String)> {
    let all = [("SNOWTOKEN_LOG", "trace"), ("RUST_LOG", "trace"), ("RUST_BACKTRACE", "full")];
    all.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

/// All that a server was told and all that it gave, as far as the requests show it.
fn secrets_of(server: &Foreign) -> Scanner {
    let mut scanner = Scanner::of(&[("client secret", &server.client_secret())]);
    for request in server.received() {
        let bearer = request.headers.iter().filter_map(|(_, value)| value.strip_prefix("Bearer "));
        for token in bearer {
            scanner.add("access token", token);
        }
        for name in ["code", "code_verifier", "refresh_token", "token"] {
            if let Some(value) = request.field(name).filter(|value| value.len() >= 12) {
                scanner.add(name, &value);
            }
        }
    }
    scanner
}

/// What was said, except where a token was asked for by name.
struct Heard(Vec<(String, Outcome)>);

impl Heard {
    fn check(&self, scanner: &Scanner) -> Vec<String> {
        let mut found = Vec::new();
        for (name, outcome) in &self.0 {
            let asked_for = ["token", "exec", "deliver"].contains(&name.as_str());
            let stdout = if asked_for { "" } else { &outcome.stdout };
            for (stream, text) in [("stdout", stdout), ("stderr", &outcome.stderr)] {
                let hits = scanner.scan(text.as_bytes());
                found.extend(hits.into_iter().map(|hit| format!("{name}, {stream}: {hit}")));
            }
        }
        found
    }
}

#[test]
fn a_whole_life_leaves_no_secret_in_words_or_files() {
    for kind in [Kind::OidcProvider, Kind::Authlib] {
        let (server, sandbox) = (Foreign::usual(kind), Sandbox::new());
        let scene = Scene { server: &server, sandbox: &sandbox, environment: talkative() };
        let mut heard = Heard(Vec::new());
        let login = [first_login(&sandbox, &server), words(&["--json"])].concat();
        heard.0.push(("login".into(), paste(scene.start(&login), &server).ok()));
        let verbs = [
            &["token", PROFILE][..],
            &["refresh", PROFILE],
            &["status"],
            &["status", PROFILE, "--json"],
            &["status", "--ics", "-"],
            &["status", "--ics", "deadlines.ics"],
            &["verify", PROFILE],
            &["profile", "show", PROFILE],
            &["profile", "list"],
            &["doctor", PROFILE],
            &["exec", PROFILE, "--", "true"],
            &["login", PROFILE, "--no-browser"],
            &["revoke", PROFILE],
            &["logout", PROFILE],
            &["status"],
        ];
        for words_of_verb in verbs {
            let mut running = scene.start(&words(words_of_verb));
            let outcome = if words_of_verb[0] == "login" {
                paste(running, &server)
            } else {
                running.close_stdin();
                running.finish()
            };
            heard.0.push((words_of_verb[0].to_owned(), outcome));
        }
        let scanner = secrets_of(&server);
        assert_eq!(heard.check(&scanner), Vec::<String>::new(), "{kind:?}");
        let known = [sandbox.path("files/client-secret"), sandbox.credentials()];
        let known: Vec<&Path> = known.iter().map(AsRef::as_ref).collect();
        assert_eq!(scanner.scan_tree(&sandbox.path(""), &known), Vec::<String>::new(), "{kind:?}");
        // The same searches, where there is something to find.
        assert!(!scanner.scan_tree(&sandbox.path(""), &[]).is_empty());
        let token = heard.0.iter().find(|(name, _)| name == "token").unwrap();
        assert!(!scanner.scan(token.1.stdout.as_bytes()).is_empty());
    }
}

#[test]
fn no_mishap_shows_a_secret() {
    let (server, sandbox) = (Foreign::usual(Kind::Authlib), Sandbox::new());
    log_in(&sandbox, &server);
    let scene = Scene { server: &server, sandbox: &sandbox, environment: talkative() };
    let mut heard = Heard(Vec::new());
    for mishap in mishaps::all() {
        heard.0.push((mishap.name.to_owned(), (mishap.happen)(&scene).finish()));
    }
    assert!(heard.0.len() >= 30, "too few to mean anything");
    let mut scanner = secrets_of(&server);
    // Codes that were never sent are secrets too: the server gave them to the browser.
    let typed =
        ["never-given-out-0123456789", "certainly-not-the-secret", "another-secret-0123456789"];
    for name in typed {
        scanner.add(name, name);
    }
    assert_eq!(heard.check(&scanner), Vec::<String>::new());
    let given = ["client-secret", "wrong", "other"].map(|name| sandbox.path("files").join(name));
    let given: Vec<&Path> = given.iter().map(AsRef::as_ref).collect();
    assert_eq!(scanner.scan_tree(&sandbox.path(""), &given), Vec::<String>::new());
}

#[test]
fn a_command_that_shows_its_secret_is_caught() {
    let (server, sandbox) = (Foreign::usual(Kind::Authlib), Sandbox::new());
    log_in(&sandbox, &server);
    // `exec` hands the token over on purpose; this child has a loose tongue.
    let outcome = sandbox.run(&["exec", PROFILE, "--", "sh", "-c", "env >&2"]).ok();
    sandbox.run(&["verify", PROFILE]).ok();
    let scanner = secrets_of(&server);
    let heard = Heard(vec![("exec".to_owned(), outcome)]);
    assert!(!heard.check(&scanner).is_empty(), "the scanner is blind");
}

/// Reads the arguments and environment of a process and its children again and again.
struct Watch {
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<Vec<u8>>>,
    thread: std::thread::JoinHandle<()>,
}

impl Watch {
    fn over(pid: u32) -> Self {
        let (stop, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (our_stop, our_seen) = (stop.clone(), seen.clone());
        let thread = std::thread::spawn(move || {
            while !our_stop.load(Ordering::SeqCst) {
                let mut found = Vec::new();
                read_process(pid, &mut found);
                let mut seen = our_seen.lock().unwrap();
                if !found.is_empty() && *seen != found {
                    seen.extend_from_slice(&found);
                }
                drop(seen);
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        });
        Self { stop, seen, thread }
    }

    fn end(self) -> Vec<u8> {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().unwrap();
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

fn read_process(pid: u32, found: &mut Vec<u8>) {
    let read = |name: &str| fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
    found.extend(read("cmdline"));
    found.extend(read("environ"));
    let children = read(&format!("task/{pid}/children"));
    let children = String::from_utf8_lossy(&children).into_owned();
    for child in children.split_whitespace().filter_map(|text| text.parse().ok()) {
        read_process(child, found);
    }
}

#[test]
fn no_process_carries_a_secret_in_its_arguments_or_environment() {
    let redirect_uri = free_redirect_uri();
    let options = Options { redirect_uri, ..Options::default() };
    let (server, sandbox) = (Foreign::start(Kind::Authlib, options), Sandbox::new());
    let trace = sandbox.path("execve.txt");
    // With a browser this time: the opener is a program like any other.
    let mut arguments = first_login(&sandbox, &server);
    arguments.retain(|argument| argument != "--no-browser");
    let plain = sandbox.command(&[] as &[&str]);
    let mut strace = sandbox.program("/usr/bin/strace");
    strace.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    strace.args(["-f", "-qq", "-v", "-s", "1048576", "-e", "trace=execve", "-o"]).arg(&trace);
    strace.arg(BINARY).args(&arguments);
    let running = Running::start(strace);
    let watch = Watch::over(running.pid());
    let redirected = server.consent(&running.authorization_url(), Consent::Allow);
    crate::support::http::get(&redirected);
    running.finish().ok();
    let seen = watch.end();
    for verb in ["token", "refresh", "verify", "revoke"] {
        let running = sandbox.start(&[verb, PROFILE]);
        let watch = Watch::over(running.pid());
        running.finish().ok();
        assert_eq!(secrets_of(&server).scan(&watch.end()), Vec::<String>::new(), "{verb}");
    }
    let scanner = secrets_of(&server);
    assert_eq!(scanner.scan(&seen), Vec::<String>::new());
    let text = fs::read_to_string(&trace).unwrap();
    assert!(text.contains("snowtoken"), "the trace saw nothing: {text}");
    assert_eq!(scanner.scan(text.as_bytes()), Vec::<String>::new());
    assert!(String::from_utf8_lossy(&seen).contains("SNOWTOKEN_HOME"), "the watch saw nothing");
}

#[test]
fn a_child_that_carries_the_token_is_seen() {
    let (server, sandbox) = (Foreign::usual(Kind::Authlib), Sandbox::new());
    log_in(&sandbox, &server);
    let running = sandbox.start(&["exec", PROFILE, "--", "sleep", "1"]);
    let watch = Watch::over(running.pid());
    running.finish().ok();
    sandbox.run(&["verify", PROFILE]).ok();
    assert!(!secrets_of(&server).scan(&watch.end()).is_empty(), "the watch is blind");
}

#[test]
fn the_browser_is_given_the_url_and_nothing_else() {
    let (server, sandbox) = (Foreign::usual(Kind::Authlib), Sandbox::new());
    let mut arguments = first_login(&sandbox, &server);
    arguments.retain(|argument| argument != "--no-browser");
    let mut command = sandbox.command(&arguments);
    // Without a display most openers do not even try.
    command.env("DISPLAY", ":99");
    let mut running = Running::start(command);
    let url = running.authorization_url();
    running.write(format!("{}\n", server.consent(&url, Consent::Allow)));
    running.finish().ok();
    let opened = fs::read_to_string(sandbox.opened()).unwrap_or_default();
    assert_eq!(opened.lines().collect::<Vec<_>>(), [url.as_str()], "what the browser was given");
}

/// The search is only worth something if it finds a leak: here is a build that has one.
#[test]
fn a_build_that_leaks_is_found() {
    let built = Path::new(BINARY).parent().unwrap();
    let target = built.parent().unwrap().join("leaking");
    lend_dependencies(built, &target.join("debug"));
    let cargo = std::env::var_os("CARGO").expect("run by cargo");
    let status = std::process::Command::new(cargo)
        .args(["build", "--quiet", "--locked", "-p", "snowtoken-cli", "--features", "leaking"])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .unwrap();
    assert!(status.success());
    let (server, sandbox) = (Foreign::usual(Kind::Authlib), Sandbox::new());
    fs::create_dir(sandbox.path("key")).unwrap();
    let mut command = sandbox.program(target.join("debug").join("snowtoken"));
    command.args(first_login(&sandbox, &server)).envs(talkative());
    let outcome = paste(Running::start(command), &server).ok();
    let heard = Heard(vec![("login".into(), outcome)]);
    let found = heard.check(&secrets_of(&server));
    assert!(found.iter().any(|hit| hit.contains("access token")), "{found:?}");
}

/// What this build and the leaking one have in common is not compiled twice. Where that does not
/// succeed, it only takes longer.
fn lend_dependencies(from: &Path, to: &Path) {
    if to.exists() {
        return;
    }
    fs::create_dir_all(to.join("deps")).unwrap();
    let is_library = |file: &PathBuf| {
        let kinds = ["rlib", "rmeta", "so", "d"];
        file.extension().is_some_and(|own| kinds.iter().any(|kind| own == *kind))
    };
    let deps = fs::read_dir(from.join("deps")).unwrap().map(|entry| entry.unwrap().path());
    let libraries: Vec<PathBuf> = deps.filter(is_library).collect();
    let marks = [from.join(".fingerprint"), from.join("build")];
    for (files, place) in [(&marks[..], to.to_owned()), (&libraries[..], to.join("deps"))] {
        // With their times: by those a build is known to be fresh.
        let mut copy = std::process::Command::new("/bin/cp");
        copy.args(["--archive", "--target-directory"]).arg(place).args(files);
        assert!(copy.status().unwrap().success());
    }
}

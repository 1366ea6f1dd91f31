//! A profile goes from one machine to another: two homes, one instance, one owner at a time.

pub(crate) mod age;
mod files;
mod kills;

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::support::canary::Scanner;
use crate::support::instance::{Instance, PROFILE, log_in, log_in_with, paste};
use crate::support::process::Outcome;
use crate::support::pty::{Terminal, plain};
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;

const PASSPHRASE: &str = "four words of no sentence";

/// Two machines and the instance; somebody is logged in on the first.
pub(super) struct Scene {
    pub(super) instance: StandIn,
    pub(super) a: Sandbox,
    pub(super) b: Sandbox,
}

impl Scene {
    pub(super) fn new(knobs: &[&str]) -> Self {
        let scene = Self { instance: StandIn::with(knobs), a: Sandbox::new(), b: Sandbox::new() };
        for sandbox in [&scene.a, &scene.b] {
            sandbox.file("passphrase", format!("{PASSPHRASE}\n"));
        }
        log_in(&scene.a, &scene.instance);
        scene
    }

    /// A file both machines reach, as a memory stick is.
    pub(super) fn file(&self) -> PathBuf {
        self.a.path("files/p.snowtoken")
    }

    /// Hands the profile over, to the usual file.
    pub(super) fn exported(&self) -> Outcome {
        export(&self.a, &[])
    }

    /// The refresh token that was sent last.
    fn instance_refresh_token(&self) -> String {
        let requests = self.instance.token_requests();
        requests.iter().rev().find_map(|request| request.field("refresh_token")).unwrap()
    }

    /// How many requests went to the token endpoint by now.
    fn asked(&self) -> usize {
        self.instance.token_requests().len()
    }
}

pub(super) fn export(from: &Sandbox, more: &[&str]) -> Outcome {
    let words = ["profile", "export", PROFILE, "--passphrase-file", "passphrase"];
    from.run(&[&words[..], more].concat())
}

pub(super) fn import(to: &Sandbox, file: &Path, more: &[&str]) -> Outcome {
    let file = file.to_str().unwrap();
    let words = ["profile", "import", file, "--passphrase-file", "passphrase"];
    to.run(&[&words[..], more].concat())
}

/// How the profile stands on a machine.
pub(super) fn state(of: &Sandbox) -> String {
    let status = of.run(&["status", PROFILE, "--json"]).ok().json();
    status["profiles"][0]["state"].as_str().unwrap().to_owned()
}

/// It refuses to refresh, says why, and asks nobody.
#[track_caller]
pub(super) fn refuses(machine: &Sandbox) {
    let (outcome, code) = machine.run(&["refresh", PROFILE]).failed_with(&[4]);
    assert_eq!(code.as_deref(), Some("handed-over"), "{outcome:#?}");
    assert!(outcome.stderr.contains("was handed over to another machine at 20"), "{outcome:#?}");
}

#[test]
fn a_profile_moves_and_its_former_owner_refreshes_no_more() {
    let scene = Scene::new(&["refresh.access=new-each-time"]);
    let before = scene.a.run(&["token", PROFILE]).ok().token();
    let told = scene.exported().ok();
    assert_eq!(told.stdout, "");
    assert!(told.stderr.contains("p: handed over: sealed in "), "{told:#?}");
    assert_eq!(fs::metadata(scene.file()).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(state(&scene.a), "handed over");
    assert!(scene.a.run(&["status"]).ok().stdout.contains("p: handed over"));

    // What lives is handed out until it ends; what would need the instance is refused.
    let asked = scene.asked();
    refuses(&scene.a);
    assert_eq!(scene.a.run(&["token", PROFILE]).ok().token(), before);
    let plenty = scene.a.run(&["token", PROFILE, "--min-valid", "10m"]).ok().token();
    assert_eq!(plenty, before);
    let more = scene.a.run(&["token", PROFILE, "--min-valid", "40m"]);
    assert_eq!(more.failed_with(&[4]).1.as_deref(), Some("handed-over"));
    for format in ["credentials-file", "json", "shell"] {
        let delivery = scene.a.run(&["deliver", PROFILE, "--format", format]);
        assert_eq!(delivery.failed_with(&[4]).1.as_deref(), Some("handed-over"), "{format}");
    }
    assert_eq!(scene.asked(), asked, "nobody was asked");

    let told = import(&scene.b, &scene.file(), &[]).ok();
    assert_eq!(told.stdout, "");
    assert!(
        told.stderr.contains("p: taken over, and verified: this machine is the owner"),
        "{told:#?}"
    );
    assert!(told.stderr.contains("  the tokens belong to abel.tuter\n"), "{told:#?}");
    assert_eq!(state(&scene.b), "logged in");
    scene.b.run(&["refresh", PROFILE]).ok();
    assert_eq!(scene.asked(), asked + 2, "the import proves the tokens, and one refresh");
    let after = scene.b.run(&["token", PROFILE]).ok().token();
    assert_ne!(after, before);
    // Everything came along: the next login asks for nothing.
    paste(scene.b.start(&["login", PROFILE, "--no-browser", "--no-output"]), &scene.instance).ok();

    let asked = scene.asked();
    refuses(&scene.a);
    for verb in ["revoke", "logout"] {
        let (outcome, code) = scene.a.run(&[verb, PROFILE]).failed_with(&[4]);
        assert_eq!(code.as_deref(), Some("handed-over"));
        assert!(outcome.stderr.contains("would end them there"), "{outcome:#?}");
        assert!(outcome.stderr.contains("`snowtoken profile remove p`"), "{outcome:#?}");
    }
    let (_, code) = export(&scene.a, &[]).failed_with(&[4]);
    assert_eq!(code.as_deref(), Some("handed-over"));
    assert_eq!(scene.asked(), asked, "nobody was asked");
    scene.a.run(&["profile", "remove", PROFILE]).ok();
    scene.b.run(&["verify", PROFILE]).ok();
}

#[test]
fn settings_facts_and_deadlines_come_along() {
    let scene = Scene::new(&[]);
    scene.a.run(&["profile", "set", PROFILE, "--refresh-token-lifespan", "200d"]).ok();
    scene.a.run(&["refresh", PROFILE]).ok();
    let shown = |of: &Sandbox| {
        let mut status = of.run(&["status", "--json"]).ok().json()["profiles"][0].clone();
        let object = status.as_object_mut().unwrap();
        // An import refreshes once, and learns from it.
        object.remove("access_token_expires_at");
        object.remove("refresh_token_end_on_refresh");
        object.remove("next_refresh_at");
        let profile = of.run(&["profile", "show", PROFILE, "--json"]).ok().json();
        (status, profile)
    };
    let before = shown(&scene.a);
    scene.exported().ok();
    import(&scene.b, &scene.file(), &[]).ok();
    assert_eq!(shown(&scene.b), before);
    assert!(before.0["refresh_token_expires_at"].is_string(), "{before:?}");
}

#[test]
fn the_machine_it_comes_from_takes_it_back() {
    let scene = Scene::new(&[]);
    scene.exported().ok();
    refuses(&scene.a);
    let told = import(&scene.a, &scene.file(), &[]).ok();
    assert!(
        told.stderr.contains("p: taken back, and verified: this machine is the owner again"),
        "{told:#?}"
    );
    assert!(told.stderr.contains("must not be imported anywhere any more"), "{told:#?}");
    assert_eq!(state(&scene.a), "logged in");
    scene.a.run(&["refresh", PROFILE]).ok();
    // That hand-over is over; a later one is another.
    let (outcome, code) = import(&scene.a, &scene.file(), &[]).failed_with(&[2]);
    assert_eq!(code.as_deref(), Some("sealed-file-used"), "{outcome:#?}");
    let earlier = scene.a.path("files/earlier");
    fs::copy(scene.file(), &earlier).unwrap();
    scene.exported().ok();
    let (outcome, code) = import(&scene.a, &earlier, &[]).failed_with(&[2]);
    assert_eq!(code.as_deref(), Some("sealed-file-used"), "{outcome:#?}");
    refuses(&scene.a);
    // Removed here, the file is all there is.
    scene.a.run(&["profile", "remove", PROFILE]).ok();
    let told = import(&scene.a, &scene.file(), &[]).ok();
    assert!(told.stderr.contains("taken back"), "{told:#?}");
    scene.a.run(&["refresh", PROFILE]).ok();
}

#[test]
fn what_the_new_owner_has_used_up_is_not_taken_back() {
    let scene = Scene::new(&["refresh.token=rotate", "refresh.access=new-each-time"]);
    scene.exported().ok();
    import(&scene.b, &scene.file(), &[]).ok();
    scene.b.run(&["refresh", PROFILE]).ok();
    // Its access token still lives, its refresh token does not: only a refresh tells.
    let living = scene.a.run(&["token", PROFILE]).ok().token();
    assert!(scene.instance.is_alive(&living));
    let config = fs::read(scene.a.keep().join("config.toml")).unwrap();
    let (outcome, _) = import(&scene.a, &scene.file(), &[]).failed_with(&[4]);
    assert!(outcome.stderr.contains("nothing was taken over"), "{outcome:#?}");
    assert_eq!(state(&scene.a), "handed over");
    assert_eq!(fs::read(scene.a.keep().join("config.toml")).unwrap(), config);
    refuses(&scene.a);
    // The same on a machine that had nothing.
    let c = Sandbox::new();
    c.file("passphrase", PASSPHRASE);
    import(&c, &scene.file(), &[]).failed_with(&[4]);
    assert_eq!(c.run(&["profile", "list"]).ok().stdout, "");
    scene.b.run(&["refresh", PROFILE]).ok();
}

#[test]
fn a_file_is_taken_over_once_and_replaces_no_living_tokens() {
    let scene = Scene::new(&[]);
    scene.exported().ok();
    import(&scene.b, &scene.file(), &[]).ok();
    let (outcome, code) = import(&scene.b, &scene.file(), &[]).failed_with(&[2]);
    assert_eq!(code.as_deref(), Some("sealed-file-used"), "{outcome:#?}");
    assert!(outcome.stderr.contains("taken over on this machine already, at 20"), "{outcome:#?}");
    // Under another name as well: it is the file that was used.
    let again = import(&scene.b, &scene.file(), &["--name", "other"]);
    assert_eq!(again.failed_with(&[2]).1.as_deref(), Some("sealed-file-used"));
    import(&scene.b, &scene.file(), &["--force"]).ok();

    // Somebody has a profile of that name there, with tokens of its own.
    let c = Sandbox::new();
    c.file("passphrase", PASSPHRASE);
    log_in(&c, &scene.instance);
    let before = c.run(&["token", PROFILE]).ok().token();
    let (outcome, code) = import(&c, &scene.file(), &[]).failed_with(&[2]);
    assert_eq!(code.as_deref(), Some("profile-invalid"), "{outcome:#?}");
    assert!(outcome.stderr.contains("--force: replaces its tokens, which live"), "{outcome:#?}");
    assert_eq!(c.run(&["token", PROFILE]).ok().token(), before);
    import(&c, &scene.file(), &["--name", "moved"]).ok();
    c.run(&["refresh", "moved"]).ok();
}

#[test]
fn a_chain_of_owners_comes_back_to_the_first() {
    let scene = Scene::new(&["refresh.token=rotate"]);
    scene.exported().ok();
    import(&scene.b, &scene.file(), &[]).ok();
    scene.b.run(&["refresh", PROFILE]).ok();
    export(&scene.b, &[]).ok();
    refuses(&scene.b);
    let told = import(&scene.a, &scene.b.path("files/p.snowtoken"), &[]).ok();
    assert!(told.stderr.contains("taken over"), "{told:#?}");
    scene.a.run(&["refresh", PROFILE]).ok();
    refuses(&scene.b);
}

/// The refresh token in the file is the living one, however many refresh while it is sealed.
#[test]
fn an_export_amid_refreshes_carries_the_newest_tokens() {
    let scene = Scene::new(&["refresh.token=rotate"]);
    for round in 0..3 {
        let refresh = || scene.a.start(&["refresh", PROFILE]);
        let mut running = vec![refresh()];
        let words = ["profile", "export", PROFILE, "--passphrase-file", "passphrase"];
        let mut export_amid = scene.a.start(&words);
        // One after the other until it has ended, and one more.
        while export_amid.is_running() && running.len() < 16 {
            running.push(refresh());
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        running.push(refresh());
        let (mut done, mut refused) = (0, 0);
        for outcome in running.into_iter().map(crate::support::process::Running::finish) {
            if outcome.code == Some(0) {
                done += 1;
            } else {
                let code = outcome.failed_with(&[4]).1;
                assert_eq!(code.as_deref(), Some("handed-over"));
                refused += 1;
            }
        }
        export_amid.finish().ok();
        println!("round {round}: {done} refreshed, {refused} came too late");
        let asked = scene.asked();
        refuses(&scene.a);
        assert_eq!(scene.asked(), asked);
        import(&scene.b, &scene.file(), &[]).ok();
        scene.b.run(&["refresh", PROFILE]).ok();
        let back = scene.b.path("files/back.snowtoken");
        export(&scene.b, &["--output", back.to_str().unwrap()]).ok();
        import(&scene.a, &back, &[]).ok();
    }
}

#[test]
fn a_login_owns_again_and_warns_of_the_other() {
    let scene = Scene::new(&[]);
    scene.exported().ok();
    let login = ["login", PROFILE, "--no-browser", "--no-output"];
    let told = paste(scene.a.start(&login), &scene.instance).ok();
    assert!(told.stderr.contains("this machine owns p again"), "{told:#?}");
    assert!(told.stderr.contains("one pair for a client and a user"), "{told:#?}");
    assert_eq!(state(&scene.a), "logged in");
    scene.a.run(&["refresh", PROFILE]).ok();
    let told = paste(scene.a.start(&login), &scene.instance).ok();
    assert!(!told.stderr.contains("owns p again"), "{told:#?}");
}

#[test]
fn a_forced_revocation_ends_the_tokens_of_both() {
    let scene = Scene::new(&[]);
    scene.exported().ok();
    import(&scene.b, &scene.file(), &[]).ok();
    let token = scene.b.run(&["token", PROFILE]).ok().token();
    let told = scene.a.run(&["revoke", PROFILE, "--force"]).ok();
    assert!(told.stderr.contains("warning: p was handed over at 20"), "{told:#?}");
    assert!(told.stderr.contains("refuses both tokens now"), "{told:#?}");
    assert!(!scene.instance.is_alive(&token));
    scene.b.run(&["refresh", PROFILE]).failed_with(&[4]);
}

#[test]
fn a_sealed_profile_goes_through_a_pipe() {
    let scene = Scene::new(&[]);
    let told = export(&scene.a, &["--output", "-"]).ok();
    assert!(told.stdout.starts_with("-----BEGIN SNOWTOKEN SEALED PROFILE-----\n"), "{told:#?}");
    assert!(told.stdout.ends_with("-----END SNOWTOKEN SEALED PROFILE-----\n"), "{told:#?}");
    refuses(&scene.a);
    let words = ["profile", "import", "-", "--passphrase-file", "passphrase"];
    scene.b.run_fed(&words, &told.stdout).ok();
    scene.b.run(&["refresh", PROFILE]).ok();
    // Whoever stops reading has nothing, and this machine keeps its profile.
    let scene = Scene::new(&[]);
    let mut shell = scene.a.program("/bin/sh");
    let binary = crate::support::sandbox::BINARY;
    let script = format!(
        "'{binary}' profile export {PROFILE} --passphrase-file passphrase --output - >/dev/full"
    );
    shell.args(["-c", &script]);
    let outcome = crate::support::process::Running::start(shell).finish();
    assert_eq!(outcome.failed_with(&[1]).1.as_deref(), Some("output-failed"));
    scene.a.run(&["refresh", PROFILE]).ok();
}

#[test]
fn a_person_types_the_passphrase_twice_and_nobody_sees_it() {
    let scene = Scene::new(&[]);
    let typed = |second: &str| {
        let mut terminal = Terminal::start(&scene.a.command(&["profile", "export", PROFILE]), 100);
        terminal.wait(|text| text.contains("New passphrase for the sealed file: ").then_some(()));
        terminal.keys(format!("{PASSPHRASE}\r"));
        terminal.wait(|text| text.contains("The same passphrase again: ").then_some(()));
        terminal.keys(format!("{second}\r"));
        let session = terminal.finish();
        assert!(session.restored);
        assert!(!session.text().contains(PASSPHRASE), "{}", session.text());
        (session.code, plain(&session.text()))
    };
    let (code, text) = typed("five words of no sentence");
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("error: the two passphrases differ"), "{text}");
    assert_eq!(state(&scene.a), "logged in");
    let (code, text) = typed(PASSPHRASE);
    assert_eq!(code, Some(0), "{text}");
    let file = scene.file().display().to_string();
    let mut terminal = Terminal::start(&scene.b.command(&["profile", "import", &file]), 100);
    terminal.wait(|text| text.contains("Passphrase of the sealed file: ").then_some(()));
    terminal.keys(format!("{PASSPHRASE}\r"));
    let session = terminal.finish();
    assert_eq!(session.code, Some(0), "{}", session.text());
    assert!(!session.text().contains(PASSPHRASE), "{}", session.text());
}

/// R58, V14: neither arguments nor environment, files or words hold what is sealed.
#[test]
fn nothing_that_is_sealed_shows_on_its_way() {
    let instance = StandIn::with(&[]);
    let (a, b) = (Sandbox::new(), Sandbox::new());
    log_in_with(&a, &instance, &[]).ok();
    let scanner = Scanner::of(&[
        ("client secret", &instance.client_secret()),
        ("access token", &a.credential("Access Token")),
        ("refresh token", &a.credential("Refresh Token")),
        ("passphrase", PASSPHRASE),
    ]);
    let recipient = age::identity(&a);
    for sandbox in [&a, &b] {
        sandbox.file("passphrase", PASSPHRASE);
    }
    let file = a.path("files/p.snowtoken");
    let file = file.to_str().unwrap();
    let identity = a.path("files/identity");
    let trips: [[Vec<&str>; 2]; 2] = [
        [
            vec!["profile", "export", PROFILE, "--passphrase-file", "passphrase"],
            vec!["profile", "import", file, "--passphrase-file", "passphrase"],
        ],
        [
            vec!["profile", "export", PROFILE, "--recipient", &recipient],
            vec!["profile", "import", file, "--identity", identity.to_str().unwrap()],
        ],
    ];
    for (number, [out, back]) in trips.iter().enumerate() {
        for (words, sandbox) in [(out, &a), (back, &a)] {
            let log = sandbox.path(format!("trace-{number}"));
            let outcome = traced(sandbox, words, &log).ok();
            let said = scanner.scan(outcome.said().as_bytes());
            assert_eq!(said, Vec::<String>::new(), "{words:?}");
            let trace = fs::read(&log).unwrap();
            assert!(trace.windows(7).any(|w| w == b"SNOWTOK"), "the trace saw nothing");
            assert_eq!(scanner.scan(&trace), Vec::<String>::new(), "{words:?}");
            fs::remove_file(&log).unwrap();
        }
        let given = [a.path("files/client-secret"), a.path("files/passphrase"), a.credentials()];
        let given: Vec<&Path> = given.iter().map(PathBuf::as_path).collect();
        assert_eq!(scanner.scan_tree(&a.path(""), &given), Vec::<String>::new());
    }
    // The same search, where there is something to find.
    assert!(!scanner.scan_tree(&a.path(""), &[]).is_empty());
    let opened = age::decrypted(&a, &fs::read_to_string(file).unwrap());
    assert!(!scanner.scan(&opened).is_empty());
}

/// Runs it with every program it starts written down, arguments and environment whole.
fn traced(sandbox: &Sandbox, words: &[&str], log: &Path) -> Outcome {
    let plain = sandbox.command(&[] as &[&str]);
    let mut strace = sandbox.program("/usr/bin/strace");
    strace.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    strace.args(["-f", "-qq", "-v", "-s", "1048576", "-e", "trace=execve", "-o"]).arg(log);
    strace.arg(crate::support::sandbox::BINARY).args(words);
    let mut running = crate::support::process::Running::start(strace);
    running.close_stdin();
    running.finish()
}

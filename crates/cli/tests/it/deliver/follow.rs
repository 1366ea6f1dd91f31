//! Files that follow the tokens, and what is run for them.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{deliver, logged_in, logged_in_without_blanks};
use crate::support::canary::Scanner;
use crate::support::instance::{Instance as _, PROFILE, log_in_with, paste};
use crate::support::process::Running;
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;

fn text(sandbox: &Sandbox, name: &str) -> String {
    fs::read_to_string(sandbox.path("files").join(name)).unwrap_or_default()
}

fn token(sandbox: &Sandbox) -> String {
    sandbox.run(&["token", PROFILE]).ok().token()
}

/// A line that counts its runs, in a file of this name.
fn counting(sandbox: &Sandbox, name: &str) -> String {
    format!(
        "echo \"$SNOWTOKEN_HOOK $SNOWTOKEN_PROFILE $SNOWTOKEN_FILE\" >>'{}'",
        sandbox.path("files").join(name).display()
    )
}

#[test]
fn a_file_follows_every_refresh_and_its_line_is_run() {
    let (_instance, sandbox) = logged_in();
    let reload = counting(&sandbox, "runs");
    let asked =
        deliver(&["--format", "header", "--output", "h", "--keep-fresh", "--reload", &reload]);
    sandbox.run(&asked).ok();
    sandbox.run(&deliver(&["--format", "vault", "--output", "v"])).ok();
    let before = text(&sandbox, "h");
    sandbox.run(&["refresh", PROFILE]).ok();
    assert_eq!(text(&sandbox, "h"), format!("Authorization: Bearer {}\n", token(&sandbox)));
    assert_ne!(text(&sandbox, "h"), before);
    let path = sandbox.path("files/h").display().to_string();
    assert_eq!(text(&sandbox, "runs"), format!("reload p {path}\n").repeat(2));
    assert_eq!(sandbox.snapshot_of("files")["files/h"].permissions(), 0o600);
    // `token` refreshes as well.
    sandbox.run(&["token", PROFILE, "--min-valid", "1799"]).ended_with(&[0, 5]);
    assert_eq!(text(&sandbox, "h"), format!("Authorization: Bearer {}\n", token(&sandbox)));
    // The other was not to follow.
    let outcome = sandbox.run(&deliver(&["--check", "--json"])).ended_with(&[3]);
    let found = outcome.json();
    let state = |format: &str| {
        let all = found["deliveries"].as_array().unwrap();
        all.iter().find(|one| one["format"] == format).unwrap().clone()
    };
    assert_eq!(
        (&state("header")["state"], &state("header")["keep_fresh"]),
        (&"same".into(), &true.into())
    );
    assert_eq!(
        (&state("vault")["state"], &state("vault")["keep_fresh"]),
        (&"drifted".into(), &false.into())
    );
    let scanner = Scanner::of(&[("access token", &token(&sandbox))]);
    assert_eq!(scanner.scan(outcome.said().as_bytes()), Vec::<String>::new());
}

#[test]
fn delivering_without_it_ends_it() {
    let (_instance, sandbox) = logged_in();
    sandbox.run(&deliver(&["--format", "header", "--output", "h", "--keep-fresh"])).ok();
    sandbox.run(&deliver(&["--format", "header", "--output", "h"])).ok();
    let before = text(&sandbox, "h");
    sandbox.run(&["refresh", PROFILE]).ok();
    assert_eq!(text(&sandbox, "h"), before);
}

#[test]
fn the_last_shape_that_was_written_to_a_file_is_the_one_that_stays() {
    let (_instance, sandbox) = logged_in();
    sandbox.run(&deliver(&["--format", "json", "--output", "same", "--keep-fresh"])).ok();
    sandbox.run(&deliver(&["--format", "shell", "--output", "same"])).ok();
    let before = text(&sandbox, "same");
    sandbox.run(&["refresh", PROFILE]).ok();
    assert_eq!(text(&sandbox, "same"), before);
    let found = sandbox.run(&deliver(&["--check", "--json"])).ended_with(&[3]).json();
    assert_eq!(found["deliveries"].as_array().unwrap().len(), 1, "{found}");
    assert_eq!(found["deliveries"][0]["format"], "shell");
}

/// Another file than the one that was named would be written later.
#[test]
fn a_path_that_is_no_text_is_refused_before_anything_is_written() {
    let (_instance, sandbox) = logged_in();
    let path = sandbox.path("files").join(OsStr::from_bytes(b"h\xff"));
    for more in [&["--keep-fresh"][..], &[]] {
        let mut command = sandbox.command(&deliver(&["--format", "header", "--output"]));
        command.arg(&path).args(more);
        let (outcome, code) = Running::start(command).finish().failed_with(&[2]);
        assert_eq!(code.as_deref(), Some("usage"), "{outcome:#?}");
        assert!(outcome.stderr.contains("is no UTF-8 text"), "{outcome:#?}");
    }
    let mut command = sandbox.command(&["login", PROFILE, "--no-browser", "--output"]);
    command.arg(&path);
    let (outcome, _) = Running::start(command).finish().failed_with(&[2]);
    assert!(outcome.stderr.contains("is no UTF-8 text"), "{outcome:#?}");
    sandbox.run(&["refresh", PROFILE]).ok();
    assert_eq!(fs::read_dir(sandbox.path("files")).unwrap().count(), 1, "the client secret's");
}

#[test]
fn a_dash_is_no_file() {
    let (_instance, sandbox) = logged_in();
    for arguments in [
        &deliver(&["--format", "header", "--output", "-"])[..],
        &["login", PROFILE, "--no-browser", "--output", "-"],
        &["login", PROFILE, "--no-browser", "--code-only", "--output", "-"],
    ] {
        let (outcome, code) = sandbox.run(arguments).failed_with(&[2]);
        assert_eq!(code.as_deref(), Some("usage"), "{outcome:#?}");
        assert_eq!(outcome.stdout, "");
        let way = if arguments.contains(&"--no-browser") && !arguments.contains(&"--code-only") {
            "leave it out with --no-output"
        } else {
            "without --output it is standard output"
        };
        assert!(outcome.stderr.contains(way), "{outcome:#?}");
    }
    assert!(!sandbox.path("files/-").exists());
}

/// Whoever asks for a file once, while a refresh is under way, must not have the older record back.
#[test]
fn a_delivery_waits_for_a_refresh_that_is_under_way() {
    let (instance, sandbox) = logged_in();
    sandbox.run(&deliver(&["--format", "header", "--output", "h", "--keep-fresh"])).ok();
    instance.set("fault.kind=slow");
    instance.set("fault.delay=3000");
    let asked = instance.token_requests().len();
    let refreshing = sandbox.start(&["refresh", PROFILE]);
    let end = Instant::now() + Duration::from_secs(10);
    while instance.token_requests().len() == asked && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(10));
    }
    sandbox.run(&deliver(&["--format", "header", "--output", "h"])).ok();
    refreshing.finish().ok();
    instance.set("fault.kind=none");
    assert_eq!(text(&sandbox, "h"), format!("Authorization: Bearer {}\n", token(&sandbox)));
    let found = sandbox.run(&deliver(&["--check", "--json"])).ok().json();
    assert_eq!(found["deliveries"][0]["keep_fresh"], false, "{found}");
}

/// Whoever uses up a file deletes it, as the file itself says.
#[test]
fn a_file_that_was_deleted_is_gone_and_not_asked_for_again() {
    let (_instance, sandbox) = logged_in();
    sandbox.run(&deliver(&["--output", "once.txt"])).ok();
    fs::remove_file(sandbox.path("files/once.txt")).unwrap();
    let outcome = sandbox.run(&deliver(&["--check", "--json"])).ok();
    assert_eq!(outcome.json()["deliveries"][0]["state"], "gone");
    assert!(outcome.stderr.ends_with("once.txt is gone, and forgotten\n"), "{outcome:#?}");
    let outcome = sandbox.run(&deliver(&["--check"])).ok();
    assert_eq!(outcome.stderr, format!("{PROFILE}: nothing was delivered to a file\n"));
}

#[test]
fn a_delivery_that_nobody_wants_any_more_is_ended_by_a_command_that_is_named() {
    let (_instance, sandbox) = logged_in();
    let folder = sandbox.path("files/it's here");
    fs::create_dir(&folder).unwrap();
    let asked = deliver(&["--format", "header", "--output", "it's here/h", "--keep-fresh"]);
    sandbox.run(&asked).ok();
    fs::remove_dir_all(&folder).unwrap();
    // The folder may come back.
    let place = folder.join("h").display().to_string();
    let forget = format!("snowtoken deliver p --forget '{}'", place.replace('\'', "'\\''"));
    let outcome = sandbox.run(&deliver(&["--check"])).ended_with(&[3]);
    assert!(outcome.stderr.contains(&format!("`{forget}`")), "{outcome:#?}");
    let outcome = sandbox.run(&["refresh", PROFILE]).ok();
    assert!(outcome.stderr.contains(&format!("; `{forget}` ends that\n")), "{outcome:#?}");
    let (outcome, _) = sandbox.run(&deliver(&["--forget", "other"])).failed_with(&[2]);
    assert!(outcome.stderr.contains(&format!("hint: delivered: {place}\n")), "{outcome:#?}");
    sandbox.run(&deliver(&["--forget", "it's here/h"])).ok();
    let outcome = sandbox.run(&["refresh", PROFILE]).ok();
    assert!(!outcome.stderr.contains("does not follow"), "{outcome:#?}");
    sandbox.run(&deliver(&["--check"])).ok();
}

#[test]
fn the_command_that_writes_a_drifted_file_again_is_told_whole() {
    let (_instance, sandbox) = logged_in();
    fs::create_dir(sandbox.path("files/a b")).unwrap();
    let file = sandbox.path("files/a b/v").display().to_string();
    let asked = deliver(&["--format", "vault", "--variant", "http-create", "--output", &file]);
    sandbox.run(&asked).ok();
    sandbox.run(&["refresh", PROFILE]).ok();
    let outcome = sandbox.run(&deliver(&["--check"])).ended_with(&[3]);
    let line = format!(
        "hint: writes it again: run `snowtoken deliver p --format vault --variant http-create --output '{file}'`\n"
    );
    assert!(outcome.stderr.contains(&line), "{outcome:#?}");
    assert!(!outcome.stderr.contains("--output FILE"), "{outcome:#?}");
}

#[test]
fn what_cannot_follow_never_costs_the_token() {
    let (_instance, sandbox) = logged_in();
    sandbox
        .run(&deliver(&[
            "--format",
            "header",
            "--output",
            "h",
            "--keep-fresh",
            "--reload",
            "exit 7",
        ]))
        .ok();
    let outcome = sandbox.run(&["refresh", PROFILE]).ok();
    assert!(
        outcome.stderr.contains("the reload for ") && outcome.stderr.contains("exit status: 7"),
        "{outcome:#?}"
    );
    fs::remove_file(sandbox.path("files/h")).unwrap();
    fs::create_dir(sandbox.path("files/h")).unwrap();
    let outcome = sandbox.run(&["refresh", PROFILE]).ok();
    assert!(outcome.stderr.contains("does not follow the tokens"), "{outcome:#?}");
    assert!(outcome.stderr.contains("(code: output-unwritable)"), "{outcome:#?}");
    assert!(!outcome.stderr.contains("the reload"), "nothing was written: {outcome:#?}");
    token(&sandbox);
}

#[test]
fn the_line_is_run_when_values_changed_and_not_otherwise() {
    let (instance, sandbox) = logged_in();
    let reload = counting(&sandbox, "runs");
    let asked =
        deliver(&["--format", "header", "--output", "h", "--keep-fresh", "--reload", &reload]);
    let runs = || text(&sandbox, "runs").lines().count();
    sandbox.run(&asked).ok();
    sandbox.run(&asked).ok();
    assert_eq!(runs(), 1, "the second time nothing had changed");
    // Somebody else wrote into it: it is put right, and that is a change.
    fs::write(sandbox.path("files/h"), "other").unwrap();
    sandbox.run(&asked).ok();
    assert_eq!(runs(), 2);
    instance.set("refresh.access=same-while-valid");
    sandbox.run(&["refresh", PROFILE]).ended_with(&[0, 1]);
    assert_eq!(runs(), 2, "the same token again is no change");
}

#[test]
fn the_line_learns_no_secret() {
    let (instance, sandbox) = logged_in();
    let dump = format!(
        "env >>'{0}'; tr '\\0' '\\n' </proc/$$/cmdline >>'{0}'",
        sandbox.path("files/dump").display()
    );
    let mut command =
        sandbox.command(&deliver(&["--format", "json", "--output", "j", "--reload", &dump]));
    command
        .env("SNOWTOKEN_CLIENT_SECRET", instance.client_secret())
        .env("AWS_SECRET_ACCESS_KEY", "canary-of-others");
    Running::start(command).finish().ok();
    let json: Value = serde_json::from_str(&text(&sandbox, "j")).unwrap();
    let mut scanner = Scanner::of(&[("client secret", &instance.client_secret())]);
    scanner.add("others", "canary-of-others");
    for name in ["access_token", "refresh_token", "auth_code"] {
        scanner.add(name, json[name].as_str().unwrap());
    }
    let dump = text(&sandbox, "dump");
    assert!(dump.contains("SNOWTOKEN_FILE="), "{dump}");
    assert_eq!(scanner.scan(dump.as_bytes()), Vec::<String>::new());
    // It is remembered only with --keep-fresh.
    fs::remove_file(sandbox.path("files/dump")).unwrap();
    sandbox.run(&["refresh", PROFILE]).ok();
    assert_eq!(text(&sandbox, "dump"), "");
}

#[test]
fn a_line_that_refreshes_does_not_run_itself_for_ever() {
    let (_instance, sandbox) = logged_in();
    let again = format!(
        "echo x >>'{}'; '{}' refresh {PROFILE}",
        sandbox.path("files/runs").display(),
        crate::support::sandbox::BINARY
    );
    let asked =
        deliver(&["--format", "header", "--output", "h", "--keep-fresh", "--reload", &again]);
    let mut command = sandbox.command(&asked);
    command.env("SNOWTOKEN_KEY_FILE", sandbox.path("key/store.key"));
    Running::start(command).finish();
    assert!(text(&sandbox, "runs").lines().count() <= 1);
}

#[test]
fn a_login_and_the_keeper_are_followed_too() {
    let (instance, sandbox) = (StandIn::with(&["refresh.access=new-each-time"]), Sandbox::new());
    log_in_with(&sandbox, &instance, &["--output", "cred.txt"]).ok();
    let reload = counting(&sandbox, "runs");
    let asked = deliver(&["--output", "cred.txt", "--keep-fresh", "--reload", &reload]);
    sandbox.run(&asked).ok();
    sandbox.run(&deliver(&["--format", "header", "--output", "h", "--keep-fresh"])).ok();
    paste(sandbox.start(&["login", PROFILE, "--no-browser"]), &instance).ok();
    assert_eq!(text(&sandbox, "h"), format!("Authorization: Bearer {}\n", token(&sandbox)));
    assert!(text(&sandbox, "cred.txt").contains(&format!("Access Token: {}\n", token(&sandbox))));
    let runs = text(&sandbox, "runs").lines().count();
    // As long as it is asked for, it stays so.
    sandbox.run(&["refresh", PROFILE]).ok();
    assert_eq!(text(&sandbox, "runs").lines().count(), runs + 1);
    assert!(text(&sandbox, "cred.txt").contains(&token(&sandbox)));
    sandbox.run(&deliver(&["--check"])).ok();
    let mode = fs::metadata(sandbox.path("files/cred.txt")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn the_keeper_writes_them_and_runs_the_line() {
    let knobs = ["refresh.access=new-each-time", "lifespan.access=4"];
    let (instance, sandbox) = (StandIn::with(&knobs), Sandbox::new());
    log_in_with(&sandbox, &instance, &["--no-output"]).ok();
    let reload = counting(&sandbox, "runs");
    let asked =
        deliver(&["--format", "header", "--output", "h", "--keep-fresh", "--reload", &reload]);
    sandbox.run(&asked).ok();
    let before = text(&sandbox, "h");
    std::thread::sleep(std::time::Duration::from_secs(4));
    sandbox.run(&["keep", "--once", "--no-notify"]).ok();
    assert_ne!(text(&sandbox, "h"), before);
    assert_eq!(text(&sandbox, "runs").lines().count(), 2);
}

#[test]
fn drift_is_told_for_every_shape_and_only_where_a_value_changed() {
    let (instance, sandbox) = logged_in_without_blanks();
    // Shape, variant, and whether the access token is in it.
    let shapes = [
        ("credentials-file", "", true),
        ("json", "", true),
        ("dotenv", "python", true),
        ("shell", "", true),
        ("header", "", true),
        ("appflow", "update", true),
        ("cloudformation", "template", false),
        ("aws-secret", "bedrock", false),
        ("snowflake-sql", "renew", false),
        ("vault", "http-create", true),
        ("kubernetes", "data", true),
        ("external-secret", "", false),
        ("azure-key-vault", "", true),
        ("1password", "", true),
        ("docker", "", true),
        ("systemd-credential", "", true),
    ];
    for (format, variant, _) in shapes {
        let mut asked = deliver(&["--format", format, "--output", format]);
        if !variant.is_empty() {
            asked.extend(["--variant", variant]);
        }
        let done = sandbox.run(&[asked, vec!["--json"]].concat()).ok().json();
        assert_eq!((&done["format"], &done["changed"]), (&format.into(), &true.into()));
    }
    let scanner = Scanner::of(&[
        ("client secret", &instance.client_secret()),
        ("access token", &token(&sandbox)),
    ]);
    assert_eq!(
        sandbox.run(&deliver(&["--check"])).ok().stderr.matches("is what is stored").count(),
        shapes.len()
    );
    sandbox.run(&["refresh", PROFILE]).ok();
    let outcome = sandbox.run(&deliver(&["--check", "--json"])).ended_with(&[3]);
    assert_eq!(scanner.scan(outcome.said().as_bytes()), Vec::<String>::new());
    let found = outcome.json();
    for (format, _, has_token) in shapes {
        let all = found["deliveries"].as_array().unwrap();
        let one = all.iter().find(|one| one["format"] == format).unwrap();
        let expected = if has_token { "drifted" } else { "same" };
        assert_eq!(one["state"], expected, "{format}");
    }
    // Whatever its shape, a file that somebody wrote into is told.
    fs::write(sandbox.path("files/external-secret"), "x").unwrap();
    let outcome = sandbox.run(&deliver(&["--check"])).ended_with(&[3]);
    assert!(
        outcome.stderr.contains("external-secret was changed after the delivery"),
        "{outcome:#?}"
    );
}

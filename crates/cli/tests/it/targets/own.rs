//! Files of targets of a person's own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use serde_json::json;

use crate::support::foreign::scripts;
use crate::support::instance::{
    Consent, Instance as _, PROFILE, console_uri, log_in, paste, words,
};
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;

const WIKI: &str = r#"
[[target]]
name = "wiki"
title = "Our wiki"
class = "tokens"
redirect_uri = "https://wiki.example.com/back"
fields = [["Token", "refresh_token"]]
confidence = "documented"
sources = ["our wiki's own page"]
"#;

fn chmod(path: &PathBuf, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Puts a file of that name into the folder that `target path` names.
fn put(sandbox: &Sandbox, name: &str, text: &str) -> PathBuf {
    let folder = PathBuf::from(sandbox.run(&["target", "path"]).ok().stdout.trim_end());
    assert_eq!(folder, sandbox.keep().join("targets"));
    fs::create_dir_all(&folder).unwrap();
    chmod(&sandbox.keep(), 0o700);
    chmod(&folder, 0o700);
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    chmod(&path, 0o600);
    path
}

#[test]
fn a_broken_file_stops_nobody_who_uses_what_comes_with_the_program() {
    let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    log_in(&sandbox, &instance);
    let path = put(&sandbox, "bad.toml", "x");
    let done = sandbox.run(&["deliver", PROFILE, "--format", "json"]).ok();
    let warning = format!("warning: {}: `snowtoken target check FILE` tells why; ", path.display());
    assert!(done.stderr.contains(&warning), "{done:#?}");
    // Its own place may be meant: it is not passed over.
    let name = "nice-knowledge-hub";
    put(&sandbox, "own.toml", &WIKI.replace("\"wiki\"", &format!("\"{name}\"")));
    let (outcome, code) =
        sandbox.run(&["deliver", PROFILE, "--format", "json"]).failed_with(&[1, 2]);
    assert_eq!(code.as_deref(), Some("target-file-invalid"), "{outcome:#?}");
}

#[test]
fn targets_of_ones_own_are_listed_shown_and_marked() {
    let sandbox = Sandbox::new();
    let said = sandbox.run(&["target", "path"]).ok().stderr;
    assert!(said.starts_with("this folder is not there yet"), "{said}");
    let path = put(&sandbox, "wiki.toml", WIKI);
    assert_eq!(sandbox.run(&["target", "path"]).ok().stderr, "");
    let list = sandbox.run(&["target", "list"]).ok().stdout;
    assert!(list.contains("\n  wiki                       Our wiki [your own file]\n"), "{list}");
    let show = sandbox.run(&["target", "show", "wiki"]).ok().stdout;
    assert!(show.contains(&format!("From your own file      {}\n", path.display())), "{show}");
    let json = sandbox.run(&["target", "show", "wiki", "--json"]).ok().json();
    assert_eq!((&json["own_file"], &json["stands_in"]), (&json!(path.to_str()), &json!(false)));
    let said = sandbox.run(&["target", "check", path.to_str().unwrap()]).ok();
    assert_eq!(said.stdout, show);
    assert_eq!(said.stderr, format!("{}: 1 target, nothing is wrong with it\n", path.display()));
    // A note that is no target file is left alone.
    put(&sandbox, "readme.txt", "hello");
    sandbox.run(&["target", "list"]).ok();
}

#[test]
fn one_that_stands_in_for_a_target_of_the_program_says_so() {
    let sandbox = Sandbox::new();
    let path = put(&sandbox, "nice.toml", &WIKI.replace("\"wiki\"", "\"nice-knowledge-hub\""));
    let show = sandbox.run(&["target", "show", "nice-knowledge-hub"]).ok().stdout;
    let words: Vec<&str> = show.split_whitespace().collect();
    assert!(
        words.join(" ").contains(", in place of the one that comes with the program"),
        "{show}"
    );
    assert!(show.contains("Our wiki"), "{show}");
    let said = sandbox.run(&["target", "check", path.to_str().unwrap()]).ok().stderr;
    assert!(
        said.starts_with(
            "note: nice-knowledge-hub comes with the program, too; in your folder this one stands in for it\n"
        ),
        "{said}"
    );
    let list = sandbox.run(&["target", "list"]).ok().stdout;
    assert_eq!(list.matches("  nice-knowledge-hub ").count(), 1, "{list}");
}

/// It decides where codes are sent.
#[test]
fn what_others_could_have_written_is_refused() {
    let sandbox = Sandbox::new();
    let path = put(&sandbox, "wiki.toml", WIKI);
    let folder = path.parent().unwrap().to_owned();
    let refused = |what: &str, why: &str| {
        for arguments in [
            words(&["target", "list"]),
            words(&["target", "show", "glue"]),
            words(&[
                "login",
                "p",
                "--target",
                "wiki",
                "--instance",
                "http://127.0.0.1:1",
                "--client-id",
                "id",
            ]),
        ] {
            let (outcome, code) = sandbox.run(&arguments).failed_with(&[2]);
            assert_eq!(code.as_deref(), Some("target-file-invalid"), "{what}: {outcome:#?}");
            assert!(outcome.stderr.contains(why), "{what}: {outcome:#?}");
        }
    };
    for mode in [0o620, 0o602, 0o666] {
        chmod(&path, mode);
        refused("the file", "wiki.toml cannot be read");
    }
    chmod(&path, 0o644);
    sandbox.run(&["target", "list"]).ok();
    for (place, mode) in [(&folder, 0o770), (&folder, 0o777), (&sandbox.keep(), 0o777)] {
        chmod(place, mode);
        let shown =
            format!("own targets are not used: {} can be changed by others", place.display());
        refused("the folder", &shown);
        chmod(place, 0o700);
    }
    // `target check` looks at the file alone, wherever it lies.
    chmod(&path, 0o666);
    let (_, code) = sandbox.run(&["target", "check", path.to_str().unwrap()]).failed_with(&[2]);
    assert_eq!(code.as_deref(), Some("target-file-invalid"));
}

#[test]
fn two_files_with_the_same_target_are_refused() {
    let sandbox = Sandbox::new();
    let first = put(&sandbox, "a.toml", WIKI);
    let second = put(&sandbox, "b.toml", WIKI);
    let (outcome, _) = sandbox.run(&["target", "list"]).failed_with(&[2]);
    let line = format!(
        "error: target \"wiki\" stands in {} and in {}\n",
        first.display(),
        second.display()
    );
    assert!(outcome.stderr.starts_with(&line), "{outcome:#?}");
}

/// The redirect URI that an own file decides is on the screen before anything is opened; one of
/// another form than the target's is warned of.
#[test]
fn a_login_shows_where_an_own_file_sends_the_code() {
    let uri = "https://wiki.example.com/back";
    let instance = StandIn::start(uri, &[]);
    let sandbox = Sandbox::new();
    let path = put(&sandbox, "wiki.toml", WIKI);
    let secret = sandbox.file("secret", instance.client_secret());
    let login = |more: &[&str]| {
        let mut arguments =
            words(&["login", "p", "--target", "wiki", "--no-browser", "--instance"]);
        arguments.extend([instance.origin(), "--client-id".to_owned(), instance.client_id()]);
        arguments.extend(["--client-secret-file".to_owned(), secret.display().to_string()]);
        arguments.extend(words(more));
        arguments
    };
    let mut running = sandbox.start(&login(&[]));
    let url = running.authorization_url();
    let shown = format!("Target wiki comes from {}: the code goes to {uri}\n", path.display());
    let before = running.stderr.text();
    assert!(before.find(&shown).unwrap() < before.find("response_type=code").unwrap(), "{before}");
    running.write(format!("{}\n", instance.consent(&url, Consent::Allow)));
    running.finish().ok();
    let other = console_uri("us-west-2");
    let mut running = sandbox.start(&login(&["--redirect-uri", &other]));
    let warning = running.stderr_line(|line| line.starts_with("warning: the redirect URI"));
    assert_eq!(
        warning,
        format!("warning: the redirect URI {other} is not of the form that Our wiki uses: {uri}")
    );
    running.close_stdin();
    running.finish().failed_with(&[1, 2, 4]);
}

/// What is wrong with a file is told where a target is looked at; tokens that live are not held up.
#[test]
fn a_broken_file_holds_up_no_living_token() {
    let instance = StandIn::start("https://wiki.example.com/back", &[]);
    let sandbox = Sandbox::new();
    let path = put(&sandbox, "wiki.toml", WIKI);
    let secret = sandbox.file("secret", instance.client_secret());
    let mut arguments = words(&["login", "p", "--target", "wiki", "--no-browser", "--instance"]);
    arguments.extend([instance.origin(), "--client-id".to_owned(), instance.client_id()]);
    arguments.extend(["--client-secret-file".to_owned(), secret.display().to_string()]);
    paste(sandbox.start(&arguments), &instance).ok();
    let said = sandbox.run(&["doctor"]).ok().stdout;
    assert!(said.contains(&format!("{}, 1 target\n", path.parent().unwrap().display())), "{said}");
    fs::write(&path, "[[target]]\n").unwrap();
    sandbox.run(&["token", "p", "--header"]).ok();
    sandbox.run(&["refresh", "p"]).ok();
    sandbox.run(&["keep", "--once", "--no-notify"]).ok();
    assert!(sandbox.run(&["status"]).ok().stdout.starts_with("p: logged in\n"));
    for verb in ["deliver", "doctor"] {
        let outcome = sandbox.run(&[verb]).ended_with(&[2]);
        assert!(outcome.stderr.contains("\ncode: target-file-invalid "), "{outcome:#?}");
        assert!(outcome.stderr.contains("line 1: missing field `name`"), "{outcome:#?}");
    }
    // Without the file nobody knows the target: that is an error of the configuration.
    fs::remove_file(&path).unwrap();
    let (_, code) = sandbox.run(&["refresh", "p"]).failed_with(&[2]);
    assert_eq!(code.as_deref(), Some("config-invalid"));
}

/// The example of the guide is what it says.
#[test]
fn the_guides_example_is_a_target() {
    let guide = scripts().join("../../../../docs/guides/your-own-target.md");
    let guide = fs::read_to_string(guide).unwrap();
    let example = guide.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let sandbox = Sandbox::new();
    put(&sandbox, "acme-wiki.toml", example);
    let json = sandbox.run(&["target", "show", "acme-wiki", "--json"]).ok().json();
    assert_eq!(json["class"], "tokens");
    assert_eq!(json["regions"], json!(["eu", "us"]));
    assert_eq!(super::complaints(&sandbox, &[example.to_owned()]), [None]);
    let said = sandbox.run(&["target", "show", "acme-wiki"]).ok().stdout;
    let part = guide.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    for line in part.lines() {
        assert!(said.lines().any(|own| own == line), "{line}\n{said}");
    }
}

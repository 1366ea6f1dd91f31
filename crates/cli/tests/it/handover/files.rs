//! Sealed files that are not what they should be: each told in its own words, and nothing changed.

use std::fs;

use super::{PASSPHRASE, Scene, export, import, refuses, state};
use crate::support::instance::PROFILE;
use crate::support::sandbox::Sandbox;

const UNREADABLE: &str = "import-unreadable";

#[test]
fn each_bad_file_has_its_own_error_and_changes_nothing() {
    let scene = Scene::new(&[]);
    scene.exported().ok();
    let text = fs::read_to_string(scene.file()).unwrap();
    let body = text.lines().nth(7).unwrap();
    let changed: String = body.chars().rev().collect();
    let huge = format!("{text}{}", "x".repeat(1024 * 1024));
    let cases = [
        (
            "truncated",
            text[..text.len() / 2].to_owned(),
            1,
            "sealed-file-damaged",
            "the sealed file ends too early: its last line is not there",
        ),
        (
            "damaged",
            text.replace(body, &changed),
            1,
            "sealed-file-damaged",
            "the sealed file is damaged: its checksum does not fit",
        ),
        (
            "newer",
            text.replace("Version: 1", "Version: 2"),
            1,
            "sealed-file-newer",
            "the sealed file has form 2; this version knows form 1",
        ),
        ("huge", huge, 2, UNREADABLE, "it is no file of a sensible size"),
        (
            "binary",
            format!("{text}\0"),
            1,
            "sealed-file-damaged",
            "the sealed file is damaged: it is not written as this program writes it",
        ),
        ("empty", String::new(), 2, UNREADABLE, "holds nothing that is known as a credential"),
    ];
    let before = scene.b.snapshot_of("keep");
    for (name, text, exit, expected, words) in cases {
        let file = scene.b.file(name, text);
        let more: &[&str] = if name == "empty" { &[] } else { &["--name", "x"] };
        let outcome = if name == "empty" {
            scene.b.run(&["profile", "import", file.to_str().unwrap()])
        } else {
            import(&scene.b, &file, more)
        };
        let (outcome, code) = outcome.failed_with(&[exit]);
        assert_eq!(code.as_deref(), Some(expected), "{name}: {outcome:#?}");
        assert!(outcome.stderr.contains(words), "{name}: {outcome:#?}");
        assert_eq!(scene.b.snapshot_of("keep"), before, "{name}");
    }
    // From a pipe, too much is no cut file.
    let words = ["profile", "import", "-", "--passphrase-file", "passphrase"];
    let (outcome, _) = scene.b.run_fed(&words, &"x".repeat(1024 * 1024 + 1)).failed_with(&[2]);
    assert!(outcome.stderr.contains("- cannot be imported"), "{outcome:#?}");
    refuses(&scene.a);
}

#[test]
fn another_passphrase_opens_nothing_and_makes_nothing() {
    let scene = Scene::new(&[]);
    scene.exported().ok();
    scene.b.file("passphrase", "five words of no sentence");
    let (outcome, code) = import(&scene.b, &scene.file(), &[]).failed_with(&[1]);
    assert_eq!(code.as_deref(), Some("sealed-file-not-opened"));
    assert!(outcome.stderr.contains("error: this passphrase does not open the sealed file"));
    assert!(!scene.b.path("key/store.key").exists(), "not even a key was made");
    assert!(!scene.b.keep().exists());
    refuses(&scene.a);
}

/// Argon2's numbers come from the file: they are bounded before they are used.
#[test]
fn a_file_is_no_memory_bomb() {
    let scene = Scene::new(&[]);
    scene.exported().ok();
    let text = fs::read_to_string(scene.file()).unwrap();
    let (whole, _) = text.rsplit_once("Checksum: ").unwrap();
    let whole = whole.replace("m=65536 t=3", "m=4194304 t=64");
    let sum = scene.b.file("sum", &whole);
    let sum = std::process::Command::new("sha256sum").arg(sum).output().unwrap();
    let sum = String::from_utf8(sum.stdout).unwrap();
    let end = text.lines().last().unwrap();
    let bomb = format!("{whole}Checksum: {}\n{end}\n", &sum[..64]);
    let bomb = scene.b.file("bomb", bomb);
    let started = std::time::Instant::now();
    let (outcome, code) = import(&scene.b, &bomb, &[]).failed_with(&[1]);
    assert_eq!(code.as_deref(), Some("sealed-file-damaged"));
    assert!(
        outcome.stderr.contains("asks for memory or time that no file of this program"),
        "{outcome:#?}"
    );
    assert!(started.elapsed() < std::time::Duration::from_secs(2));
}

#[test]
fn a_file_that_went_through_another_system_is_the_same() {
    let scene = Scene::new(&[]);
    scene.exported().ok();
    let text = fs::read_to_string(scene.file()).unwrap();
    let sent = scene.b.file("sent", format!("\u{feff}{}\r\n\r\n", text.replace('\n', "\r\n")));
    import(&scene.b, &sent, &[]).ok();
    scene.b.run(&["refresh", PROFILE]).ok();
}

#[test]
fn a_passphrase_comes_from_where_it_was_said() {
    let scene = Scene::new(&[]);
    let keeps = |words: &[&str], exit: i32, said: &str| {
        let (outcome, _) = scene.a.run(words).failed_with(&[exit]);
        assert!(outcome.stderr.contains(said), "{outcome:#?}");
        assert_eq!(state(&scene.a), "logged in");
        assert!(!scene.file().exists());
    };
    keeps(
        &["profile", "export", PROFILE, "--no-input"],
        2,
        "the passphrase of the sealed file is needed",
    );
    keeps(
        &["profile", "export", PROFILE, "--passphrase-file", "gone"],
        2,
        "cannot be read from gone",
    );
    scene.a.file("empty", "\n");
    keeps(
        &["profile", "export", PROFILE, "--passphrase-file", "empty"],
        2,
        "its first line is empty",
    );
    scene.a.file("short", "123456789\n");
    keeps(
        &["profile", "export", PROFILE, "--passphrase-file", "short"],
        2,
        "shorter than 10 characters",
    );
    keeps(&["profile", "export", PROFILE, "--keep"], 2, "unexpected argument '--keep'");
    keeps(
        &["profile", "export", PROFILE, "--passphrase-file", "passphrase", "--output", "gone/p"],
        1,
        "gone/p cannot be written",
    );
    fs::create_dir(scene.a.path("files/folder")).unwrap();
    keeps(
        &["profile", "export", PROFILE, "--passphrase-file", "passphrase", "--output", "folder"],
        1,
        "is a folder",
    );
    // From standard input, and from the file that the environment names.
    let words = ["profile", "export", PROFILE, "--passphrase-file", "-"];
    scene.a.run_fed(&words, &format!("{PASSPHRASE}\n")).ok();
    let file = scene.file();
    let mut command = scene.b.command(&["profile", "import", file.to_str().unwrap()]);
    command.env("SNOWTOKEN_EXPORT_PASSPHRASE_FILE", scene.b.path("files/passphrase"));
    let mut running = crate::support::process::Running::start(command);
    running.close_stdin();
    running.finish().ok();
    scene.b.run(&["refresh", PROFILE]).ok();
    let both = ["profile", "import", "-", "--passphrase-file", "-"];
    let (outcome, _) =
        scene.b.run_fed(&both, &fs::read_to_string(&file).unwrap()).failed_with(&[2]);
    assert!(outcome.stderr.contains("cannot both come from standard input"), "{outcome:#?}");
    for flag in ["--force", "--identity=x", "--passphrase-file=x"] {
        let plain = scene.b.file("plain", "Client ID: x\n");
        let (outcome, _) =
            scene.b.run(&["profile", "import", plain.to_str().unwrap(), flag]).failed_with(&[2]);
        assert!(outcome.stderr.contains("is for sealed profiles"), "{outcome:#?}");
    }
}

#[test]
fn what_cannot_be_handed_over_stays() {
    let scene = Scene::new(&[]);
    // Nothing there, and refused tokens.
    let c = Sandbox::new();
    c.file("passphrase", PASSPHRASE);
    export(&c, &[]).failed_with(&[2]);
    let token = scene.a.run(&["token", PROFILE]).ok().token();
    let mut client = crate::support::http::Client::default();
    scene.a.run(&["refresh", PROFILE]).ok();
    let sent = scene.instance_refresh_token();
    let url = format!(
        "{}/oauth_revoke_token.do",
        crate::support::instance::Instance::origin(&scene.instance)
    );
    for token in [&token, &sent] {
        client.post(&url::Url::parse(&url).unwrap(), &[("token", token.as_str())]);
    }
    scene.a.run(&["refresh", PROFILE]).failed_with(&[4]);
    let (outcome, code) = export(&scene.a, &[]).failed_with(&[4]);
    assert_eq!(code.as_deref(), Some("token-refused"), "{outcome:#?}");
    assert!(!scene.file().exists());
}

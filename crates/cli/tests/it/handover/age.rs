//! Sealed by the `age` program: it, and others that nobody here wrote, open what we made.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Scene, refuses, state};
use crate::support::instance::PROFILE;
use crate::support::sandbox::Sandbox;

/// Makes an identity in `files/identity`; the recipient that belongs to it.
pub(crate) fn identity(sandbox: &Sandbox) -> String {
    let path = sandbox.path("files/identity");
    let made = Command::new("age-keygen").arg("-o").arg(&path).output();
    let made =
        made.unwrap_or_else(|e| panic!("age is needed, `cargo xtask setup` installs it: {e}"));
    assert!(made.status.success(), "{made:?}");
    let text = fs::read_to_string(path).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("# public key: "));
    line.unwrap().to_owned()
}

/// The content of a sealed file between header and checksum.
fn body(text: &str) -> Vec<u8> {
    let lines = text.lines().skip_while(|line| !line.is_empty()).skip(1);
    let body: String = lines.take_while(|line| !line.is_empty()).collect();
    STANDARD.decode(body).unwrap()
}

/// What the program itself makes of it, with the identity of that sandbox.
pub(super) fn decrypted(sandbox: &Sandbox, text: &str) -> Vec<u8> {
    let sealed = sandbox.file("sealed.age", body(text));
    let mut age = Command::new("age");
    age.arg("-d").arg("-i").arg(sandbox.path("files/identity")).arg(&sealed);
    let opened = age.output().unwrap();
    fs::remove_file(sealed).unwrap();
    assert!(opened.status.success(), "{opened:?}");
    opened.stdout
}

fn export_for(scene: &Scene, recipients: &[&str]) -> crate::support::process::Outcome {
    let mut words = vec!["profile", "export", PROFILE];
    words.extend(recipients.iter().flat_map(|recipient| ["--recipient", recipient]));
    scene.a.run(&words)
}

fn import_with(
    sandbox: &Sandbox,
    file: &Path,
    identity: &Path,
) -> crate::support::process::Outcome {
    let (file, identity) = (file.to_str().unwrap(), identity.to_str().unwrap());
    sandbox.run(&["profile", "import", file, "--identity", identity])
}

#[test]
fn an_identity_opens_what_was_sealed_for_its_recipient() {
    let scene = Scene::new(&[]);
    let (ours, theirs) = (identity(&scene.a), identity(&scene.b));
    export_for(&scene, &[&theirs, &ours]).ok();
    refuses(&scene.a);
    let text = fs::read_to_string(scene.file()).unwrap();
    assert!(text.contains("\nSealed-By: age\n"), "{text}");
    assert!(body(&text).starts_with(b"age-encryption.org/v1\n"));
    // The header is inside, too: nobody can give a file that of another.
    let header = text.split("\n\n").next().unwrap();
    for machine in [&scene.a, &scene.b] {
        let opened = String::from_utf8(decrypted(machine, &text)).unwrap();
        let content = opened.strip_prefix(header).unwrap().trim_start();
        let content: serde_json::Value = serde_json::from_str(content).unwrap();
        assert_eq!(content["version"], 1);
        assert_eq!(content["access_token"], scene.a.run(&["token", PROFILE]).ok().token());
        assert!(content["refresh_token"].is_string() && content["client_secret"].is_string());
        assert!(content["config"].as_str().unwrap().contains("[profile.p]"), "{content}");
    }
    // Without the identity, with another one, with a passphrase.
    let file = scene.file();
    let c = Sandbox::new();
    identity(&c);
    let none = c.run(&["profile", "import", file.to_str().unwrap(), "--no-input"]);
    let (none, code) = none.failed_with(&[2]);
    assert_eq!(code.as_deref(), Some("input-needed"));
    assert!(none.stderr.contains("--identity FILE: opens it by the age program"), "{none:#?}");
    let (other, code) = import_with(&c, &file, &c.path("files/identity")).failed_with(&[1]);
    assert_eq!(code.as_deref(), Some("sealed-file-not-opened"));
    assert!(other.stderr.contains("no identity matched any of the recipients"), "{other:#?}");
    let (gone, _) = import_with(&c, &file, &c.path("files/gone")).failed_with(&[2]);
    assert!(gone.stderr.contains("files/gone cannot be read"), "{gone:#?}");
    assert!(!c.keep().exists() && !c.path("key/store.key").exists(), "nothing was made");

    import_with(&scene.b, &file, &scene.b.path("files/identity")).ok();
    scene.b.run(&["refresh", PROFILE]).ok();
    refuses(&scene.a);
}

#[test]
fn without_the_program_the_error_says_so_and_nothing_changes() {
    let scene = Scene::new(&[]);
    let recipient = identity(&scene.a);
    let without = |sandbox: &Sandbox, words: &[&str]| {
        let mut command = sandbox.command(words);
        command.env("PATH", sandbox.path("bin"));
        let mut running = crate::support::process::Running::start(command);
        running.close_stdin();
        running.finish().failed_with(&[1])
    };
    let words = ["profile", "export", PROFILE, "--recipient", &recipient];
    let (outcome, code) = without(&scene.a, &words);
    assert_eq!(code.as_deref(), Some("age-failed"));
    assert!(
        outcome.stderr.contains("error: the program `age` could not be started"),
        "{outcome:#?}"
    );
    assert!(outcome.stderr.contains("install age"), "{outcome:#?}");
    assert_eq!(state(&scene.a), "logged in");
    assert!(!scene.file().exists());
    scene.a.run(&["refresh", PROFILE]).ok();
    export_for(&scene, &[&recipient]).ok();
    let file = scene.file();
    let identity = scene.a.path("files/identity");
    let (file, identity) = (file.to_str().unwrap(), identity.to_str().unwrap());
    let (_, code) = without(&scene.a, &["profile", "import", file, "--identity", identity]);
    assert_eq!(code.as_deref(), Some("age-failed"));
    refuses(&scene.a);
}

#[test]
fn a_wrong_recipient_is_told_before_anything_is_done() {
    let scene = Scene::new(&[]);
    for (recipient, words) in [
        ("AGE-SECRET-KEY-1CANARY4711", "this is an identity, which belongs to the other machine"),
        ("-r", "a recipient begins with `age1`"),
        ("age1nonsense", "the program `age` failed"),
    ] {
        let argument = format!("--recipient={recipient}");
        let outcome = scene.a.run(&["profile", "export", PROFILE, &argument]);
        let (outcome, _) = outcome.failed_with(&[1, 2]);
        assert!(outcome.stderr.contains(words), "{outcome:#?}");
        assert!(!outcome.stderr.contains("CANARY4711"), "{outcome:#?}");
        assert_eq!(state(&scene.a), "logged in", "{recipient}");
        assert!(!scene.file().exists(), "{recipient}");
    }
}

/// Another implementation, in another language, opens it as well.
#[test]
fn a_foreign_implementation_opens_what_age_sealed() {
    let scene = Scene::new(&[]);
    let recipient = identity(&scene.a);
    export_for(&scene, &[&recipient]).ok();
    let text = fs::read_to_string(scene.file()).unwrap();
    let sealed = scene.a.file("sealed.age", body(&text));
    let script = "import pyrage, sys\n\
                  key = [l for l in open(sys.argv[1]).read().split() if l.startswith('AGE-')][0]\n\
                  identity = pyrage.x25519.Identity.from_str(key)\n\
                  opened = pyrage.decrypt(open(sys.argv[2], 'rb').read(), [identity])\n\
                  sys.stdout.buffer.write(opened)\n";
    let mut python = Command::new(crate::support::foreign::python("python"));
    python.args(["-c", script]).arg(scene.a.path("files/identity")).arg(sealed);
    let opened = python.stdin(Stdio::null()).output().unwrap();
    assert!(opened.status.success(), "{}", String::from_utf8_lossy(&opened.stderr));
    assert_eq!(opened.stdout, decrypted(&scene.a, &text));
}

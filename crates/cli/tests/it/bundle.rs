//! A sealed file for somebody who has no snowtoken: programs that nobody here wrote open it.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::handover::age::identity;
use crate::support::canary::Scanner;
use crate::support::foreign::python;
use crate::support::instance::{Instance, PROFILE, log_in_with};
use crate::support::process::Outcome;
use crate::support::pty::{Session, Terminal, plain};
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;

const PASSPHRASE: &str = "four words of no sentence";

/// Somebody who is logged in, and the secrets.
struct Scene {
    instance: StandIn,
    sandbox: Sandbox,
    secrets: Vec<(&'static str, String)>,
}

impl Scene {
    fn new() -> Self {
        let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
        log_in_with(&sandbox, &instance, &[]).ok();
        let mut secrets = vec![("Client Secret", instance.client_secret())];
        for label in ["Access Token", "Refresh Token", "Auth Code"] {
            secrets.push((label, sandbox.credential(label)));
        }
        fs::remove_file(sandbox.credentials()).unwrap();
        fs::remove_file(sandbox.path("files/client-secret")).unwrap();
        sandbox.file("passphrase", format!("{PASSPHRASE}\n"));
        Self { instance, sandbox, secrets }
    }

    fn scanner(&self) -> Scanner {
        let secrets: Vec<(&str, &str)> =
            self.secrets.iter().map(|(name, secret)| (*name, secret.as_str())).collect();
        Scanner::of(&secrets)
    }

    fn bundle(&self, more: &[&str]) -> Outcome {
        self.sandbox.run(&[&["deliver", PROFILE, "--bundle", "p.age"], more].concat())
    }

    fn file(&self) -> std::path::PathBuf {
        self.sandbox.path("files/p.age")
    }

    /// It is the form with all its values, who and until when, and nothing else.
    #[track_caller]
    fn is_whole(&self, text: &str) {
        let values: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let mut expected = vec![
            format!("Instance URL: {}", self.instance.origin()),
            format!("Client ID: {}", self.instance.client_id()),
        ];
        expected.extend(self.secrets.iter().map(|(label, secret)| format!("{label}: {secret}")));
        assert_eq!(values, expected, "{text}");
        for words in [
            "# for the form of NiCE CXone Knowledge Hub",
            "; the tokens act with the rights of abel.tuter.\n",
            "# The refresh token ends 20",
            "# The auth code has been used",
            "then delete this text.\n",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
}

/// What `age -d` makes of it with an identity.
fn opened_by_age(identity: &Path, file: &Path) -> Result<String, String> {
    let mut age = Command::new("age");
    let done =
        age.arg("-d").arg("-i").arg(identity).arg(file).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    if done.status.success() { Ok(text(done.stdout)) } else { Err(text(done.stderr)) }
}

/// What `age -d` makes of it for a person who types this passphrase.
fn opened_at_a_terminal(sandbox: &Sandbox, file: &Path, passphrase: &str) -> (Session, String) {
    let plain = sandbox.path("files/opened.txt");
    let _ = fs::remove_file(&plain);
    let mut command = sandbox.program("age");
    command.arg("-d").arg("-o").arg(&plain).arg(file);
    let mut terminal = Terminal::start(&command, 200);
    terminal.wait(|text| text.contains("nter passphrase").then_some(()));
    terminal.keys(format!("{passphrase}\r"));
    let session = terminal.finish();
    let text = fs::read_to_string(&plain).unwrap_or_default();
    let _ = fs::remove_file(plain);
    (session, text)
}

/// Another implementation, in another language. What it gets comes by its standard input.
fn opened_by_python(call: &str, secret: &str, file: &Path) -> String {
    let script = format!(
        "import base64, pyrage, sys\n\
         secret = sys.stdin.read()\n\
         lines = open(sys.argv[1]).read().splitlines()\n\
         assert lines[0] == '-----BEGIN AGE ENCRYPTED FILE-----', lines[0]\n\
         assert lines[-1] == '-----END AGE ENCRYPTED FILE-----', lines[-1]\n\
         sealed = base64.b64decode(''.join(lines[1:-1]), validate=True)\n\
         sys.stdout.buffer.write({call})\n"
    );
    let mut command = Command::new(python("python"));
    command.args(["-c", &script]).arg(file).stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(secret.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn an_identity_opens_it_and_nobody_else_does() {
    let scene = Scene::new();
    let (them, stranger) = (Sandbox::new(), Sandbox::new());
    let (recipient, _) = (identity(&them), identity(&stranger));
    let outcome = scene.bundle(&["--for", &recipient]).ok();
    assert_eq!(outcome.stdout, "");
    let entry = scene.sandbox.snapshot_of("files")["files/p.age"].clone();
    assert_eq!(entry.permissions(), 0o600);
    for line in [
        "  holds          Instance URL, Client ID, Client Secret, Access Token, Refresh Token, Auth Code\n",
        "  they open it   age -d -i KEY p.age   (KEY: their identity, or the private key of SSH)\n",
        "  send           the file, by any way; it opens for nobody else\n",
        "  the tokens     are the same as here: `snowtoken revoke p` ends them there as well\n",
    ] {
        assert!(outcome.stderr.contains(line), "{line}: {outcome:#?}");
    }
    scene.is_whole(&opened_by_age(&them.path("files/identity"), &scene.file()).unwrap());
    let refused = opened_by_age(&stranger.path("files/identity"), &scene.file()).unwrap_err();
    assert!(refused.contains("no identity matched"), "{refused}");
    let key = fs::read_to_string(them.path("files/identity")).unwrap();
    let key = key.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).unwrap();
    let call = "pyrage.decrypt(sealed, [pyrage.x25519.Identity.from_str(secret)])";
    scene.is_whole(&opened_by_python(call, key, &scene.file()));
}

#[test]
fn a_client_whose_product_gets_its_own_tokens_is_sealed_too() {
    let (instance, sandbox, them) = (StandIn::with(&[]), Sandbox::new(), Sandbox::new());
    let secret = sandbox.file("client-secret", format!("{}\n", instance.client_secret()));
    let (origin, id, secret) =
        (instance.origin(), instance.client_id(), secret.display().to_string());
    let client = ["--instance", &origin, "--client-id", &id, "--client-secret-file", &secret];
    let add = ["profile", "add", PROFILE, "--target", "bedrock-kb"];
    sandbox.run(&[&add[..], &client].concat()).ok();
    let recipient = identity(&them);
    let bundle = ["deliver", PROFILE, "--bundle", "p.age", "--for", &recipient];
    let outcome = sandbox.run(&bundle).ok();
    let line = "  the tokens     are not in it: the product gets its own\n";
    assert!(outcome.stderr.contains(line), "{outcome:#?}");
    let file = sandbox.path("files/p.age");
    let text = opened_by_age(&them.path("files/identity"), &file).unwrap();
    let plain = sandbox.run(&["deliver", PROFILE, "--format", "credentials-file"]).ok().stdout;
    let values = |text: &str| {
        text.lines().filter(|l| !l.starts_with("# Created ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(values(&text), values(&plain));
    assert!(text.contains(&instance.client_secret()), "{text}");
}

#[test]
fn the_key_of_ssh_opens_it() {
    let scene = Scene::new();
    let script = "import sys\n\
                  from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey\n\
                  from cryptography.hazmat.primitives import serialization as s\n\
                  key = Ed25519PrivateKey.generate()\n\
                  open(sys.argv[1], 'wb').write(key.private_bytes(s.Encoding.PEM, s.PrivateFormat.OpenSSH, s.NoEncryption()))\n\
                  print(key.public_key().public_bytes(s.Encoding.OpenSSH, s.PublicFormat.OpenSSH).decode())\n";
    let private = scene.sandbox.file("id_ed25519", "");
    let made = Command::new(python("python")).args(["-c", script]).arg(&private).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let public = String::from_utf8(made.stdout).unwrap();
    scene.bundle(&["--for", &format!("{} them@there", public.trim())]).ok();
    scene.is_whole(&opened_by_age(&private, &scene.file()).unwrap());
}

#[test]
fn a_passphrase_opens_it_at_their_terminal_and_in_another_program() {
    let scene = Scene::new();
    let outcome = scene.bundle(&["--passphrase-file", "passphrase"]).ok();
    assert_eq!(outcome.stdout, "");
    for line in [
        "  they open it   age -d p.age   (it asks for the passphrase)\n",
        "  send           the file by mail or ticket, the passphrase by telephone\n",
        "  never          the passphrase in the same mail, ticket or chat",
    ] {
        assert!(outcome.stderr.contains(line), "{line}: {outcome:#?}");
    }
    assert!(!outcome.stderr.contains(PASSPHRASE), "{outcome:#?}");
    let (session, text) = opened_at_a_terminal(&scene.sandbox, &scene.file(), PASSPHRASE);
    assert_eq!(session.code, Some(0), "{}", session.text());
    scene.is_whole(&text);
    let (session, text) = opened_at_a_terminal(&scene.sandbox, &scene.file(), "another passphrase");
    assert_ne!(session.code, Some(0), "{}", session.text());
    assert_eq!(text, "");
    let call = "pyrage.passphrase.decrypt(sealed, secret)";
    scene.is_whole(&opened_by_python(call, PASSPHRASE, &scene.file()));
}

#[test]
fn a_passphrase_that_is_made_is_shown_once_and_kept_nowhere() {
    let scene = Scene::new();
    let words = ["deliver", PROFILE, "--bundle", "p.age", "--passphrase"];
    let session = Terminal::start(&scene.sandbox.command(&words), 200).finish();
    let text = plain(&session.text());
    assert_eq!(session.code, Some(0), "{text}");
    let mut lines = text.lines().filter_map(|line| line.trim().strip_prefix("passphrase     "));
    let made = lines.next().unwrap().split("   (").next().unwrap();
    assert_eq!(made.len(), 35, "{made}");
    assert_eq!(text.matches(made).count(), 1, "{text}");
    let mut scanner = scene.scanner();
    assert_eq!(scanner.scan(text.as_bytes()), Vec::<String>::new());
    scanner.add("passphrase", made);
    let left = scanner.scan_tree(&scene.sandbox.path(""), &[]);
    assert_eq!(left, Vec::<String>::new());
    let (opened, plain_text) = opened_at_a_terminal(&scene.sandbox, &scene.file(), made);
    assert_eq!(opened.code, Some(0), "{}", opened.text());
    scene.is_whole(&plain_text);
    // Another time another one.
    let again = plain(&Terminal::start(&scene.sandbox.command(&words), 200).finish().text());
    assert!(!again.contains(made), "{again}");
}

#[test]
fn a_passphrase_can_be_typed_and_is_not_shown() {
    let scene = Scene::new();
    let words = ["deliver", PROFILE, "--bundle", "p.age", "--passphrase=typed"];
    let typing = |first: &str, second: &str| {
        let mut terminal = Terminal::start(&scene.sandbox.command(&words), 200);
        terminal.wait(|text| text.contains("New passphrase for the sealed file:").then_some(()));
        terminal.keys(format!("{first}\r"));
        terminal.wait(|text| text.contains("The same passphrase again:").then_some(()));
        terminal.keys(format!("{second}\r"));
        terminal.finish()
    };
    let session = typing(PASSPHRASE, "another one altogether");
    assert_eq!(session.code, Some(2), "{}", session.text());
    assert!(!scene.file().exists());
    let session = typing(PASSPHRASE, PASSPHRASE);
    assert_eq!(session.code, Some(0), "{}", session.text());
    assert!(!session.text().contains(PASSPHRASE), "{}", session.text());
    let (_, text) = opened_at_a_terminal(&scene.sandbox, &scene.file(), PASSPHRASE);
    scene.is_whole(&text);
}

#[test]
fn only_a_dash_writes_to_stdout() {
    let scene = Scene::new();
    let them = Sandbox::new();
    let recipient = identity(&them);
    let before = scene.sandbox.snapshot_of("files");
    let words = ["deliver", PROFILE, "--bundle", "-", "--for", &recipient];
    let outcome = scene.sandbox.run(&words).ok();
    assert!(outcome.stdout.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"), "{outcome:#?}");
    assert!(outcome.stdout.ends_with("\n-----END AGE ENCRYPTED FILE-----\n"), "{outcome:#?}");
    assert_eq!(scene.sandbox.snapshot_of("files"), before);
    let file = them.file("got.age", &outcome.stdout);
    scene.is_whole(&opened_by_age(&them.path("files/identity"), &file).unwrap());
}

#[test]
fn nothing_of_it_lies_anywhere_in_the_clear_and_the_audit_knows() {
    let scene = Scene::new();
    let recipient = identity(&Sandbox::new());
    let mut said = scene.bundle(&["--for", &recipient, "--for", &recipient]).ok().said();
    said.push_str(&scene.bundle(&["--passphrase-file", "passphrase"]).ok().said());
    let scanner = scene.scanner();
    assert_eq!(scanner.scan(said.as_bytes()), Vec::<String>::new());
    let left = scanner.scan_tree(&scene.sandbox.path(""), &[]);
    assert_eq!(left, Vec::<String>::new());
    let database = scene.sandbox.keep().join("store/tokens.db");
    let database = rusqlite::Connection::open(database).unwrap();
    let mut rows =
        database.prepare("SELECT detail FROM audit WHERE event = 'bundle' ORDER BY id").unwrap();
    let rows: Vec<String> =
        rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let file = scene.file().display().to_string();
    assert_eq!(rows, [format!("for 2 recipients, {file}"), format!("by passphrase, {file}")]);
    // It is nobody's delivery: nothing here could tell whether it has drifted.
    let check = scene.sandbox.run(&["deliver", PROFILE, "--check"]).ended_with(&[0, 3]);
    assert!(!check.stderr.contains("p.age"), "{check:#?}");
}

#[test]
fn what_cannot_be_sealed_leaves_nothing() {
    let scene = Scene::new();
    scene.sandbox.file("short", "too short");
    let recipient = identity(&Sandbox::new());
    for (more, codes, words) in [
        (&[][..], &[2][..], "nobody said who shall open the bundle"),
        (&["--passphrase"], &[2], "the passphrase is shown to a person, and nobody is there"),
        (&["--passphrase=typed"], &[2], "the passphrase of the sealed file is needed"),
        (&["--passphrase-file", "short"], &[2], "the passphrase is shorter than 10 characters"),
        (&["--passphrase-file", "gone"], &[2], "the passphrase cannot be read from gone"),
        (&["--for", "AGE-SECRET-KEY-1CANARY4711"], &[2], "this is an identity, which belongs to"),
        (&["--for", "age1nonsense"], &[1], "the program `age` failed"),
        (&["--for=-r"], &[2], "a recipient begins with `age1`"),
    ] {
        let (outcome, _) = scene.bundle(more).failed_with(codes);
        assert!(outcome.stderr.contains(words), "{words}: {outcome:#?}");
        assert!(!outcome.stderr.contains("CANARY4711"), "{outcome:#?}");
        assert!(!scene.file().exists(), "{more:?}");
    }
    for more in [
        &["--passphrase", "--for", &recipient][..],
        &["--passphrase-file", "passphrase", "--for", &recipient],
        &["--check", "--for", &recipient],
        &["--output", "x", "--for", &recipient],
    ] {
        scene.bundle(more).ended_with(&[2]);
    }
    let alone = ["deliver", PROFILE, "--for", &recipient];
    scene.sandbox.run(&alone).ended_with(&[2]);
    let nowhere = ["deliver", PROFILE, "--bundle", "no/such/p.age", "--for", &recipient];
    let (_, code) = scene.sandbox.run(&nowhere).failed_with(&[1]);
    assert_eq!(code.as_deref(), Some("output-unwritable"));
    scene.sandbox.run(&["logout", PROFILE]).ok();
    scene.bundle(&["--for", &recipient]).failed_with(&[4]);
    assert!(!scene.file().exists());
}

//! JWT bearer: a private key in a person's place.

use std::path::PathBuf;

use super::{SHORT, grants, log_in, status, wait_for_its_end};
use crate::support::instance::{Instance, PROFILE};
use crate::support::process::Outcome;
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;

macro_rules! key_file {
    ($name:literal) => {
        include_str!(concat!("../../../../stand-in/tests/keys/rfc7515-", $name))
    };
}

pub(super) const KEY: &str = key_file!("a2.pkcs8.pem");
pub(super) const PUBLIC: &str = key_file!("a2.public.pem");
const CERTIFICATE: &str = key_file!("a2.certificate.pem");
pub(super) const EC_JWK: &str = key_file!("a3.jwk.json");
pub(super) const EC_PUBLIC: &str = key_file!("a3.public.pem");

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

fn instance(knobs: &[&str]) -> StandIn {
    let instance = StandIn::with(knobs);
    instance.let_client_sign("robot-1", CERTIFICATE);
    instance
}

/// A login for this user with a key of this text.
pub(super) fn sign_in(
    sandbox: &Sandbox,
    instance: &dyn Instance,
    key: &str,
    more: &[&str],
) -> Outcome {
    let file = sandbox.file("key", key);
    let mut all = vec!["--key-file", file.to_str().unwrap()];
    all.extend(more);
    log_in(sandbox, instance, "jwt-bearer", &all)
}

const USUAL: [&str; 4] = ["--key-id", "robot-1", "--subject", "abel.tuter"];

fn config(sandbox: &Sandbox) -> String {
    std::fs::read_to_string(sandbox.keep().join("config.toml")).unwrap()
}

#[test]
fn a_key_stands_in_for_a_person_for_good() {
    let (instance, sandbox) = (instance(&[SHORT, "grant.reissue=new"]), Sandbox::new());
    let told = sign_in(&sandbox, &instance, KEY, &USUAL).ok();
    assert!(told.stderr.contains("as abel.tuter"), "{}", told.stderr);
    assert!(told.stderr.contains("it renews itself"), "{}", told.stderr);
    // The file is not needed any more.
    std::fs::remove_file(sandbox.path("files/key")).unwrap();
    let first = sandbox.run(&["token", PROFILE]).ok().token();
    wait_for_its_end();
    let second = sandbox.run(&["token", PROFILE]).ok().token();
    assert_ne!(first, second);
    assert!(instance.is_alive(&second));
    wait_for_its_end();
    sandbox.run(&["verify", PROFILE]).ok();
    sandbox.run(&["refresh", PROFILE]).ok();
    assert_eq!(grants(&instance), [GRANT; 4]);
    // An instance that counts assertions took each of them.
    let mut sent: Vec<_> =
        instance.token_requests().iter().map(|r| r.field("assertion").unwrap()).collect();
    sent.dedup();
    assert_eq!(sent.len(), 4);
    let json = status(&sandbox);
    assert_eq!((&json["grant"], &json["private_key_stored"]), (&"jwt-bearer".into(), &true.into()));
    let long = sandbox.run(&["status", PROFILE]).ok().stdout;
    assert!(long.contains("private key     stored, sealed"), "{long}");
}

#[test]
fn what_is_no_secret_is_in_the_configuration_and_what_is_one_nowhere_in_clear() {
    let (instance, sandbox) = (instance(&[]), Sandbox::new());
    sign_in(&sandbox, &instance, KEY, &USUAL).ok();
    let text = config(&sandbox);
    for line in ["grant = \"jwt-bearer\"", "key_id = \"robot-1\"", "subject = \"abel.tuter\""] {
        assert!(text.contains(line), "{text}");
    }
    let piece = KEY.lines().nth(3).unwrap().as_bytes();
    let sent: Vec<_> =
        instance.token_requests().iter().map(|r| r.field("assertion").unwrap()).collect();
    let signature = sent[0].rsplit('.').next().unwrap().as_bytes();
    for (path, entry) in sandbox.snapshot_of("keep") {
        for secret in [piece, signature] {
            let found = entry.bytes.windows(secret.len()).any(|window| window == secret);
            assert!(!found, "{path} holds a secret");
        }
    }
    let shown = sandbox.run(&["profile", "show", PROFILE]).ok().stdout;
    assert!(shown.contains("Subject                 abel.tuter"), "{shown}");
    assert!(shown.contains("Key ID                  robot-1"), "{shown}");
}

#[test]
fn a_second_login_asks_for_nothing() {
    let (instance, sandbox) = (instance(&[]), Sandbox::new());
    sign_in(&sandbox, &instance, KEY, &USUAL).ok();
    sandbox.run(&["login", PROFILE, "--no-output"]).ok();
    sandbox.run(&["logout", PROFILE]).ok();
    sandbox.run(&["login", PROFILE, "--no-output"]).ok();
    assert_eq!(grants(&instance).iter().filter(|grant| *grant == GRANT).count(), 3);
}

#[test]
fn a_json_web_key_names_itself() {
    let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    instance.let_client_sign("a3", EC_PUBLIC);
    sign_in(&sandbox, &instance, EC_JWK, &["--subject", "abel.tuter"]).ok();
    assert!(config(&sandbox).contains("key_id = \"a3\""));
    // From standard input too, and beside it nothing is asked.
    let secret = sandbox.file("secret", instance.client_secret());
    let again = ["login", PROFILE, "--no-output", "--key-file", "-", "--client-secret-file"];
    let again = [&again[..], &[secret.to_str().unwrap()]].concat();
    sandbox.run_fed(&again, EC_JWK).ok();
}

#[test]
fn the_pair_that_the_hint_makes_is_one_that_works() {
    let sandbox = Sandbox::new();
    let told = sandbox.run(&["explain", "signing-key-missing"]).ok().stdout;
    let line = told.lines().find_map(|line| Some(&line[line.find("openssl req")?..])).unwrap();
    let words: Vec<&str> = line.split('`').next().unwrap().split_whitespace().collect();
    let made = sandbox.program(words[0]).args(&words[1..]).output();
    let made = made.expect("openssl is installed by `cargo xtask setup`");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let read = |name: &str| std::fs::read_to_string(sandbox.path("files").join(name)).unwrap();
    let instance = StandIn::with(&[]);
    instance.let_client_sign("robot-1", &read("certificate.pem"));
    sign_in(&sandbox, &instance, &read("key.pem"), &USUAL).ok();
}

#[test]
fn a_key_that_cannot_be_used_is_told_before_anything_is_sent() {
    let (instance, sandbox) = (instance(&[]), Sandbox::new());
    let small = include_str!("../../../../stand-in/tests/keys/rsa-1024.pkcs8.pem");
    for (text, words) in [
        (key_file!("a2.encrypted.pem"), "a passphrase protects the private key"),
        (key_file!("a3.traditional.pem"), "SEC 1"),
        (CERTIFICATE, "it holds a certificate, and no private key"),
        (small, "2048 to 4096 bits"),
        ("hello", "it holds no private key in PEM"),
    ] {
        let refused = sign_in(&sandbox, &instance, text, &USUAL);
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
        assert!(refused.stderr.contains("openssl pkcs8 -topk8 -nodes"), "{}", refused.stderr);
        assert_eq!(refused.failed_with(&[2]).1.as_deref(), Some("signing-key-invalid"));
    }
    // The older form of an RSA key is read as it is.
    sign_in(&sandbox, &instance, key_file!("a2.traditional.pem"), &USUAL).ok();
    assert_eq!(instance.token_requests().len(), 1);
}

#[test]
fn what_is_missing_is_named_by_its_flag() {
    let (instance, sandbox) = (instance(&[]), Sandbox::new());
    let refused = log_in(&sandbox, &instance, "jwt-bearer", &USUAL);
    assert!(refused.stderr.contains("--key-file FILE"), "{}", refused.stderr);
    assert!(refused.stderr.contains("openssl req -x509"), "{}", refused.stderr);
    assert_eq!(refused.failed_with(&[2]).1.as_deref(), Some("signing-key-missing"));
    let refused = sign_in(&sandbox, &instance, KEY, &["--key-id", "robot-1"]);
    assert!(refused.stderr.contains("--subject USER"), "{}", refused.stderr);
    refused.failed_with(&[2]);
    let missing: PathBuf = sandbox.path("nowhere");
    let more = [&["--key-file", missing.to_str().unwrap()][..], &USUAL].concat();
    log_in(&sandbox, &instance, "jwt-bearer", &more).failed_with(&[2]);
    let file = sandbox.file("key", KEY);
    let more = ["--key-file", file.to_str().unwrap()];
    log_in(&sandbox, &instance, "client-credentials", &more).failed_with(&[2]);
    assert!(instance.token_requests().is_empty());
}

#[test]
fn another_key_replaces_the_stored_one_only_if_it_is_accepted() {
    let (instance, sandbox) = (instance(&[SHORT, "grant.reissue=new"]), Sandbox::new());
    sign_in(&sandbox, &instance, KEY, &USUAL).ok();
    let other = sandbox.file("other", EC_JWK);
    let again = ["login", PROFILE, "--no-output", "--key-file", other.to_str().unwrap()];
    let refused = sandbox.run(&again);
    assert!(refused.stderr.contains("JWT Verifier Maps"), "{}", refused.stderr);
    assert_eq!(refused.failed_with(&[1]).1.as_deref(), Some("assertion-refused"));
    wait_for_its_end();
    sandbox.run(&["token", PROFILE]).ok();
    instance.let_client_sign("a3", EC_PUBLIC);
    sandbox.run(&again).ok();
    wait_for_its_end();
    sandbox.run(&["token", PROFILE]).ok();
    assert!(config(&sandbox).contains("key_id = \"a3\""));
}

#[test]
fn administrators_are_refused_and_the_reason_is_told() {
    let (instance, sandbox) = (instance(&[]), Sandbox::new());
    let refused = sign_in(&sandbox, &instance, KEY, &["--key-id", "robot-1", "--subject", "admin"]);
    assert!(refused.stderr.contains("no administrator"), "{}", refused.stderr);
    assert!(refused.stderr.contains("the clocks of this machine and the instance agree"));
    assert!(refused.stderr.contains("the client secret and the private key"), "{}", refused.stderr);
    assert_eq!(refused.failed_with(&[1]).1.as_deref(), Some("assertion-refused"));
}

#[test]
fn a_clock_that_is_wrong_is_named() {
    let (instance, sandbox) = (instance(&[]), Sandbox::new());
    instance.pass(std::time::Duration::from_secs(1_000));
    let refused = sign_in(&sandbox, &instance, KEY, &USUAL);
    assert!(refused.stderr.contains("s behind the instance's"), "{}", refused.stderr);
    assert_eq!(refused.failed_with(&[1]).1.as_deref(), Some("assertion-refused"));
}

#[test]
fn a_profile_is_handed_over_with_its_key() {
    let (instance, one) = (instance(&[SHORT, "grant.reissue=new"]), Sandbox::new());
    sign_in(&one, &instance, KEY, &USUAL).ok();
    let passphrase = one.file("passphrase", "a long enough passphrase\n");
    let sealed = one.path("files/p.snowtoken");
    let (passphrase, file) = (passphrase.to_str().unwrap(), sealed.to_str().unwrap());
    one.run(&["profile", "export", PROFILE, "--output", file, "--passphrase-file", passphrase])
        .ok();
    let text = std::fs::read_to_string(&sealed).unwrap();
    assert!(!text.contains("PRIVATE KEY"), "{text}");
    let other = Sandbox::new();
    other.run(&["profile", "import", file, "--passphrase-file", passphrase]).ok();
    wait_for_its_end();
    assert!(instance.is_alive(&other.run(&["token", PROFILE]).ok().token()));
    // The former owner signs nothing more.
    let refused = one.run(&["token", PROFILE]).failed_with(&[4]).1;
    assert_eq!(refused.as_deref(), Some("handed-over"));
    other.run(&["profile", "rename", PROFILE, "q"]).ok();
    wait_for_its_end();
    other.run(&["token", "q"]).ok();
}

//! The product's own program gets the text by its standard input, and nothing by its arguments.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::mpsc::channel;

use serde_json::{Value, json};

use super::{deliver, logged_in_without_blanks as logged_in};
use crate::support::canary::Scanner;
use crate::support::foreign::python;
use crate::support::instance::{Instance as _, PROFILE};
use crate::support::judge::in_python;
use crate::support::process::{Outcome, Running};
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;

/// A program that writes down what it is given, and ends like this.
fn pretend(sandbox: &Sandbox, name: &str, ending: &str) {
    let folder = sandbox.path("seen");
    let _ = fs::create_dir(&folder);
    let here = folder.display();
    let text = format!(
        "#!/bin/sh\nprintf '%s\\n' \"$*\" >>'{here}/{name}.args'\ntr '\\0' '\\n' </proc/$$/cmdline >>'{here}/cmdline'\n\
         env >>'{here}/env'\ncat >>'{here}/{name}.stdin'\n{ending}\n"
    );
    let path = sandbox.path("bin").join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn seen(sandbox: &Sandbox, name: &str) -> String {
    fs::read_to_string(sandbox.path("seen").join(name)).unwrap_or_default()
}

fn run(sandbox: &Sandbox, more: &[&str]) -> Outcome {
    let mut command = sandbox.command(&deliver(more));
    command.env("SNOWTOKEN_CLIENT_SECRET", "canary-in-a-variable").env("VAULT_TOKEN", "theirs");
    Running::start(command).finish()
}

fn secrets(instance: &StandIn, sandbox: &Sandbox) -> Scanner {
    let mut scanner = Scanner::of(&[("client secret", &instance.client_secret())]);
    let json = sandbox.run(&deliver(&["--format", "json"])).ok().json();
    for name in ["access_token", "refresh_token"] {
        scanner.add(name, json[name].as_str().unwrap());
    }
    scanner
}

const PUSHES: [(&str, &[&str], &str, &str); 9] = [
    ("vault", &["--to", "apps", "--name", "x/y"], "vault", "kv put -mount=apps x/y -"),
    ("kubernetes", &["--to", "prod"], "kubectl", "apply --server-side -f -"),
    ("external-secret", &["--to", "store"], "kubectl", "apply --server-side -f -"),
    ("1password", &["--to", "Team"], "op", "item create --vault Team -"),
    ("docker", &[], "docker", "secret create servicenow-p -"),
    ("snowflake-sql", &["--variant", "renew"], "snow", "sql --stdin --enable-templating NONE"),
    (
        "appflow",
        &["--variant", "update"],
        "aws",
        "appflow update-connector-profile --cli-input-json file:///dev/stdin --region us-west-2",
    ),
    (
        "aws-secret",
        &[],
        "aws",
        "secretsmanager put-secret-value --cli-input-json file:///dev/stdin --region us-west-2",
    ),
    (
        "azure-key-vault",
        &["--to", "kv1"],
        "az",
        "keyvault secret set --vault-name kv1 --name servicenow-p-instance-url --encoding utf-8 --file /dev/stdin --output none",
    ),
];

#[test]
fn every_client_is_fed_by_a_pipe_and_sees_nothing_of_ours() {
    let (instance, sandbox) = logged_in();
    let scanner = secrets(&instance, &sandbox);
    for (format, more, program, arguments) in PUSHES {
        pretend(&sandbox, program, "");
        let outcome = run(&sandbox, &[&["--format", format, "--push"][..], more].concat()).ok();
        assert_eq!(outcome.stdout, "", "{format}");
        let last = format!("p: {format} was handed to {program}\n");
        assert!(outcome.stderr.ends_with(&last), "{outcome:#?}");
        let args = seen(&sandbox, &format!("{program}.args"));
        assert_eq!(args.lines().next(), Some(arguments), "{format}");
        let fed = seen(&sandbox, &format!("{program}.stdin"));
        let text =
            sandbox.run(&[deliver(&["--format", format]), more.to_vec()].concat()).ok().stdout;
        if !["az", "aws"].contains(&program) {
            assert_eq!(fed, text, "{format}");
        }
        assert!(!fed.is_empty());
        let found = scanner.scan(outcome.stderr.as_bytes());
        assert_eq!(found, Vec::<String>::new(), "{format}");
        for name in ["args", "stdin"] {
            let _ = fs::remove_file(sandbox.path("seen").join(format!("{program}.{name}")));
        }
    }
    for name in ["cmdline", "env"] {
        let text = seen(&sandbox, name);
        assert!(text.len() > 100);
        assert_eq!(scanner.scan(text.as_bytes()), Vec::<String>::new(), "{name}");
    }
    let env = seen(&sandbox, "env");
    assert!(!env.contains("SNOWTOKEN_") && !env.contains("canary-in-a-variable"), "{env}");
    // Their own sign-in is theirs.
    assert!(env.contains("VAULT_TOKEN=theirs"));
    let audit = fs::read(sandbox.keep().join("store/snowtoken.db")).unwrap_or_default();
    assert_eq!(scanner.scan(&audit), Vec::<String>::new());
}

#[test]
fn five_values_go_to_the_key_vault_one_by_one() {
    let (instance, sandbox) = logged_in();
    pretend(&sandbox, "az", "printf '\\n--\\n' >>\"$(dirname \"$0\")/../seen/az.stdin\"");
    run(&sandbox, &["--format", "azure-key-vault", "--to", "kv1", "--push"]).ok();
    let fed = seen(&sandbox, "az.stdin");
    let values: Vec<&str> = fed.split("\n--\n").collect();
    assert_eq!((values.len(), values[2]), (6, instance.client_secret().as_str()));
    let args = seen(&sandbox, "az.args");
    assert!(
        args.lines().nth(4).unwrap().contains("servicenow-p-refresh-token --expires 20"),
        "{args}"
    );
    run(&sandbox, &["--format", "azure-key-vault", "--push"]).failed_with(&[2]);
}

#[test]
fn what_a_client_says_is_repeated_and_its_failure_is_ours() {
    let (instance, sandbox) = logged_in();
    let scanner = secrets(&instance, &sandbox);
    // With a terminal escape.
    pretend(&sandbox, "vault", "printf 'permission denied\\033[2J\\n' >&2; exit 2");
    let (outcome, code) = run(&sandbox, &["--format", "vault", "--push"]).failed_with(&[1]);
    assert_eq!(code.as_deref(), Some("push-failed"));
    assert!(outcome.stderr.contains("  vault: permission denied\\u{1b}[2J\n"), "{outcome:#?}");
    assert!(outcome.stderr.contains("error: `vault` failed: it ended with exit status: 2"));
    assert!(outcome.stderr.contains("`vault kv put -mount=secret servicenow/p -`"));
    // It repeats what it was given, however: nothing of it is shown.
    let vault = sandbox.path("bin/vault");
    for echo in ["cat", "sed 's/[\\\\\"]/\\\\&/g'", "base64", "base64 -w 0 | tr +/ -_"] {
        fs::write(&vault, format!("#!/bin/sh\n{echo} >&2\necho denied >&2\nexit 2\n")).unwrap();
        let (outcome, _) = run(&sandbox, &["--format", "vault", "--push"]).failed_with(&[1]);
        assert_eq!(scanner.scan(outcome.stderr.as_bytes()), Vec::<String>::new(), "{outcome:#?}");
        assert!(!outcome.stderr.contains("denied"), "{outcome:#?}");
        let why = "exit status: 2; what it said repeats what it was given, and is not shown\n";
        assert!(outcome.stderr.contains(why), "{outcome:#?}");
        assert!(outcome.stderr.contains("`vault kv put -mount=secret servicenow/p -`"));
    }
}

/// A folder in PATH that depends on where somebody is may hold anybody's program.
#[test]
fn the_program_that_was_found_is_the_one_that_is_started() {
    let (_instance, sandbox) = logged_in();
    let folder = sandbox.path("files/here");
    fs::create_dir(&folder).unwrap();
    for name in ["vault", "age"] {
        let path = folder.join(name);
        fs::write(&path, format!("#!/bin/sh\ncat >{}.stolen\n", path.display())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    pretend(&sandbox, "vault", "");
    let recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    let run = |rest: &str, more: &[&str]| {
        let mut command = sandbox.command(&deliver(more));
        command.env("PATH", format!("here:{rest}"));
        Running::start(command).finish()
    };
    let bin = format!("{}:/usr/bin:/bin", sandbox.path("bin").display());
    run(&bin, &["--format", "vault", "--push"]).ok();
    run(&bin, &["--bundle", "b.age", "--for", recipient]).ok();
    assert!(seen(&sandbox, "vault.stdin").len() > 100);
    run("/nowhere", &["--format", "vault", "--push"]).failed_with(&[1]);
    run("/nowhere", &["--bundle", "c.age", "--for", recipient]).failed_with(&[1]);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
}

#[test]
fn without_the_program_the_command_is_shown_and_only_a_push_fails() {
    let (_instance, sandbox) = logged_in();
    let (outcome, code) = run(&sandbox, &["--format", "vault", "--push"]).failed_with(&[1]);
    assert_eq!(code.as_deref(), Some("push-failed"));
    assert!(outcome.stderr.contains("`vault` is not installed, or not in PATH"), "{outcome:#?}");
    let outcome = run(&sandbox, &["--format", "vault", "--output", "v.json"]).ok();
    let path = sandbox.path("files/v.json").display().to_string();
    let line = format!("  hand it over: vault kv put -mount=secret servicenow/p - <'{path}'\n");
    assert!(outcome.stderr.ends_with(&line), "{outcome:#?}");
    let outcome = run(&sandbox, &["--format", "aws-secret", "--output", "a.json"]).ok();
    assert!(outcome.stderr.contains("--cli-input-json file://'/"), "{outcome:#?}");
    run(&sandbox, &["--format", "shell", "--push"]).failed_with(&[2]);
}

#[test]
fn a_secret_that_is_not_there_yet_is_made() {
    let (_instance, sandbox) = logged_in();
    let ending = "case \"$*\" in *put-secret-value*) echo 'An error occurred (ResourceNotFoundException)' >&2; exit 254;; esac";
    pretend(&sandbox, "aws", ending);
    run(&sandbox, &["--format", "aws-secret", "--push"]).ok();
    let args = seen(&sandbox, "aws.args");
    let verbs: Vec<&str> = args.lines().map(|line| line.split(' ').nth(1).unwrap()).collect();
    assert_eq!(verbs, ["put-secret-value", "create-secret"]);
}

/// A service that writes down what it is asked and answers with this.
fn service(answer: &'static str) -> (u16, std::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, asked) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let (mut head, mut length) = (String::new(), 0);
            while reader.read_line(&mut head).unwrap() > 2 {
                let line = head.lines().last().unwrap().to_ascii_lowercase();
                if let Some(number) = line.strip_prefix("content-length: ") {
                    length = number.parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let text =
                format!("{}\n{}", head.lines().next().unwrap(), String::from_utf8(body).unwrap());
            let length = answer.len();
            let reply = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{answer}"
            );
            reader.get_mut().write_all(reply.as_bytes()).unwrap();
            if sender.send(text).is_err() {
                break;
            }
        }
    });
    (port, asked)
}

/// The real command line of AWS, which speaks to a service on this machine.
#[test]
fn the_real_command_line_of_aws_sends_what_is_pushed() {
    let (instance, sandbox) = logged_in();
    let arn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:servicenow/p-AbCdEf";
    let answer = format!(
        "{{\"connectorProfileArn\":\"{arn}\",\"ARN\":\"{arn}\",\"Name\":\"servicenow/p\",\"VersionId\":\"{}\"}}",
        "v".repeat(32)
    );
    let (port, asked) = service(answer.leak());
    let real = python("aws").display().to_string();
    let text = format!(
        "#!/bin/sh\nexport AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=y AWS_MAX_ATTEMPTS=1\n\
         exec '{real}' \"$@\" --endpoint-url http://127.0.0.1:{port}\n"
    );
    let aws = sandbox.path("bin/aws");
    fs::write(&aws, &text).unwrap();
    fs::set_permissions(&aws, fs::Permissions::from_mode(0o755)).unwrap();
    let body = |more: &[&str], place: &str| -> Value {
        run(&sandbox, more).ok();
        let text = asked.recv_timeout(std::time::Duration::from_secs(20)).unwrap();
        let (line, body) = text.split_once('\n').unwrap();
        assert_eq!(line, format!("POST {place} HTTP/1.1"));
        serde_json::from_str(body).unwrap()
    };
    let made = body(&["--format", "appflow", "--push"], "/create-connector-profile");
    let grant = &made["connectorProfileConfig"]["connectorProfileCredentials"]["ServiceNow"];
    assert_eq!(grant["oAuth2Credentials"]["clientSecret"], instance.client_secret());
    assert_eq!(made["connectorType"], "Servicenow");
    let update = ["--format", "appflow", "--variant", "update", "--push"];
    assert_eq!(body(&update, "/update-connector-profile")["connectorType"], Value::Null);
    let put = body(&["--format", "aws-secret", "--push"], "/");
    let inner: Value = serde_json::from_str(put["SecretString"].as_str().unwrap()).unwrap();
    assert_eq!(inner["clientSecret"], instance.client_secret());
    // It looks: another operation does not take it.
    let other = "appflow delete-connector-profile --cli-input-json file:///dev/stdin";
    fs::write(&aws, text.replace("\"$@\"", other)).unwrap();
    let outcome = run(&sandbox, &["--format", "appflow", "--push"]).failed_with(&[1]).0;
    assert!(outcome.stderr.contains("  aws: "), "{outcome:#?}");
}

/// The real systemd-creds, with a key of this test's own.
#[test]
fn systemd_encrypts_and_opens_what_is_pushed() {
    let (instance, sandbox) = logged_in();
    let key = sandbox.path("key/host.secret");
    let wrapper = format!(
        "#!/bin/sh\nverb=$1; shift\nSYSTEMD_CREDENTIAL_SECRET='{}' exec /usr/bin/systemd-creds \"$verb\" --with-key=host \"$@\"\n",
        key.display()
    );
    let path = sandbox.path("bin/systemd-creds");
    fs::write(&path, wrapper).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    run(&sandbox, &["--format", "systemd-credential", "--push"]).failed_with(&[2]);
    run(&sandbox, &["--format", "systemd-credential", "--push", "--output", "p.cred"]).ok();
    let sealed = fs::read_to_string(sandbox.path("files/p.cred")).unwrap();
    assert!(!sealed.contains("canary-4711"));
    let mut open = sandbox.program("/usr/bin/systemd-creds");
    open.env("SYSTEMD_CREDENTIAL_SECRET", key);
    open.args(["decrypt", "--name=servicenow-p", "p.cred", "-"]);
    let found: Value = Running::start(open).finish().ok().json();
    assert_eq!(found["clientSecret"], instance.client_secret());
    let text = found.to_string();
    assert_eq!(in_python(&json!({"kind": "json", "text": text})).unwrap(), found);
    assert!(
        run(&sandbox, &["--check"])
            .ok()
            .stderr
            .contains(&format!("{PROFILE}: nothing was delivered"))
    );
}

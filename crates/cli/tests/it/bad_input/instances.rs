//! Contract §7.11: names that would lead a token elsewhere are no instances.

use std::time::{Duration, Instant};

use crate::support::instance::words;
use crate::support::process::Running;
use crate::support::proxy::Proxy;
use crate::support::sandbox::Sandbox;

const REFUSED: [&str; 22] = [
    "evil.com#",
    "a@b",
    "x/",
    "http://8.8.8.8",
    "a b",
    "http://127.0.0.1.evil.example",
    "http://127.0.0.1@evil.example",
    "http://localhost.evil.example",
    "evil.com?x=",
    "evil.com\\x",
    "evil.com%23",
    "ftp://127.0.0.1",
    "",
    // What the list does not name, of the same kinds.
    "https://user:pw@classics.service-now.com",
    "https://classics.service-now.com/path",
    "https://classics.service-now.com?x=1",
    "-classics",
    "classics..service-now.com",
    "https://",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "\u{1b}[31mred",
];

fn login(sandbox: &Sandbox, instance: &str, trap: &Proxy) -> Running {
    let secret = sandbox.file("client-secret", "whatever-secret").display().to_string();
    // `=` joins, so that a name that begins with a dash is still a name.
    let flag = format!("--instance={instance}");
    let mut arguments = words(&["login", "p", &flag, "--client-id", "0123456789abcdef"]);
    arguments.extend(words(&["--client-secret-file", &secret, "--region", "us-west-2"]));
    arguments.push("--no-browser".to_owned());
    let mut command = sandbox.command(&arguments);
    // Whatever goes out would have to pass here, and nothing goes past it.
    command.env_remove("NO_PROXY").env("HTTPS_PROXY", trap.url()).env("HTTP_PROXY", trap.url());
    Running::start(command)
}

#[test]
fn names_that_lead_elsewhere_are_refused_before_anything_happens() {
    let (sandbox, trap) = (Sandbox::new(), Proxy::trap());
    let mut trouble = Vec::new();
    for instance in REFUSED {
        let mut running = login(&sandbox, instance, &trap);
        running.close_stdin();
        let outcome = running.finish();
        let said = outcome.said();
        let refused = outcome.code == Some(2)
            && outcome.stderr.lines().any(|line| line.starts_with("error: "))
            && !said.contains("response_type=code")
            && !said.contains('\u{1b}')
            && outcome.stdout.is_empty();
        if !refused {
            trouble.push(format!("{instance:?}: {outcome:#?}"));
        }
    }
    assert!(trouble.is_empty(), "{}", trouble.join("\n"));
    assert_eq!(trap.connections().len(), 0, "something was sent");
    let kept = sandbox.snapshot_of("keep");
    let text = kept.values().any(|entry| String::from_utf8_lossy(&entry.bytes).contains("evil"));
    assert!(!text, "a refused name was kept: {:?}", kept.keys());
}

#[test]
fn a_name_a_host_and_a_url_mean_the_same_instance() {
    let trap = Proxy::trap();
    let forms = ["classics", "classics.service-now.com", "https://classics.service-now.com"];
    for instance in forms {
        let sandbox = Sandbox::new();
        let heard = trap.connections().len();
        let running = login(&sandbox, instance, &trap);
        let url = running.authorization_url();
        // The connection is opened while the person is away, and this proxy is the way to it.
        let end = Instant::now() + Duration::from_secs(5);
        while trap.connections().len() == heard {
            assert!(Instant::now() < end, "{instance}: the proxy heard of nothing");
            std::thread::sleep(Duration::from_millis(5));
        }
        running.kill();
        let wanted = "https://classics.service-now.com/oauth_auth.do?";
        assert!(url.starts_with(wanted), "{instance}: {url}");
    }
}

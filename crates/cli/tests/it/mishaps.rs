//! What goes wrong at a person's desk: one value for each, so that every test that asks something
//! of all failures (exit codes, silence about secrets) asks it of the same ones.

use std::fs;

use crate::support::foreign::Foreign;
use crate::support::instance::{
    Consent, Instance, PROFILE, console_uri, first_login, parameter, with_parameter, words,
};
use crate::support::process::Running;
use crate::support::sandbox::Sandbox;

/// Where a mishap happens: somebody is logged in there, with a profile that pastes.
pub(crate) struct Scene<'a> {
    pub(crate) server: &'a Foreign,
    pub(crate) sandbox: &'a Sandbox,
    /// What the environment has besides the usual.
    pub(crate) environment: Vec<(String, String)>,
}

impl Scene<'_> {
    /// Starts the command there.
    pub(crate) fn start(&self, arguments: &[String]) -> Running {
        let mut command = self.sandbox.command(arguments);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        Running::start(command)
    }

    fn run(&self, arguments: &[&str]) -> Running {
        let mut running = self.start(&words(arguments));
        running.close_stdin();
        running
    }

    /// A second login, at which `make` of the true redirected URL is pasted.
    fn paste(&self, more: &[&str], make: impl Fn(&str) -> String) -> Running {
        let mut running = self.start(&words(&[&["login", PROFILE, "--no-browser"], more].concat()));
        let redirected = self.server.consent(&running.authorization_url(), Consent::Allow);
        running.write(format!("{}\n", make(&redirected)));
        running
    }

    /// A first login that is wrong in itself: more arguments, or one argument changed.
    fn first(&self, change: impl Fn(&mut Vec<String>)) -> Running {
        let mut arguments = first_login(self.sandbox, self.server);
        change(&mut arguments);
        let mut running = self.start(&arguments);
        running.close_stdin();
        running
    }
}

/// One of them.
pub(crate) struct Mishap {
    pub(crate) name: &'static str,
    /// The exit codes that fit.
    pub(crate) codes: &'static [i32],
    /// How many requests to the token endpoint it may cause.
    pub(crate) requests: usize,
    pub(crate) happen: fn(&Scene<'_>) -> Running,
}

/// A refused paste, by the contract.
const PASTE: &[i32] = &[1, 2, 4];

const fn mishap(
    name: &'static str,
    codes: &'static [i32],
    requests: usize,
    happen: fn(&Scene<'_>) -> Running,
) -> Mishap {
    Mishap { name, codes, requests, happen }
}

/// All of them.
pub(crate) fn all() -> Vec<Mishap> {
    let mut all = at_the_paste();
    all.extend(in_the_redirect());
    all.extend(at_the_instance());
    all.extend(at_the_prompt());
    all.extend(in_the_arguments());
    all.extend(in_the_files());
    all
}

fn at_the_paste() -> Vec<Mishap> {
    vec![
        mishap("changed state", PASTE, 0, |s| {
            s.paste(&[], |url| with_parameter(url, "state", "0123456789abcdefghijklmnopqrstuv"))
        }),
        mishap("no state", PASTE, 0, |s| s.paste(&[], |url| url.replace("state=", "estate="))),
        mishap("foreign host", PASTE, 0, |s| {
            s.paste(&[], |url| url.replace("console.aws.amazon.com", "console.aws.evil.example"))
        }),
        mishap("other region", PASTE, 0, |s| {
            s.paste(&[], |url| url.replace("us-west-2", "eu-central-1"))
        }),
        mishap("plain http", PASTE, 0, |s| s.paste(&[], |url| url.replace("https:", "http:"))),
        mishap("user-info", PASTE, 0, |s| {
            s.paste(&[], |url| url.replace("https://", "https://me:pw@"))
        }),
        mishap("garbage", PASTE, 0, |s| s.paste(&[], |_| "\u{1b}[31m\0 not a URL at all".into())),
        mishap("empty line", PASTE, 0, |s| s.paste(&[], |_| String::new())),
        mishap("bare code", PASTE, 0, |s| s.paste(&[], |url| parameter(url, "code").unwrap())),
        mishap("code twice", PASTE, 0, |s| {
            s.paste(&[], |url| format!("{url}&code={}", parameter(url, "code").unwrap()))
        }),
        mishap("no code", PASTE, 0, |s| s.paste(&[], |url| url.replace("code=", "kode="))),
        mishap("too long", PASTE, 0, |s| {
            s.paste(&[], |url| format!("{url}&x={}", "y".repeat(80 * 1024)))
        }),
        mishap("end of input", PASTE, 0, |s| s.run(&["login", PROFILE, "--no-browser"])),
    ]
}

fn in_the_redirect() -> Vec<Mishap> {
    vec![
        mishap("denied", &[1, 4], 0, |s| {
            s.paste(&[], |url| {
                error_url(url, "access_denied", "&error_description=the+user+said+no")
            })
        }),
        mishap("denied, by a stranger", PASTE, 0, |s| {
            s.paste(&[], |_| {
                let page = console_uri("us-west-2");
                format!("{page}?error=access_denied&state=0123456789abcdefghijklmnopqrstuv")
            })
        }),
        mishap("missing scope", &[1, 2, 4], 0, |s| {
            s.paste(&[], |url| error_url(url, "invalid_scope", ""))
        }),
        mishap("server error", &[1, 4, 5], 0, |s| {
            s.paste(&[], |url| error_url(url, "server_error", "&error_description=%1b%5b31mred"))
        }),
    ]
}

fn error_url(redirected: &str, error: &str, more: &str) -> String {
    let (page, state) = (console_uri("us-west-2"), parameter(redirected, "state").unwrap());
    format!("{page}?error={error}&state={state}{more}")
}

fn at_the_instance() -> Vec<Mishap> {
    vec![
        mishap("wrong secret", &[1, 2, 4], 1, |s| {
            let file = s.sandbox.file("wrong", "certainly-not-the-secret");
            s.paste(&["--client-secret-file", &file.display().to_string()], str::to_owned)
        }),
        mishap("unknown code", &[1, 4], 1, |s| {
            s.paste(&[], |url| with_parameter(url, "code", "never-given-out-0123456789"))
        }),
        mishap("unknown client", &[1, 2, 4], 1, |s| {
            // Another client has another secret, so it is given too.
            let file = s.sandbox.file("other", "another-secret-0123456789").display().to_string();
            let login = ["login", PROFILE, "--no-browser", "--client-secret-file", &file];
            let client = ["--client-id", "ffffffffffffffffffffffffffffffff"];
            let mut running = s.start(&words(&[&login[..], &client].concat()));
            // An instance shows an error page; the person pastes something all the same.
            let state = parameter(&running.authorization_url(), "state").unwrap();
            let page = console_uri("us-west-2");
            running.write(format!("{page}?code=from-nowhere-0123456789&state={state}\n"));
            running
        }),
        // The stored secret belongs to the instance it was stored for.
        mishap("another instance without its secret", &[2], 0, |s| {
            let instance = format!("http://127.0.0.1:{}", free_port());
            s.run(&["login", PROFILE, "--no-browser", "--instance", &instance])
        }),
        mishap("nobody listens", &[1, 5], 0, |s| {
            let port = free_port();
            let instance = format!("http://127.0.0.1:{port}");
            let secret = s.sandbox.file("elsewhere", "s3cret");
            let secret = secret.to_str().unwrap();
            let mut running = s.start(&words(&[
                "login",
                PROFILE,
                "--no-browser",
                "--instance",
                &instance,
                "--client-secret-file",
                secret,
            ]));
            // It may notice before or after the paste.
            let look = |text: &str| text.contains("response_type=code").then(|| text.to_owned());
            if let Some(text) = running.stderr.wait(std::time::Duration::from_secs(5), look) {
                let url = text.lines().find(|l| l.contains("response_type=code")).unwrap();
                let state = parameter(url.trim(), "state").unwrap();
                let page = console_uri("us-west-2");
                running.write(format!("{page}?code=lost-0123456789&state={state}\n"));
            }
            running
        }),
    ]
}

/// A port on which nobody listens.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn at_the_prompt() -> Vec<Mishap> {
    vec![
        mishap("unknown profile", &[2, 4], 0, |s| s.run(&["token", "nobody"])),
        mishap("unknown profile, refresh", &[2, 4], 0, |s| s.run(&["refresh", "nobody"])),
        mishap("unknown profile, revoke", &[2, 4], 0, |s| s.run(&["revoke", "nobody"])),
        mishap("unknown profile, verify", &[2, 4], 0, |s| s.run(&["verify", "nobody"])),
        mishap("unknown profile, exec", &[2, 4], 0, |s| s.run(&["exec", "nobody", "--", "true"])),
    ]
}

fn in_the_arguments() -> Vec<Mishap> {
    vec![
        mishap("bad profile name", &[2], 0, |s| s.run(&["token", "../../etc/passwd"])),
        mishap("unknown command", &[2], 0, |s| s.run(&["lgoin"])),
        mishap("unknown flag", &[2], 0, |s| s.run(&["token", PROFILE, "--loud"])),
        mishap("bad duration", &[2], 0, |s| s.run(&["token", PROFILE, "--min-valid", "soon"])),
        mishap("unknown region", &[2], 0, |s| {
            s.first(|a| replace_after(a, "--region", "mars-north-1"))
        }),
        mishap("unknown target", &[2], 0, |s| s.first(|a| replace_after(a, "--target", "nobody"))),
        mishap("redirect URI that is none", &[2], 0, |s| {
            s.run(&["login", PROFILE, "--no-browser", "--redirect-uri", "ftp://x/"])
        }),
    ]
}

fn in_the_files() -> Vec<Mishap> {
    vec![
        mishap("no secret file", &[1, 2], 0, |s| {
            s.first(|a| replace_after(a, "--client-secret-file", "/nonexistent/secret"))
        }),
        mishap("empty secret file", &[1, 2], 0, |s| {
            let file = s.sandbox.file("empty", "\n").display().to_string();
            s.first(|a| replace_after(a, "--client-secret-file", &file))
        }),
        mishap("secret is a folder", &[1, 2], 0, |s| {
            let folder = s.sandbox.path("files").display().to_string();
            s.first(|a| replace_after(a, "--client-secret-file", &folder))
        }),
        mishap("nothing may be asked", &[2], 0, |s| {
            let instance = s.server.origin();
            s.run(&["login", "fresh", "--no-input", "--no-browser", "--instance", &instance])
        }),
        mishap("nobody answers", &[1, 4, 5], 0, |s| {
            // Standard input stays open: only the time ends this wait.
            s.start(&words(&["login", PROFILE, "--no-browser", "--wait", "1s"]))
        }),
        mishap("the port is taken", &[1, 2, 5], 0, |s| {
            let port = s.server.port();
            let redirect_uri = format!("http://127.0.0.1:{port}/callback");
            s.run(&["login", PROFILE, "--no-browser", "--redirect-uri", &redirect_uri])
        }),
        mishap("no program", &[1, 127], 0, |s| s.run(&["exec", PROFILE, "--", "no-such-program"])),
        mishap("import of nonsense", &[2], 0, |s| {
            let file = s.sandbox.file("nonsense", "no credentials here");
            s.run(&["profile", "import", &file.display().to_string()])
        }),
        mishap("unknown diagnosis", &[1, 2], 0, |s| s.run(&["explain", "no-such-code"])),
        mishap("output into nowhere", &[1, 2, 6], 0, |s| {
            fs::write(s.sandbox.path("files/plain"), "").unwrap();
            let output = s.sandbox.path("files/plain/creds.txt").display().to_string();
            s.run(&["login", PROFILE, "--no-browser", "--output", &output])
        }),
    ]
}

fn replace_after(arguments: &mut [String], flag: &str, value: &str) {
    let at = arguments.iter().position(|argument| argument == flag).unwrap();
    value.clone_into(&mut arguments[at + 1]);
}

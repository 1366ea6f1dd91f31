//! `doctor --bundle`: what may be attached in public, searched for everything that must not be.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::canary::Scanner;
use crate::support::instance::{Instance as _, PROFILE, first_login, log_in, paste, words};
use crate::support::process::{Outcome, Running};
use crate::support::proxy::Proxy;
use crate::support::pty::{Terminal, plain};
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;
use crate::support::tls::{Authority, Listener};

/// Somebody all of whose names are marked, in a home that is marked, with secrets in every place that
/// can hold one.
struct Planted {
    instance: StandIn,
    sandbox: Sandbox,
    environment: Vec<(&'static str, String)>,
    scanner: Scanner,
    keep: PathBuf,
}

const NAME: &str = "canary-profile-acme";
const OTHER: &str = "canary-second-globex";

impl Planted {
    fn new() -> Self {
        let instance = StandIn::with_user("canary.jane.miller@acme.example", &[]);
        let sandbox = Sandbox::new();
        let home = sandbox.path("home-of-canary-jane");
        let keep = home.join("canary-keeps-it-here");
        fs::create_dir_all(&keep).unwrap();
        let environment = vec![
            ("HOME", home.display().to_string()),
            ("SNOWTOKEN_HOME", keep.display().to_string()),
            ("USER", "canary-user-jane".to_owned()),
            ("SNOWTOKEN_CLIENT_SECRET", "canary-secret-in-the-environment".to_owned()),
            ("NO_PROXY", "127.0.0.1,canary-internal.acme.example".to_owned()),
        ];
        let mut this = Self { instance, sandbox, environment, scanner: Scanner::default(), keep };
        this.log_in();
        this.plant();
        this
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = self.sandbox.command(arguments);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        let mut running = Running::start(self.command(arguments));
        running.close_stdin();
        running.finish()
    }

    fn log_in(&self) {
        let mut arguments = first_login(&self.sandbox, &self.instance);
        NAME.clone_into(&mut arguments[1]);
        let file = self.keep.join("canary-delivered-to.txt").display().to_string();
        let scope = "useraccount openid profile email offline_access";
        arguments.extend(words(&["--output", &file, "--scope", scope]));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        paste(Running::start(self.command(&arguments)), &self.instance).ok();
    }

    fn plant(&mut self) {
        let config = self.keep.join("config.toml");
        let before = fs::read_to_string(&config).unwrap();
        let text = format!(
            "{before}\n[hooks]\nrejected = \"canary-hook-command --password canary-hook-password\"\n\n\
             [profile.{OTHER}]\ninstance = \"canary-host-globex.service-now.com\"\n\
             client_id = \"canary-client-id-4711\"\nscope = \"canary_scope_read\"\n\
             redirect_uri = \"https://canary-redirect.globex.example/cb\"\ntarget = \"canary-target-of-acme\"\n"
        );
        fs::write(&config, text).unwrap();
        // A product of one's own, with a table that tells something.
        let targets = self.keep.join("targets");
        fs::create_dir(&targets).unwrap();
        let own = "[[target]]\nname = \"canary-target-of-acme\"\ntitle = \"Canary title of Acme\"\n\
                   class = \"tokens\"\nredirect_uri_from = \"its page\"\nfields = [[\"Token\", \"access_token\"]]\n\
                   formats = [\"json\"]\ntables = [\"u_canary_table\"]\nconfidence = \"assumed\"\nsources = [\"us\"]\n";
        fs::write(targets.join("canary-file-of-targets.toml"), own).unwrap();
        let delivered = self.run(&["deliver", NAME, "--format", "json"]).ok().json();
        let text = |key: &str| {
            delivered[key].as_str().unwrap_or_else(|| panic!("{key}: {delivered:#}")).to_owned()
        };
        for key in ["access_token", "refresh_token", "client_secret"] {
            self.scanner.add(key, &text(key));
        }
        let key = fs::read(self.sandbox.path("key/store.key")).unwrap();
        self.scanner.add("key of the store", String::from_utf8_lossy(&key).trim());
        let origin = self.instance.origin();
        let id = self.instance.client_id();
        for (name, value) in [
            ("instance", origin.trim_start_matches("http://")),
            ("client id", &id),
            ("user", "canary.jane.miller@acme.example"),
            ("login name", "canary-user-jane"),
            ("profile", NAME),
            ("other profile", OTHER),
            ("home", "home-of-canary-jane"),
            ("folder", "canary-keeps-it-here"),
            ("delivered", "canary-delivered-to"),
            ("variable", "canary-secret-in-the-environment"),
            ("internal host", "canary-internal.acme.example"),
            ("hook", "canary-hook-command"),
            ("password of the hook", "canary-hook-password"),
            ("other instance", "canary-host-globex"),
            ("other client", "canary-client-id-4711"),
            ("scope", "canary_scope_read"),
            ("target", "canary-target-of-acme"),
            ("title", "Canary title of Acme"),
            ("table", "u_canary_table"),
            ("file of targets", "canary-file-of-targets"),
            ("redirect URI", "canary-redirect.globex.example"),
            ("proxy's user", "canary-proxy-jane"),
            ("proxy's password", "canary-proxy-password"),
            ("authority", "snowtoken test authority"),
            ("temporary folder", &self.sandbox.path("").display().to_string()),
        ] {
            self.scanner.add(name, value);
        }
    }

    /// Both forms of the report, as they were written.
    fn bundles(&self, environment: &[(&str, &str)], more: &[&str]) -> Vec<String> {
        let file = self.sandbox.path("files/report.md").display().to_string();
        let mut found = Vec::new();
        for (place, form) in
            [("-", &[][..]), ("-", &["--json"]), (&file, &[]), (&file, &["--json"])]
        {
            let arguments = [&["doctor", "--yes", "--bundle", place], form, more].concat();
            let mut command = self.command(&arguments);
            command.envs(environment.iter().copied());
            let mut running = Running::start(command);
            running.close_stdin();
            let outcome = running.finish().ok();
            found.push(if place == "-" {
                outcome.stdout
            } else {
                fs::read_to_string(place).unwrap()
            });
        }
        assert!(found.iter().all(|text| text.len() > 500), "{found:#?}");
        found
    }

    #[track_caller]
    fn clean(&self, what: &str, bundles: &[String]) {
        for bundle in bundles {
            let hits = self.scanner.scan(bundle.as_bytes());
            assert_eq!(hits, Vec::<String>::new(), "{what}: {bundle}");
        }
    }
}

#[test]
fn nothing_that_was_planted_is_in_the_report_whatever_the_road_is_like() {
    let planted = Planted::new();
    planted.clean("good", &planted.bundles(&[], &[NAME]));
    planted.clean("after a refresh", &planted.bundles(&[], &[NAME, "--refresh"]));
    planted.clean("nobody is named", &planted.bundles(&[], &[]));
    planted.clean("this machine only", &planted.bundles(&[], &[NAME, "--local"]));
    for knob in
        ["fault.kind=asleep", "fault.kind=login-page", "fault.kind=reset", "oauth.active=off"]
    {
        planted.instance.set(knob);
        planted.clean(knob, &planted.bundles(&[], &[NAME]));
        planted.instance.set("fault.kind=none");
    }
    planted.instance.set("oauth.active=on");
    planted.instance.set("api.clients=everybody");
    planted.instance.change_client(|client| {
        client.redirect_urls = vec!["https://canary-redirect.globex.example/cb".into()];
        client.inbound_grant_type = "canary-host-globex".into();
    });
    planted.clean("a record that does not fit", &planted.bundles(&[], &[NAME]));
    planted.instance.end_all_tokens();
    planted.clean("refused", &planted.bundles(&[], &[NAME, "--refresh"]));
}

#[test]
fn nothing_of_a_proxy_or_a_certificate_is_in_the_report() {
    let planted = Planted::new();
    let refusing = Proxy::refusing(407);
    let address =
        |port: &str| format!("http://canary-proxy-jane:canary-proxy-password@127.0.0.1:{port}");
    let port = |url: &str| url.rsplit_once(':').unwrap().1.to_owned();
    let with =
        |proxy: String| planted.bundles(&[("HTTPS_PROXY", &proxy), ("NO_PROXY", "")], &[OTHER]);
    planted.clean("407", &with(address(&port(&refusing.url()))));
    let identity = Authority::new().issue(&["canary-internal.acme.example"]);
    let listener = Listener::start(&identity);
    let leading = Proxy::connecting(listener.port);
    planted.clean("a strange certificate", &with(address(&port(&leading.url()))));
    assert!(leading.connections().iter().all(|one| one.connect.is_some()) && listener.bytes() == 0);
}

/// Damage has words of its own, with paths in them.
#[test]
fn nothing_of_a_damaged_home_is_in_the_report() {
    let planted = Planted::new();
    let database = planted.keep.join("store/tokens.db");
    let good = fs::read(&database).unwrap();
    fs::write(&database, "no database").unwrap();
    planted.clean("a damaged store", &planted.bundles(&[], &[NAME]));
    fs::write(&database, good).unwrap();
    fs::set_permissions(&database, fs::Permissions::from_mode(0o644)).unwrap();
    let open = planted.bundles(&[], &[NAME, "--local"]);
    planted.clean("a store that others may read", &open);
    assert!(open[0].contains("| store | file | 0644 |"), "{}", open[0]);
    fs::set_permissions(&database, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(planted.keep.join("config.toml"), "[profile.canary-profile-acme\ninstance = 1")
        .unwrap();
    fs::write(planted.keep.join("targets/canary-file-of-targets.toml"), "canary-title").unwrap();
    planted.clean("a target that cannot be read", &planted.bundles(&[], &[NAME]));
    planted.clean("a configuration that cannot be read", &planted.bundles(&[], &[]));
}

/// The search is only worth something if it finds what it looks for, where it may be.
#[test]
fn what_is_planted_is_found_where_it_lies() {
    let planted = Planted::new();
    let mut found = planted.scanner.scan(planted.run(&["doctor", NAME]).said().as_bytes());
    found.extend(planted.scanner.scan(&fs::read(planted.keep.join("config.toml")).unwrap()));
    found.extend(planted.scanner.scan(format!("{:?}", planted.environment).as_bytes()));
    found.extend(planted.scanner.scan(planted.run(&["status", NAME]).ok().stdout.as_bytes()));
    let delivered = planted.run(&["deliver", NAME, "--format", "json"]).ok();
    found.extend(planted.scanner.scan(delivered.stdout.as_bytes()));
    for name in [
        "instance (",
        "client id (",
        "user (",
        "profile (",
        "other profile (",
        "home (",
        "folder (",
        "variable (",
        "internal host (",
        "hook (",
        "password of the hook (",
        "other instance (",
        "other client (",
        "scope (",
        "redirect URI (",
        "access_token (",
        "refresh_token (",
        "client_secret (",
        "temporary folder (",
    ] {
        assert!(found.iter().any(|hit| hit.starts_with(name)), "{name} is not found: {found:#?}");
    }
}

fn rows<'a>(bundle: &'a Value, table: &str) -> &'a Vec<Value> {
    bundle[table].as_array().unwrap_or_else(|| panic!("no {table}: {bundle:#}"))
}

#[test]
fn what_helps_to_answer_is_in_the_report() {
    let planted = Planted::new();
    planted.run(&["refresh", NAME]).ok();
    let text = &planted.bundles(&[], &[NAME])[1];
    let bundle: Value = serde_json::from_str(text).unwrap();
    assert_eq!(bundle["version"], 1);
    let about = &rows(&bundle, "about")[0];
    assert_eq!(
        (&about["system"], &about["key_of_the_store"]),
        (&"linux".into(), &"key file".into())
    );
    let steps = rows(&bundle, "steps");
    let step = |name: &str| steps.iter().find(|step| step["step"] == name).unwrap().clone();
    assert_eq!(step("API")["verdict"], "pass");
    assert_eq!(
        (&step("certificate")["why"], &step("key")["verdict"]),
        (&"not-here".into(), &"pass".into())
    );
    let profiles = rows(&bundle, "profiles");
    assert_eq!(profiles.len(), 2);
    let (first, second) = (&profiles[0], &profiles[1]);
    assert_eq!((&first["profile"], &first["meant"]), (&"profile-1".into(), &true.into()));
    assert_eq!(
        (&first["host"], &second["host"]),
        (&"on this machine".into(), &"under service-now.com".into())
    );
    assert_eq!(
        (&first["target"], &first["redirect_uri"]),
        (&"nice-knowledge-hub".into(), &"the target's".into())
    );
    assert_eq!(
        (&second["scope"][0], &second["instance"]),
        (&"another".into(), &"instance-2".into())
    );
    let tokens = &rows(&bundle, "tokens")[0];
    assert_eq!(
        (&tokens["profile"], &tokens["state"], &tokens["user"]),
        (&"profile-1".into(), &"held".into(), &"user-1".into())
    );
    assert_eq!(tokens["access_token_end"], "in 30 min");
    let events: Vec<_> =
        rows(&bundle, "audit").iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["grant", "delivery", "refresh"]);
    let names: Vec<_> =
        rows(&bundle, "variables").iter().map(|row| row["name"].as_str().unwrap()).collect();
    for name in ["SNOWTOKEN_HOME", "SNOWTOKEN_CLIENT_SECRET", "NO_PROXY", "HOME"] {
        assert!(names.contains(&name), "{names:?}");
    }
    let files = rows(&bundle, "files");
    let store = files.iter().find(|file| file["file"] == "store").unwrap();
    assert_eq!((&store["kind"], &store["mode"]), (&"file".into(), &"0600".into()));
    assert_eq!(rows(&bundle, "hooks")[0]["occasion"], "rejected");
}

#[test]
fn the_report_is_shown_and_written_only_when_a_person_agrees() {
    let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    log_in(&sandbox, &instance);
    let file = sandbox.path("files/report.md");
    let arguments = ["doctor", PROFILE, "--bundle", file.to_str().unwrap()];
    for (keys, is_written) in [("n\r", false), ("\r", false), ("y\r", true)] {
        let mut terminal = Terminal::start(&sandbox.command(&arguments), 120);
        terminal.wait(|text| text.contains("Write it? [y/N]").then_some(()));
        let shown = plain(&terminal.text());
        assert!(shown.contains("## steps") && shown.contains("no names, no secrets"), "{shown}");
        assert!(!file.exists());
        terminal.keys(keys);
        assert_eq!(terminal.finish().code, Some(0));
        assert_eq!(file.exists(), is_written);
    }
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    fs::remove_file(&file).unwrap();
    // Nobody is asked, so nobody has agreed.
    for more in [&[][..], &["--no-input"]] {
        let (told, code) = sandbox.run(&[&arguments[..], more].concat()).failed_with(&[2]);
        assert_eq!(code.as_deref(), Some("input-needed"));
        assert!(told.stderr.contains("--yes") && !file.exists(), "{told:#?}");
    }
    // A report about a failure is no failure.
    instance.set("fault.kind=asleep");
    let outcome = sandbox.run(&["doctor", PROFILE, "--bundle", "-", "--yes"]).ok();
    assert!(outcome.stdout.contains("| awake | fail | no |  | instance-asleep |"), "{outcome:#?}");
    assert_eq!(outcome.stderr, "");
}

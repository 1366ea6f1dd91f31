//! What people already have is taken over: read in its shape, proved by the instance, and the plain
//! file goes if they say so.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use serde_json::json;

use crate::support::canary::Scanner;
use crate::support::instance::{Instance, PROFILE, log_in_with};
use crate::support::process::Outcome;
use crate::support::pty::{Session, Terminal, plain};
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;

/// Credentials that live, as their owner has them.
struct Credentials {
    instance: StandIn,
    client_id: String,
    client_secret: String,
    access_token: String,
    refresh_token: String,
    /// The file that login wrote.
    text: String,
}

impl Credentials {
    fn new() -> Self {
        Self::with(&[])
    }

    fn with(knobs: &[&str]) -> Self {
        let (instance, owner) = (StandIn::with(knobs), Sandbox::new());
        log_in_with(&owner, &instance, &[]).ok();
        Self {
            client_id: instance.client_id(),
            client_secret: instance.client_secret(),
            access_token: owner.credential("Access Token"),
            refresh_token: owner.credential("Refresh Token"),
            text: fs::read_to_string(owner.credentials()).unwrap(),
            instance,
        }
    }

    fn scanner(&self) -> Scanner {
        Scanner::of(&[
            ("client secret", &self.client_secret),
            ("access token", &self.access_token),
            ("refresh token", &self.refresh_token),
        ])
    }

    /// The same in the shapes of other tools.
    fn shapes(&self) -> Vec<(&'static str, String)> {
        let Self {
            client_id: id, client_secret: secret, access_token: at, refresh_token: rt, ..
        } = self;
        let url = self.instance.origin();
        let quoted = |quote: char| secret.replace(quote, &format!("{quote}{quote}"));
        let shell = |text: &str| text.replace('\'', "'\\''");
        let postman = json!({"name": "Snow", "values": [
            {"key": "instance", "value": url, "enabled": true}, {"key": "client_id", "value": id, "enabled": true},
            {"key": "client_secret", "value": secret, "type": "secret"}, {"key": "refresh_token", "value": rt}],
            "_postman_variable_scope": "environment"});
        let aws = json!({"instanceUrl": url, "clientId": id, "clientSecret": secret, "accessToken": at,
            "refreshToken": rt, "refreshTokenExpiresAt": "2031-03-03T15:00:00Z"});
        vec![
            ("credentials.txt", self.text.clone()),
            (
                "driver.txt",
                format!(
                    "jdbc:servicenow:InitiateOAuth=GETANDREFRESH;URL={url}/;OAuthClientId={id};OAuthClientSecret='{}';\
                     OAuthAccessToken={at};OAuthRefreshToken={rt};CallbackURL=http://localhost:33333;",
                    quoted('\'')
                ),
            ),
            (
                "OAuthSettings.txt",
                format!(
                    "_persist_url=\"{url}\";_persist_oauthclientid={id};_persist_oauthclientsecret=\"{}\";\
                     _persist_oauthrefreshtoken={rt};_persist_oauthexpiresin=1799;",
                    quoted('"')
                ),
            ),
            (
                "task.cfg",
                format!(
                    "[OAUTH]\nAppKey={id}\nAppSecret='{}'\nTokenUrl={url}/oauth_token.do\nRefreshToken={rt}\n",
                    shell(secret)
                ),
            ),
            ("snow.postman_environment.json", postman.to_string()),
            ("secret.json", aws.to_string()),
            ("answer.json", json!({"SecretString": aws.to_string()}).to_string()),
            (
                "refresh.sh",
                format!(
                    "#!/bin/sh\ncurl -X POST '{url}/oauth_token.do' \\\n  -d grant_type=refresh_token -d client_id={id} \\\n  \
                     --data-urlencode 'client_secret={}' \\\n  -d 'refresh_token={rt}'\n",
                    shell(secret)
                ),
            ),
        ]
    }
}

fn import(sandbox: &Sandbox, file: &str, more: &[&str]) -> Outcome {
    sandbox.run(&[&["profile", "import", file, "--name", PROFILE], more].concat())
}

/// What the only import on this machine is about, in a terminal.
fn import_at_a_terminal(sandbox: &Sandbox, file: &str, answer: &str) -> Session {
    let command = sandbox.command(&["profile", "import", file, "--name", PROFILE]);
    let mut terminal = Terminal::start(&command, 300);
    terminal.wait(|text| text.contains("[y/N]").then_some(()));
    terminal.keys(format!("{answer}\r"));
    terminal.finish()
}

#[test]
fn every_shape_is_taken_over_and_proved() {
    let credentials = Credentials::new();
    let scanner = credentials.scanner();
    for (name, text) in credentials.shapes() {
        let sandbox = Sandbox::new();
        let file = sandbox.file(name, &text);
        let outcome = import(&sandbox, name, &["--remove-file"]).ok();
        let told = "p: imported and verified\n";
        assert!(outcome.stderr.starts_with(told), "{name}: {outcome:#?}");
        assert!(outcome.stderr.contains("is written over and removed\n"), "{name}: {outcome:#?}");
        assert!(!file.exists(), "{name}");
        let token = sandbox.run(&["token", PROFILE]).ok().token();
        assert!(credentials.instance.is_alive(&token), "{name}");
        sandbox.run(&["refresh", PROFILE]).ok();
        // With the file gone no secret lies anywhere in the clear, and none was said.
        assert_eq!(scanner.scan(outcome.said().as_bytes()), Vec::<String>::new(), "{name}");
        let left = scanner.scan_tree(&sandbox.path(""), &[]);
        assert_eq!(left, Vec::<String>::new(), "{name}");
        assert!(!scanner.scan(text.as_bytes()).is_empty(), "the scanner is blind: {name}");
    }
}

#[test]
fn an_end_that_the_file_states_is_shown_with_its_origin() {
    let credentials = Credentials::new();
    let sandbox = Sandbox::new();
    let (_, text) =
        credentials.shapes().into_iter().find(|(name, _)| *name == "secret.json").unwrap();
    sandbox.file("secret.json", text);
    // What the instance tells counts more: nobody asks it here.
    import(&sandbox, "secret.json", &["--keep-file", "--no-verify"]).ok();
    let status = sandbox.run(&["status", PROFILE, "--json"]).ok().json();
    let profile = &status["profiles"][0];
    assert_eq!(profile["refresh_token_expires_at"], "2031-03-03T15:00:00Z", "{profile:#}");
    assert_eq!(profile["refresh_token_expiry_known_by"], "stated", "{profile:#}");
}

#[test]
fn what_is_missing_is_named_with_the_labels_that_are_known() {
    let sandbox = Sandbox::new();
    for (text, code, error, hint) in [
        (
            "no credentials here",
            "import-unreadable",
            "error: half.txt holds nothing that is known as a credential\n",
            "hint: known labels for the refresh token: Refresh Token; as `Label: value`, NAME=value,",
        ),
        (
            "Client ID: id\nRefresh Token: canary-refresh-4711",
            "setting-missing",
            "error: half.txt holds client ID and refresh token, but no instance\n",
            "hint: --instance INSTANCE: names the instance\n",
        ),
        (
            "INSTANCE=classics\nREFRESH_TOKEN=canary-refresh-4711\n",
            "setting-missing",
            "error: half.txt holds instance and refresh token, but no client ID\n",
            "hint: known labels for the client ID: Client ID, App Key;",
        ),
        (
            "OAuthClientId=id;OAuthClientSecret='canary-4711;InitiateOAuth=OFF",
            "import-unreadable",
            "error: half.txt holds client ID, but no instance and no refresh token or access token\n",
            "gets tokens for this client: run `snowtoken login NAME --instance INSTANCE --client-id ID`\n",
        ),
        (
            "[OAuthTool]\nAppKey=id\nAppSecret=canary-4711\nTokenUrl=https://classics.service-now.com/oauth_token.do\n\
             TokenParameters=grant_type=password&username=u&password=canary-password-4711\n",
            "import-unreadable",
            "error: half.txt holds instance, client ID and client secret, but no refresh token or access token\n",
            "hint: the grant that sends a user's password is left out on purpose; a person signs in instead: run",
        ),
        (
            "[OAUTH]\nOauth2SitesFile=oauth2_sites.bin\nOauth2SiteName=ServiceNow\n",
            "import-unreadable",
            "error: half.txt holds nothing that is known as a credential\n",
            "hint: this is the oauth.cfg of an OpenText connector: the tokens are in oauth2_sites.bin,",
        ),
    ] {
        sandbox.file("half.txt", text);
        let (outcome, found) = import(&sandbox, "half.txt", &[]).failed_with(&[2]);
        assert_eq!(found.as_deref(), Some(code), "{outcome:#?}");
        assert!(outcome.stderr.contains(error), "{error}: {outcome:#?}");
        assert!(outcome.stderr.contains(hint), "{hint}: {outcome:#?}");
        assert!(!outcome.stderr.contains("4711"), "{outcome:#?}");
        assert!(!sandbox.keep().exists(), "nothing was made: {outcome:#?}");
    }
    // What a driver encrypts looks like anything.
    sandbox.file("OAuthSettings.txt", "AQAAANCMnd8BFdERjHoAwE/Cl+sBAAAA=\n");
    let (outcome, _) = import(&sandbox, "OAuthSettings.txt", &[]).failed_with(&[2]);
    assert!(outcome.stderr.contains("SELECT * FROM sys_connection_props"), "{outcome:#?}");
}

#[test]
fn flags_fill_in_what_the_file_lacks() {
    let credentials = Credentials::new();
    let sandbox = Sandbox::new();
    sandbox.file("token.json", json!({"refresh_token": credentials.refresh_token}).to_string());
    let (origin, id) = (credentials.instance.origin(), credentials.client_id.clone());
    let flags = ["--instance", &origin, "--client-id", &id, "--no-verify"];
    import(&sandbox, "token.json", &flags).ok();
}

#[test]
fn whoever_sits_there_is_asked_and_decides() {
    let credentials = Credentials::new();
    for (answer, goes) in [("y", true), ("YES", true), ("n", false), ("", false), ("yess", false)] {
        let sandbox = Sandbox::new();
        let file = sandbox.file("c.txt", &credentials.text);
        let session = import_at_a_terminal(&sandbox, "c.txt", answer);
        let text = plain(&session.text());
        assert_eq!(session.code, Some(0), "{text}");
        assert_eq!(!file.exists(), goes, "{answer:?}: {text}");
        let said = if goes { "is written over and removed" } else { "still holds the secrets" };
        assert!(text.contains(said), "{answer:?}: {text}");
        assert_eq!(text.contains("no proof against forensics"), goes, "{text}");
        sandbox.run(&["verify", PROFILE]).ok();
    }
    let sandbox = Sandbox::new();
    sandbox.file(".env", format!("{}\nDATABASE_PORT=5432\nTHEME=dark\n", credentials.text));
    let session = import_at_a_terminal(&sandbox, ".env", "n");
    let text = plain(&session.text());
    assert!(text.contains("It holds 2 other values that were not taken over."), "{text}");
}

#[test]
fn nobody_is_asked_where_nobody_can_answer_and_the_file_stays() {
    let credentials = Credentials::new();
    for flags in [&[][..], &["--keep-file"], &["--no-input"], &["--no-verify"]] {
        let sandbox = Sandbox::new();
        let file = sandbox.file("c.txt", &credentials.text);
        let outcome = import(&sandbox, "c.txt", flags).ok();
        assert_eq!(outcome.stdout, "");
        assert_eq!(fs::read_to_string(&file).unwrap(), credentials.text);
        assert!(
            outcome.stderr.contains("c.txt still holds the secrets in the clear: delete it\n"),
            "{flags:?}: {outcome:#?}"
        );
    }
    // At a terminal as well, if it was said before, and where the instance was not asked.
    for flag in ["--no-input", "--no-verify", "--keep-file"] {
        let sandbox = Sandbox::new();
        let file = sandbox.file("c.txt", &credentials.text);
        let words = ["profile", "import", "c.txt", "--name", PROFILE, flag];
        let session = Terminal::start(&sandbox.command(&words), 300).finish();
        assert_eq!(session.code, Some(0), "{flag}: {}", session.text());
        assert!(file.exists() && !session.text().contains("[y/N]"), "{flag}: {}", session.text());
    }
    let sandbox = Sandbox::new();
    sandbox.file("c.txt", &credentials.text);
    import(&sandbox, "c.txt", &["--keep-file", "--remove-file"]).ended_with(&[2]);
    let (piped, _) = import(&sandbox, "-", &["--remove-file"]).failed_with(&[2]);
    assert!(piped.stderr.contains("error:"), "{piped:#?}");
}

/// A file, how it is prepared, and why it is not removed.
type Impostor = (&'static str, fn(&Sandbox, &PathBuf), &'static str);

#[test]
fn only_a_file_of_ours_under_one_name_is_removed() {
    let credentials = Credentials::new();
    let impostors: [Impostor; 2] = [
        (
            "a symbolic link",
            |sandbox, file| symlink(file, sandbox.path("files/named.txt")).unwrap(),
            "is a symbolic link: neither it nor what it leads to is removed",
        ),
        (
            "a hard link",
            |sandbox, file| fs::hard_link(file, sandbox.path("files/named.txt")).unwrap(),
            "has a second name (hard link) elsewhere",
        ),
    ];
    for (name, prepare, why) in impostors {
        let sandbox = Sandbox::new();
        let file = sandbox.file("c.txt", &credentials.text);
        prepare(&sandbox, &file);
        let outcome = import(&sandbox, "named.txt", &["--remove-file"]);
        let (outcome, code) = outcome.failed_with(&[1]);
        assert_eq!(code.as_deref(), Some("plain-file-kept"), "{name}: {outcome:#?}");
        assert!(outcome.stderr.contains(why), "{name}: {outcome:#?}");
        assert!(outcome.stderr.contains("nothing was imported"), "{name}: {outcome:#?}");
        assert!(!sandbox.keep().exists(), "{name}: told before anything was done");
        // Without the wish it is read like any other, and nobody is asked to remove it.
        let command = sandbox.command(&["profile", "import", "named.txt", "--name", PROFILE]);
        let session = Terminal::start(&command, 300).finish();
        assert_eq!(session.code, Some(0), "{name}: {}", session.text());
        assert!(!session.text().contains("[y/N]"), "{name}: {}", session.text());
        assert_eq!(fs::read_to_string(&file).unwrap(), credentials.text, "{name}");
        assert!(sandbox.path("files/named.txt").exists(), "{name}");
    }
}

#[test]
fn a_file_that_others_can_read_is_told() {
    let credentials = Credentials::new();
    for (mode, told) in [(0o600, false), (0o644, true), (0o640, true)] {
        let sandbox = Sandbox::new();
        let file = sandbox.file("c.txt", &credentials.text);
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let outcome = import(&sandbox, "c.txt", &[]).ok();
        let warning =
            format!("warning: others on this machine can read c.txt (mode {mode:04o}): take its");
        assert_eq!(outcome.stderr.contains(&warning), told, "{mode:o}: {outcome:#?}");
    }
}

#[test]
fn a_file_stays_where_the_instance_did_not_confirm_it() {
    let credentials = Credentials::new();
    let sandbox = Sandbox::new();
    let file = sandbox.file("c.txt", &credentials.text);
    credentials.instance.set("fault.path=/api/now/ui/user/current_user");
    credentials.instance.set("fault.kind=unavailable");
    let (outcome, _) = import(&sandbox, "c.txt", &["--remove-file"]).failed_with(&[5]);
    assert!(outcome.stderr.contains("taken over and not verified"), "{outcome:#?}");
    assert!(file.exists());
    credentials.instance.set("fault.kind=none");
    sandbox.run(&["verify", PROFILE]).ok();

    credentials.instance.end_all_tokens();
    let other = Sandbox::new();
    let file = other.file("c.txt", &credentials.text);
    let (outcome, _) = import(&other, "c.txt", &["--remove-file"]).failed_with(&[1, 4]);
    assert!(outcome.stderr.contains("nothing was taken over"), "{outcome:#?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), credentials.text);
    assert_eq!(other.run(&["profile", "list"]).ok().stdout, "");
}

#[test]
fn an_access_token_alone_is_proved_too() {
    let credentials = Credentials::new();
    let sandbox = Sandbox::new();
    let (id, at) = (&credentials.client_id, &credentials.access_token);
    let text = |token: &str| {
        let url = credentials.instance.origin();
        format!(
            "curl {url}/api/now/table/incident -H 'Authorization: Bearer {token}'\nCLIENT_ID={id}\n"
        )
    };
    sandbox.file("dead.sh", text("nobody-s-token"));
    let (outcome, _) = import(&sandbox, "dead.sh", &["--remove-file"]).failed_with(&[1, 4]);
    assert!(outcome.stderr.contains("nothing was taken over"), "{outcome:#?}");
    assert_eq!(sandbox.run(&["profile", "list"]).ok().stdout, "");
    assert!(sandbox.path("files/dead.sh").exists());
    sandbox.file("call.sh", text(at));
    import(&sandbox, "call.sh", &[]).ok();
    assert_eq!(sandbox.run(&["token", PROFILE]).ok().token(), *at);
}

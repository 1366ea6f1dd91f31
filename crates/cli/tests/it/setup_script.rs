//! `setup --background-script`, run by a JavaScript engine on a pretend instance, twice each time:
//! the second run changes nothing, and nothing is ever deleted.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::foreign::{node, scripts};
use crate::support::process::Running;
use crate::support::sandbox::Sandbox;

const ID: &str = "0123456789abcdef0123456789abcdef";
const CONSOLE: &str = "https://us-west-2.console.aws.amazon.com/appflow/oauth";
const SCOPES: [&str; 5] = ["useraccount", "openid", "profile", "email", "offline_access"];

/// The script of a new profile on standard output, with more arguments.
fn script(sandbox: &Sandbox, more: &[&str]) -> String {
    let usual = ["setup", "p", "--background-script", "--instance", "classics", "--output", "-"];
    let region: &[&str] = if more.contains(&"--grant") { &[] } else { &["--region", "us-west-2"] };
    sandbox.run(&[&usual[..], region, more].concat()).ok().stdout
}

/// What two runs of a script did.
struct Runs(Value);

/// Runs it twice on such an instance.
#[track_caller]
fn run(script: &str, world: &Value) -> Runs {
    let mut command = Command::new(node());
    command.arg(scripts().join("run_script.mjs")).env_clear().env("PATH", "/usr/bin:/bin");
    let mut running = Running::start(command);
    running.write(json!({"script": script, "world": world}).to_string());
    running.close_stdin();
    let outcome = running.finish();
    assert_eq!(outcome.code, Some(0), "run `cargo xtask setup`? {outcome:#?}");
    let runs = Runs(outcome.json());
    for run in runs.0["runs"].as_array().unwrap() {
        for write in run["writes"].as_array().unwrap() {
            assert!(!write.as_str().unwrap().starts_with("delete"), "{run:#}");
        }
        assert_eq!(run["leaked"], json!([]), "names outside its function");
        for line in run["printed"].as_array().unwrap() {
            let line = line.as_str().unwrap();
            assert!(line.starts_with("snowtoken ") && !line.contains(SECRET), "{line}");
        }
    }
    let second = &runs.0["runs"][1];
    assert!(second["writes"] == json!([]) && second["unchanged"] == json!(true), "{second:#}");
    runs
}

/// A secret that stands on the pretend instance, or is handed in, and may be printed nowhere.
const SECRET: &str = "canary-4711-secret";

impl Runs {
    /// The lines of the first run that begin with this word, without it.
    fn said(&self, word: &str) -> Vec<String> {
        let start = format!("snowtoken {word}: ");
        let lines = self.0["runs"][0]["printed"].as_array().unwrap().iter();
        let lines = lines.filter_map(|line| line.as_str().unwrap().strip_prefix(&start));
        lines.map(str::to_owned).collect()
    }

    /// The one line of the first run with this word.
    #[track_caller]
    fn line(&self, word: &str) -> String {
        let said = self.said(word);
        assert_eq!(said.len(), 1, "{said:#?}");
        said[0].clone()
    }

    fn rows(&self, table: &str) -> Vec<Value> {
        self.0["rows"][table].as_array().cloned().unwrap_or_default()
    }

    #[track_caller]
    fn client(&self) -> Value {
        let rows = self.rows("oauth_entity");
        assert_eq!(rows.len(), 1, "{rows:#?}");
        rows[0].clone()
    }

    fn wrote_nothing(&self) -> bool {
        self.0["runs"][0]["writes"] == json!([])
    }
}

/// An instance of this model on which the platform's own scope is there.
fn world(model: &str) -> Value {
    match model {
        "new" => json!({"model": "new", "rows": {"sys_auth_scope": [{"name": "useraccount"}]}}),
        model => json!({"model": model}),
    }
}

/// A client that somebody else made, with these values.
fn with_client(values: &Value) -> Value {
    let mut client = json!({
        "client_id": ID, "name": "Knowledge", "type": "client",
        "client_secret": format!("{{sealed}}{SECRET}"), "redirect_url": "https://other.example/cb",
        "inbound_grant_type": "authz_code", "default_grant_type": "authorization_code",
        "scope_restriction_status": "unrestricted", "token_format": "opaque",
    });
    for (field, value) in values.as_object().unwrap() {
        client[field] = value.clone();
    }
    let mut world = world("new");
    world["rows"]["oauth_entity"] = json!([client]);
    world
}

/// The script for a client that is known by its ID only.
fn script_for_known(sandbox: &Sandbox, more: &[&str]) -> String {
    script(sandbox, &[&["--client-id", ID][..], more].concat())
}

#[test]
fn a_new_client_is_made_whole_on_newer_and_older_releases() {
    let sandbox = Sandbox::new();
    let script = script(&sandbox, &[]);
    for model in ["new", "old"] {
        let runs = run(&script, &world(model));
        let client = runs.client();
        let profile = sandbox.run(&["profile", "show", "p", "--json"]).ok().json();
        assert_eq!(client["client_id"], profile["client_id"]);
        assert_eq!(client["redirect_url"], CONSOLE);
        assert_eq!(client["refresh_token_lifespan"], "31536000");
        assert_eq!(client["access_token_lifespan"], "1800");
        assert_eq!(client["name"], "snowtoken nice-knowledge-hub");
        assert_eq!(client["public_client"], "0");
        let secret = client["client_secret"].as_str().unwrap().strip_prefix("{sealed}").unwrap();
        assert!(secret.len() == 32 && secret.bytes().all(|b| b.is_ascii_alphanumeric()));
        let names = |table| -> Vec<Value> {
            runs.rows(table).iter().map(|row| row["name"].clone()).collect()
        };
        assert_eq!(names("oauth_entity_scope"), SCOPES, "{model}");
        assert_eq!(runs.rows("oauth_entity_profile_scope").len(), 5);
        assert_eq!(runs.rows("oauth_entity_profile").len(), 1);
        if model == "new" {
            assert_eq!(names("sys_auth_scope"), SCOPES);
            assert_eq!(runs.rows("oauth_entity_auth_scope_mapping").len(), 5);
            assert_eq!(client["inbound_grant_type"], "authz_code");
            assert_eq!(client["scope_restriction_status"], "unrestricted");
            assert_eq!(client["token_format"], "opaque");
            assert_eq!(runs.line("end"), "20 changed, 0 to do, 0 failed");
        } else {
            assert!(client.get("inbound_grant_type").is_none());
            assert_eq!(runs.said("skip").len(), 5, "{:#?}", runs.said("skip"));
            assert_eq!(runs.line("end"), "11 changed, 0 to do, 0 failed");
        }
    }
}

#[test]
fn tables_and_fields_that_are_not_there_are_left_out_and_told() {
    let sandbox = Sandbox::new();
    let script = script(&sandbox, &[]);
    let mut world = world("new");
    world["without"] = json!([
        "oauth_entity_scope",
        "oauth_entity.auth_code_lifespan",
        "oauth_entity.public_client",
        "oauth_entity_auth_scope_mapping.auth_scope",
        "sys_choice"
    ]);
    // What only the global scope has is not there either.
    world["gone"] = json!(["tableExists", "print", "getCurrentScopeName"]);
    let runs = run(&script, &world);
    let skipped = runs.said("skip");
    assert_eq!(skipped[0], "auth_code_lifespan: this release has no such field");
    assert_eq!(skipped[1], "public_client: this release has no such field");
    assert_eq!(skipped[2], "oauth_entity_scope: this release has no such table");
    assert!(skipped[3].ends_with("oauth_entity_auth_scope_mapping has no field auth_scope here"));
    assert_eq!(runs.rows("oauth_entity_auth_scope_mapping"), [] as [Value; 0]);
    assert_eq!(runs.client()["client_id"].as_str().unwrap().len(), 32);
}

#[test]
fn an_instance_that_refuses_rows_is_believed() {
    let sandbox = Sandbox::new();
    let script = script(&sandbox, &[]);
    let mut no_client = world("new");
    no_client["refuse"] = json!(["insert oauth_entity"]);
    let runs = run(&script, &no_client);
    assert!(runs.line("fail").starts_with(
        "the client \"snowtoken nice-knowledge-hub\" was not written (rights of this user"
    ));
    assert!(runs.wrote_nothing());
    assert_eq!(runs.line("end"), "0 changed, 0 to do, 1 failed");

    let mut no_scopes = world("new");
    no_scopes["refuse"] = json!(["insert oauth_entity_scope"]);
    let runs = run(&script, &no_scopes);
    let failed = runs.said("fail");
    assert_eq!(failed.len(), 5);
    assert!(failed[0].contains("\"useraccount\": the instance added no row to oauth_entity_scope"));
    // The rest is there all the same.
    assert_eq!(runs.rows("oauth_entity_auth_scope_mapping").len(), 5);
}

#[test]
fn somebody_elses_client_keeps_what_they_set() {
    let sandbox = Sandbox::new();
    let script = script_for_known(&sandbox, &[]);
    let world = with_client(&json!({
        "redirect_url": "https://a.example/cb, https://b.example/cb",
        "refresh_token_lifespan": "8640000", "access_token_lifespan": "7200",
        "scope_restriction_status": "restricted", "public_client": "1", "use_pkce": "1",
        "inbound_grant_type": "client_credential", "token_format": "jwt", "active": "0",
        "default_grant_type": "password", "sys_scope": "x_acme",
    }));
    let runs = run(&script, &world);
    let client = runs.client();
    // Added and raised, never replaced or lowered.
    assert_eq!(
        client["redirect_url"],
        format!("https://a.example/cb,https://b.example/cb,{CONSOLE}")
    );
    assert_eq!(client["refresh_token_lifespan"], "31536000");
    assert_eq!(client["access_token_lifespan"], "7200");
    for (field, value) in [
        ("name", "Knowledge"),
        ("scope_restriction_status", "restricted"),
        ("public_client", "1"),
        ("use_pkce", "1"),
        ("inbound_grant_type", "client_credential"),
        ("default_grant_type", "password"),
        ("token_format", "jwt"),
        ("active", "0"),
        ("client_secret", &format!("{{sealed}}{SECRET}")),
    ] {
        assert_eq!(client[field], value, "{field}");
    }
    assert!(
        runs.said("set")
            .contains(&"refresh_token_lifespan: was \"8640000\", is 31536000 s".to_owned())
    );
    let to_do = runs.said("todo").join("\n");
    for what in [
        "inbound_grant_type is \"client_credential\", set by somebody else; \"authz_code\" is needed",
        "scope_restriction_status is \"restricted\", set by somebody else; \"unrestricted\" is needed",
        "public_client is true, set by somebody else; false is needed",
        "use_pkce is true",
        "active is false: somebody switched this client off; it was left so",
        "the client belongs to a scoped application",
    ] {
        assert!(to_do.contains(what), "{what} is not in\n{to_do}");
    }
    assert_eq!(
        runs.said("kept"),
        [
            "name: not changed into \"snowtoken nice-knowledge-hub\"",
            "access_token_lifespan: 7200 s is more than the 1800 s that were asked for",
            "client_secret: not touched",
        ]
    );
}

#[test]
fn a_client_of_ours_is_mended() {
    let sandbox = Sandbox::new();
    let script = script_for_known(&sandbox, &["--refresh-token-lifespan", "90d"]);
    let world = with_client(&json!({
        "comments": format!("Made by snowtoken, client {ID}"),
        "refresh_token_lifespan": "31,536,000", "scope_restriction_status": "restricted",
        "public_client": "1", "inbound_grant_type": "", "token_format": "",
    }));
    let runs = run(&script, &world);
    let client = runs.client();
    assert_eq!(client["refresh_token_lifespan"], "7776000");
    assert_eq!(client["scope_restriction_status"], "unrestricted");
    assert_eq!(client["public_client"], "0");
    assert_eq!(client["inbound_grant_type"], "authz_code");
    assert!(
        runs.said("set")
            .contains(&"refresh_token_lifespan: was \"31,536,000\", is 7776000 s".to_owned())
    );
    assert!(
        runs.said("set").contains(&"inbound_grant_type: was empty, is \"authz_code\"".to_owned())
    );
    assert_eq!(runs.said("todo"), [] as [&str; 0]);
}

#[test]
fn another_secret_is_replaced_only_when_somebody_says_so() {
    let sandbox = Sandbox::new();
    let file = sandbox.file("secret", "another-secret-of-32-characters!");
    let file = file.display().to_string();
    let script = script_for_known(&sandbox, &["--client-secret-file", &file]);
    let there = with_client(&json!({}));
    let runs = run(&script, &there);
    assert_eq!(runs.client()["client_secret"], format!("{{sealed}}{SECRET}"));
    assert!(
        runs.line("todo").starts_with("client_secret: the client has another one, which was kept")
    );

    let replacing = script.replacen("replaceSecret = false", "replaceSecret = true", 1);
    let runs = run(&replacing, &there);
    assert_eq!(runs.client()["client_secret"], "{sealed}another-secret-of-32-characters!");
    assert!(runs.said("set").contains(&"client_secret: another one was replaced".to_owned()));

    // Where it cannot be read, nothing is known, so nothing is done.
    let mut blind = there.clone();
    blind["blind"] = json!(true);
    let runs = run(&replacing, &blind);
    assert_eq!(runs.client()["client_secret"], format!("{{sealed}}{SECRET}"));
    assert!(
        runs.said("kept").iter().any(|line| line.starts_with("client_secret: it cannot be read"))
    );

    // An empty one is nobody's.
    let runs = run(&script, &with_client(&json!({"client_secret": ""})));
    assert_eq!(runs.client()["client_secret"], "{sealed}another-secret-of-32-characters!");
}

#[test]
fn an_error_of_the_instance_does_not_print_the_secret() {
    let sandbox = Sandbox::new();
    let file = sandbox.file("secret", SECRET).display().to_string();
    let mut world = with_client(&json!({"client_secret": ""}));
    world["leaky"] = json!(true);
    let runs = run(&script_for_known(&sandbox, &["--client-secret-file", &file]), &world);
    assert_eq!(runs.line("fail"), "it stopped: cannot encrypt (the secret)");
}

#[test]
fn scopes_that_are_there_are_not_made_again() {
    let sandbox = Sandbox::new();
    let script = script_for_known(&sandbox, &[]);
    let mut world = with_client(&json!({"sys_id": "c"}));
    world["rows"]["sys_auth_scope"] = json!([
        {"name": "useraccount"}, {"name": "openid", "sys_id": "o"}, {"name": "Profile"}
    ]);
    world["rows"]["oauth_entity_scope"] = json!([
        {"oauth_entity": "c", "name": "openid"}, {"oauth_entity": "c", "name": "openid"},
        {"oauth_entity": "other", "name": "email"}
    ]);
    world["rows"]["oauth_entity_profile"] = json!([
        {"oauth_entity": "c", "name": "one", "default": "0", "sys_id": "p1"},
        {"oauth_entity": "c", "name": "two", "default": "1", "sys_id": "p2"}
    ]);
    world["rows"]["oauth_entity_auth_scope_mapping"] =
        json!([{"oauth_entity": "c", "auth_scope": "o"}]);
    let runs = run(&script, &world);
    assert!(
        runs.said("same").contains(&"OAuth scope \"openid\" (2 rows, one is enough)".to_owned())
    );
    assert_eq!(runs.rows("oauth_entity_scope").len(), 7);
    let profiles = runs.rows("oauth_entity_profile_scope");
    assert!(profiles.len() == 5 && profiles.iter().all(|row| row["oauth_entity_profile"] == "p2"));
    // The name is taken but for its case: the instance refuses, and that is told.
    assert!(runs.line("fail").starts_with("auth scope \"profile\": the instance added no row"));
    assert_eq!(runs.rows("oauth_entity_auth_scope_mapping").len(), 4);
}

#[test]
fn nothing_is_done_where_it_is_not_clear_what_is_meant() {
    let sandbox = Sandbox::new();
    let script = script_for_known(&sandbox, &[]);
    let mut twice = with_client(&json!({}));
    let client = twice["rows"]["oauth_entity"][0].clone();
    twice["rows"]["oauth_entity"] = json!([client, client]);
    let mut scoped = world("new");
    scoped["scope"] = json!("x_acme_app");
    let mut no_plugin = world("old");
    no_plugin["without"] = json!(["oauth_entity"]);
    let named = with_client(&json!({"name": "snowtoken nice-knowledge-hub", "client_id": "other"}));
    for (world, why) in [
        (twice, "2 clients have the Client ID"),
        (scoped, "this runs in the scope \"x_acme_app\"; choose \"in scope: global\""),
        (no_plugin, "there is no table oauth_entity"),
        (named, "another client has the name \"snowtoken nice-knowledge-hub\""),
        (
            with_client(&json!({"type": "consumer"})),
            "the record with this Client ID is no OAuth client",
        ),
    ] {
        let runs = run(&script, &world);
        assert!(runs.line("fail").starts_with(why), "{:?}", runs.said("fail"));
        assert!(runs.wrote_nothing(), "{why}");
    }
}

#[test]
fn an_instance_that_keeps_its_own_values_is_not_written_to_twice() {
    let sandbox = Sandbox::new();
    let script = script(&sandbox, &[]);
    let mut world = world("new");
    world["keep"] = json!(["client_id"]);
    world["kept"] = json!({"client_id": "made-by-the-instance"});
    // Found by the mark the second time, since it is not found by its ID.
    let runs = run(&script, &world);
    assert_eq!(runs.client()["client_id"], "made-by-the-instance");
    assert!(runs.line("fail").starts_with("client_id: the instance kept \"made-by-the-instance\""));
    assert!(runs.line("todo").ends_with("snowtoken login --client-id made-by-the-instance"));
    let second = runs.0["runs"][1]["printed"].to_string();
    assert!(second.contains("snowtoken same: the client is there"), "{second}");
}

#[test]
fn a_choice_that_a_release_does_not_know_is_not_written() {
    let sandbox = Sandbox::new();
    let mut world = world("new");
    world["rows"]["sys_choice"] = json!([
        {"name": "oauth_entity", "element": "scope_restriction_status", "value": "broad"},
        {"name": "oauth_entity", "element": "token_format", "value": "opaque"}
    ]);
    let runs = run(&script(&sandbox, &[]), &world);
    assert_eq!(runs.client()["scope_restriction_status"], "restricted");
    assert_eq!(runs.client()["token_format"], "opaque");
    assert!(runs.line("todo").starts_with("scope_restriction_status: this release does not know"));
}

#[test]
fn client_credentials_need_a_user_and_a_property_that_only_a_flag_changes() {
    const GRANT: &str = "glide.oauth.inbound.client.credential.grant_type.enabled";
    let sandbox = Sandbox::new();
    let arguments = ["--grant", "client-credentials", "--target", "custom", "--user", "svc"];
    let asking = script(&sandbox, &arguments);
    let mut world = world("new");
    world["rows"]["sys_user"] = json!([{"user_name": "svc", "sys_id": "u1"}]);
    let runs = run(&asking, &world);
    assert_eq!(runs.client()["user"], "u1");
    assert_eq!(runs.client()["inbound_grant_type"], "client_credential");
    assert_eq!(runs.client()["redirect_url"], "");
    assert!(runs.line("todo").contains(&format!("{GRANT} must be true")));
    assert!(runs.0["properties"].get(GRANT).is_none());

    let told = script(&sandbox, &[&arguments[..], &["--enable-client-credentials"]].concat());
    let runs = run(&told, &world);
    assert_eq!(runs.0["properties"][GRANT], "true");
    assert!(runs.said("set").contains(&format!("{GRANT}: true")));

    world["rows"]["sys_user"] = json!([]);
    let runs = run(&told, &world);
    assert_eq!(runs.said("todo")[0], "user \"svc\": 0 users have this user name");
}

#[test]
fn what_keeps_the_user_from_consenting_is_told() {
    let sandbox = Sandbox::new();
    let script = script(&sandbox, &["--user", "svc"]);
    let mut world = world("new");
    world["rows"]["sys_user"] = json!([{
        "user_name": "svc", "web_service_access_only": "1", "locked_out": "1", "password_needs_reset": "1",
    }]);
    let to_do = run(&script, &world).said("todo");
    assert_eq!(to_do.len(), 3, "{to_do:#?}");
    assert_eq!(
        to_do[1],
        "user \"svc\" has \"Web service access only\": it cannot sign in to consent"
    );
}

#[test]
fn no_name_leaves_its_string() {
    let hostile = "\"'\\</script><!-- */ // ${gs} `}); gs.print('out'); ({ \u{e9}\u{1f600}";
    let sandbox = Sandbox::new();
    let secret = format!("{SECRET}\"'\\</script>\u{2028}");
    let file = sandbox.file("secret", &secret).display().to_string();
    let script = script_for_known(&sandbox, &["--name", hostile, "--client-secret-file", &file]);
    let runs = run(&script, &world("new"));
    assert_eq!(runs.client()["name"], hostile);
    assert_eq!(runs.client()["client_secret"], format!("{{sealed}}{secret}"));
}

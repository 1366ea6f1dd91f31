//! The products that are known, and files of one's own: judged by programs of others.

mod broken;
mod own;
mod prepared;

use std::process::Command;

use serde_json::{Value, json};

use crate::support::foreign::{python, scripts};
use crate::support::process::Running;
use crate::support::sandbox::Sandbox;

/// What a program that nobody here wrote says about the text.
fn foreign(script: &str, input: &str) -> Value {
    let mut command = Command::new(python("python"));
    command.arg(scripts().join(script)).env_clear().env("PATH", "/usr/bin:/bin");
    let mut running = Running::start(command);
    running.write(input);
    running.close_stdin();
    let outcome = running.finish();
    assert_eq!(outcome.code, Some(0), "run `cargo xtask setup`? {outcome:#?}");
    outcome.json()
}

/// The first complaint of a foreign validator about each file, by our schema.
fn complaints(sandbox: &Sandbox, files: &[String]) -> Vec<Option<String>> {
    let schema = sandbox.run(&["target", "schema"]).ok().stdout;
    let said = foreign("judge_targets.py", &json!({"schema": schema, "files": files}).to_string());
    let said = said.as_array().unwrap().iter();
    said.map(|one| one.as_str().map(str::to_owned)).collect()
}

fn known() -> Vec<Value> {
    let sandbox = Sandbox::new();
    let json = sandbox.run(&["target", "list", "--json"]).ok().json();
    assert_eq!(json["version"], 1);
    json["targets"].as_array().unwrap().clone()
}

fn one<'a>(targets: &'a [Value], name: &str) -> &'a Value {
    targets.iter().find(|target| target["name"] == name).unwrap()
}

#[test]
fn what_comes_with_the_program_fits_the_schema() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../snowtoken/src/targets/built-in");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        files.push(std::fs::read_to_string(entry.unwrap().path()).unwrap());
    }
    assert_eq!(files.len(), 6);
    let found = complaints(&Sandbox::new(), &files);
    assert_eq!(found, vec![None; 6]);
}

/// Region lists, limits and field names against the data in Amazon's own SDK.
#[test]
fn regions_and_limits_are_those_of_amazons_own_sdk() {
    let said = foreign("aws_says.py", "");
    let targets = known();
    let regions = |service: &str| said["regions"][service].as_array().unwrap().clone();
    for name in ["nice-knowledge-hub", "appflow", "appflow-console"] {
        assert_eq!(one(&targets, name)["regions"], json!(regions("appflow")), "{name}");
    }
    assert_eq!(regions("appflow").len(), 16);
    assert_eq!(said["elsewhere"], json!([]), "AppFlow has come to GovCloud or China");
    assert_eq!(one(&targets, "glue")["regions"], json!(regions("glue")));
    assert_eq!(one(&targets, "quicksight")["regions"], json!(regions("quicksight")));
    for (name, services) in [
        ("connect-customer-profiles", &["customer-profiles", "appflow"][..]),
        ("connect-wisdom", &["wisdom", "qconnect", "appflow"]),
    ] {
        let mut everywhere = regions(services[0]);
        everywhere.retain(|region| services.iter().all(|other| regions(other).contains(region)));
        assert_eq!(one(&targets, name)["regions"], json!(everywhere), "{name}");
    }
    for (service, names) in [
        (
            "appflow",
            &["nice-knowledge-hub", "appflow", "connect-customer-profiles", "connect-wisdom"][..],
        ),
        ("kendra", &["kendra"]),
        ("devops-agent", &["devops-agent"]),
    ] {
        for name in names {
            let mut limits = one(&targets, name)["limits"].as_object().unwrap().clone();
            let white_space = limits.remove("no_white_space").unwrap();
            assert_eq!(white_space, json!(service == "appflow"), "{name}");
            limits.retain(|_, limit| !limit.is_null());
            assert_eq!(json!(limits), said["limits"][service], "{name}");
        }
    }
    assert_eq!(said["white_space"], r"\S+");
    // The labels of the API's form are its own member names.
    let fields = one(&targets, "appflow")["fields"].as_array().unwrap().clone();
    for label in ["clientId", "clientSecret", "accessToken", "refreshToken"] {
        assert!(fields.iter().any(|field| field["label"] == label), "{label}");
        assert!(said["fields"].as_array().unwrap().contains(&json!(label)), "{label}");
    }
}

/// The form of AppFlow's redirect URI, written as a pattern by others (Python's `re`).
#[test]
fn appflows_redirect_uris_have_its_form() {
    let mut uris = Vec::new();
    for target in known() {
        let Some(template) = target["redirect_uri"].as_str() else { continue };
        if !template.contains("/appflow/") {
            continue;
        }
        let regions = target["regions"].as_array().unwrap();
        uris.extend(regions.iter().map(|r| template.replace("{region}", r.as_str().unwrap())));
        let also = target["also_register"].as_array().unwrap();
        uris.extend(also.iter().map(|also| also["redirect_uri"].as_str().unwrap().to_owned()));
    }
    assert!(uris.len() > 60, "{}", uris.len());
    let mut command = Command::new(python("python"));
    command.env_clear().args([
        "-c",
        "import json,re,sys; p=re.compile(r'^https://(?:[a-z]{2}-[a-z]+-\\d\\.)?console\\.aws\\.amazon\\.com/appflow/oauth$'); \
         print(json.dumps([u for u in json.load(sys.stdin) if not p.match(u)]))",
    ]);
    let mut running = Running::start(command);
    running.write(json!(uris).to_string());
    running.close_stdin();
    assert_eq!(running.finish().ok().json(), json!([]));
}

#[test]
fn list_and_show_say_everything_for_people_and_programs() {
    let sandbox = Sandbox::new();
    let list = sandbox.run(&["target", "list"]).ok().stdout;
    let shows = |line: &str| list.lines().any(|own| own == line);
    assert!(shows("Take tokens: `snowtoken login` gets them"), "{list}");
    assert!(shows("  grafana                    Grafana (ServiceNow data source)"), "{list}");
    let targets = known();
    assert_eq!(list.lines().filter(|line| line.starts_with("  ")).count(), targets.len());
    let show = sandbox.run(&["target", "show", "copilot-connector"]).ok().stdout;
    for part in [
        "https://gcs.office.com/v1.0/admin/oauth/callback\n",
        "https://gcsgcc.office.com/v1.0/admin/oauth/callback",
        "Scopes                  useraccount\n",
        "Access Token Lifespan   43200 s\n",
        "Refresh Token Lifespan  31536000 s\n",
        "Roles its user needs    knowledge\n",
        "\"Web service access",
        "user criteria (Can Read)",
        "the product's own documentation or service model says so",
        "https://github.com/MicrosoftDocs/copilot-connectors",
    ] {
        assert!(show.contains(part), "{part}\n{show}");
    }
    let json = sandbox.run(&["target", "show", "copilot-connector", "--json"]).ok().json();
    assert_eq!(json["version"], 1);
    let mut listed = one(&targets, "copilot-connector").clone();
    listed["version"] = json!(1);
    assert_eq!(json, listed);
    assert_eq!(json["fields"][0], json!({"label": "Instance URL", "value": "instance"}));
    assert_eq!(json["own_file"], Value::Null);
    let (_, code) = sandbox.run(&["target", "show", "nobody"]).failed_with(&[2]);
    assert_eq!(code.as_deref(), Some("usage"));
}

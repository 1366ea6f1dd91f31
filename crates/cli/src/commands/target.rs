//! `target`: the products that are known.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};
use snowtoken::World;
use snowtoken::core::diagnosis::Code;
use snowtoken::core::target::{Field, Target};
use snowtoken::home::Home;
use snowtoken::targets::Targets;

use crate::args::{TargetArgs, TargetCommand};
use crate::output;
use crate::report::Failure;

pub(crate) fn run(world: &World, args: &TargetArgs) -> Result<ExitCode, Failure> {
    // Without a home folder there are no targets of one's own.
    let targets = match Home::find(&world.environment) {
        Ok(home) => Targets::load(&home)?,
        Err(_) => Targets::built_in(),
    };
    match &args.command {
        TargetCommand::List { json: true } => {
            let list: Vec<Value> = targets.all().map(as_json).collect();
            output::json(&json!({"version": 1, "targets": list}))?;
        }
        TargetCommand::List { json: false } => {
            let mut text = String::new();
            for target in targets.all() {
                let _ = writeln!(text, "{:<20} {}", target.name, target.title);
            }
            output::data(&text)?;
        }
        TargetCommand::Show { name, json } => {
            let target = targets.find(name).ok_or_else(|| {
                let names: Vec<&str> = targets.all().map(|target| target.name.as_str()).collect();
                let text = format!("there is no such target; there are {}", names.join(", "));
                Failure::told(Code::Usage, text)
            })?;
            if *json {
                output::json(&with_version(as_json(target)))?;
            } else {
                output::data(&as_text(target))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn with_version(mut value: Value) -> Value {
    if let Some(object) = value.as_object_mut() {
        object.insert("version".to_owned(), json!(1));
    }
    value
}

fn as_json(target: &Target) -> Value {
    json!({
        "name": target.name,
        "title": target.title,
        "class": target.class.as_str(),
        "redirect_uri": target.redirect_uri,
        "regions": target.regions.list,
        "scope": target.scope,
        "access_token_lifespan": target.access_token_lifespan,
        "refresh_token_lifespan": target.refresh_token_lifespan,
        "fields": labels(target),
        "longest_client_id_and_secret": target.limits.client_id,
        "longest_token": target.limits.access_token,
        "tables": target.tables,
        "confidence": target.confidence.as_str(),
        "sources": target.sources.join("; "),
    })
}

fn labels(target: &Target) -> Vec<&str> {
    target.fields.iter().map(|field: &Field| field.label.as_str()).collect()
}

fn as_text(target: &Target) -> String {
    let or_none = |text: &str, none: &str| {
        if text.is_empty() { none.to_owned() } else { text.to_owned() }
    };
    let seconds = |lifespan: Option<i64>| {
        lifespan.map_or_else(|| "as set on the client".to_owned(), |s| format!("{s} s"))
    };
    let limit = |limit: Option<usize>| {
        limit.map_or_else(|| "not known".to_owned(), |limit| format!("{limit} characters"))
    };
    let lines = [
        ("Target", target.name.clone()),
        ("Product", target.title.clone()),
        (
            "Redirect URI",
            target
                .redirect_uri
                .clone()
                .unwrap_or_else(|| "as the product says: --redirect-uri URL".to_owned()),
        ),
        ("Regions", or_none(&target.regions.list.join(" "), "none")),
        ("Scopes", or_none(&target.scope, "none: the client's own hold")),
        ("Access Token Lifespan", seconds(target.access_token_lifespan)),
        ("Refresh Token Lifespan", seconds(target.refresh_token_lifespan)),
        ("Form fields", labels(target).join(", ")),
        ("Longest ID and secret", limit(target.limits.client_id)),
        ("Longest token", limit(target.limits.access_token)),
        ("Tables it reads", or_none(&target.tables.join(", "), "not known")),
        ("Confidence", target.confidence.as_str().to_owned()),
        ("Sources", target.sources.join("; ")),
    ];
    let mut text = String::new();
    for (label, value) in lines {
        let _ = writeln!(text, "{label:<23} {value}");
    }
    text
}

//! `target`: the products that are known.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};
use snowtoken::core::diagnosis::Code;
use snowtoken::core::target::{TARGETS, Target};

use crate::args::{TargetArgs, TargetCommand};
use crate::output;
use crate::report::Failure;

pub(crate) fn run(args: &TargetArgs) -> Result<ExitCode, Failure> {
    match &args.command {
        TargetCommand::List { json: true } => {
            let targets: Vec<Value> = TARGETS.iter().map(as_json).collect();
            output::json(&json!({"version": 1, "targets": targets}))?;
        }
        TargetCommand::List { json: false } => {
            let mut text = String::new();
            for target in TARGETS {
                let _ = writeln!(text, "{:<20} {}", target.name, target.title);
            }
            output::data(&text)?;
        }
        TargetCommand::Show { name, json } => {
            let target = Target::find(name).ok_or_else(|| {
                Failure::told(
                    Code::Usage,
                    format!("there is no such target; there are {}", names()),
                )
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

/// The names, for a message.
pub(crate) fn names() -> String {
    TARGETS.iter().map(|target| target.name).collect::<Vec<_>>().join(", ")
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
        "redirect_uri": target.redirect_template,
        "regions": target.regions,
        "scope": target.scope,
        "access_token_lifespan": target.access_lifespan,
        "refresh_token_lifespan": target.refresh_lifespan,
        "fields": target.fields,
        "longest_client_id_and_secret": limit(target.longest_client),
        "longest_token": limit(target.longest_token),
        "tables": target.tables,
        "sources": target.sources,
    })
}

fn limit(characters: usize) -> Option<usize> {
    (characters > 0).then_some(characters)
}

fn as_text(target: &Target) -> String {
    let or_none = |text: &str, none: &str| {
        if text.is_empty() { none.to_owned() } else { text.to_owned() }
    };
    let seconds = |lifespan: Option<i64>| {
        lifespan.map_or_else(|| "as set on the client".to_owned(), |s| format!("{s} s"))
    };
    let limit = |limit: usize| {
        if limit == 0 { "not known".to_owned() } else { format!("{limit} characters") }
    };
    let lines = [
        ("Target", target.name.to_owned()),
        ("Product", target.title.to_owned()),
        (
            "Redirect URI",
            target
                .redirect_template
                .unwrap_or("as the product says: --redirect-uri URL")
                .to_owned(),
        ),
        ("Regions", or_none(&target.regions.join(" "), "none")),
        ("Scopes", or_none(target.scope, "none: the client's own hold")),
        ("Access Token Lifespan", seconds(target.access_lifespan)),
        ("Refresh Token Lifespan", seconds(target.refresh_lifespan)),
        ("Form fields", target.fields.join(", ")),
        ("Longest ID and secret", limit(target.longest_client)),
        ("Longest token", limit(target.longest_token)),
        ("Tables it reads", or_none(&target.tables.join(", "), "not known")),
        ("Sources", target.sources.to_owned()),
    ];
    let mut text = String::new();
    for (label, value) in lines {
        let _ = writeln!(text, "{label:<23} {value}");
    }
    text
}

//! `target`: the products that are known.

mod data;
mod text;

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};
use snowtoken::World;
use snowtoken::home::Home;
use snowtoken::targets::{self, Targets};

use crate::app::no_such_target;
use crate::args::{TargetArgs, TargetCommand};
use crate::output;
use crate::report::Failure;

pub(crate) fn run(world: &World, args: &TargetArgs) -> Result<ExitCode, Failure> {
    match &args.command {
        TargetCommand::Path => path(world)?,
        TargetCommand::Check { file, json } => check(file, *json)?,
        TargetCommand::Schema => output::data(targets::SCHEMA)?,
        TargetCommand::List { json: true } => {
            let known = known(world)?;
            let list: Vec<Value> = known.all().map(|target| data::of(&known, target)).collect();
            output::json(&json!({"version": 1, "targets": list}))?;
        }
        TargetCommand::List { json: false } => output::data(&text::list(&known(world)?))?,
        TargetCommand::Show { name, json } => {
            let known = known(world)?;
            let target = known.find(name).ok_or_else(|| no_such_target(&known))?;
            if *json {
                let mut value = data::of(&known, target);
                if let Some(object) = value.as_object_mut() {
                    object.insert("version".to_owned(), json!(1));
                }
                output::json(&value)?;
            } else {
                output::data(&text::of(&known, target))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Without a home folder there are no targets of one's own.
fn known(world: &World) -> Result<Targets, Failure> {
    match Home::find(&world.environment) {
        Ok(home) => Ok(Targets::load(&home)?),
        Err(_) => Ok(Targets::built_in()),
    }
}

/// Where files of one's own belong.
fn path(world: &World) -> Result<(), Failure> {
    let place = targets::place(&Home::find(&world.environment)?);
    output::data(&format!("{}\n", place.display()))?;
    if !place.exists() {
        output::say(
            "this folder is not there yet: make it for yourself alone (chmod 700), and put NAME.toml into it",
        );
    }
    Ok(())
}

/// Judges a file, wherever it lies, and says what it was understood to be.
fn check(file: &Path, as_json: bool) -> Result<(), Failure> {
    let known = Targets::with_file(file)?;
    if as_json {
        let list: Vec<Value> = known.own().map(|target| data::of(&known, target)).collect();
        return output::json(&json!({"version": 1, "targets": list}));
    }
    let sheets: Vec<String> = known.own().map(|target| text::of(&known, target)).collect();
    output::data(&sheets.join("\n"))?;
    for target in known.own().filter(|target| targets::is_built_in(&target.name)) {
        output::say(format!(
            "note: {} comes with the program, too; in your folder this one stands in for it",
            target.name
        ));
    }
    let what = match sheets.len() {
        1 => "1 target".to_owned(),
        count => format!("{count} targets"),
    };
    output::say(format!("{}: {what}, nothing is wrong with it", file.display()));
    Ok(())
}

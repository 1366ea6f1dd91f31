//! What became of each part of the client, for people and as data.

use std::fmt::Write as _;

use serde_json::{Value, json};
use snowtoken::core::printable::Printable;
use snowtoken::core::setup::apply::{Fate, Item, Planned};

use crate::output;
use crate::report::Failure;

/// Says on stderr what became of each part, as soon as it is known.
#[derive(Default)]
pub(super) struct Teller {
    told: usize,
}

impl Teller {
    /// Says what is new in the list.
    pub(super) fn tell(&mut self, items: &[Item]) {
        for item in items.iter().skip(self.told) {
            output::say(line(item));
        }
        self.told = items.len();
    }
}

fn line(item: &Item) -> String {
    let what = Printable(&item.what);
    match &item.fate {
        Fate::Made => format!("  made       {what}"),
        Fate::Changed { from, to } => {
            let from = if from.is_empty() { "nothing" } else { from };
            format!("  changed    {what}: {} -> {}", Printable(from), Printable(to))
        }
        Fate::AsItWas(None) => format!("  as it was  {what}"),
        Fate::AsItWas(Some(note)) => format!("  as it was  {what}: {}", Printable(note)),
        Fate::Skipped(why) => format!("  skipped    {what}: {}", Printable(why)),
        Fate::CouldNot { why, who } => {
            format!("  COULD NOT  {what}: {}; {}", Printable(why), Printable(who))
        }
    }
}

/// The parts as data.
pub(super) fn as_json(items: &[Item]) -> Vec<Value> {
    let each = |item: &Item| {
        let (fate, from, to, why) = match &item.fate {
            Fate::Made => ("made", None, None, None),
            Fate::Changed { from, to } => ("changed", Some(from), Some(to), None),
            Fate::AsItWas(note) => ("as-it-was", None, None, note.clone()),
            Fate::Skipped(why) => ("skipped", None, None, Some(why.clone())),
            Fate::CouldNot { why, who } => ("could-not", None, None, Some(format!("{why}; {who}"))),
        };
        json!({"part": item.what, "fate": fate, "from": from, "to": to, "why": why})
    };
    items.iter().map(each).collect()
}

/// How many parts could not be done.
pub(super) fn left_over(items: &[Item]) -> usize {
    items.iter().filter(|item| matches!(item.fate, Fate::CouldNot { .. })).count()
}

/// The requests of a dry run on stdout: as text, or as data.
pub(super) fn planned(
    planned: &[Planned],
    items: &[Item],
    instance: &str,
    as_data: bool,
) -> Result<(), Failure> {
    if as_data {
        let each =
            |one: &Planned| json!({"method": one.method, "path": one.path, "body": one.body});
        return output::json(&json!({
            "version": 1,
            "instance": instance,
            "requests": planned.iter().map(each).collect::<Vec<_>>(),
            "parts": as_json(items),
        }));
    }
    let mut text = String::new();
    for one in planned {
        let body = Value::Object(one.body.clone());
        let _ = writeln!(text, "{} {}\nAuthorization: ********\n{body:#}\n", one.method, one.path);
    }
    output::data(&text)?;
    let requests = match planned.len() {
        1 => "1 request".to_owned(),
        count => format!("{count} requests"),
    };
    output::say(format!("{requests} would write to {instance}; only reading calls were sent"));
    Ok(())
}

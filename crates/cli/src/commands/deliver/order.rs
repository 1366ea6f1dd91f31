//! What was asked for, from what was typed.

use std::path::PathBuf;

use snowtoken::Session;
use snowtoken::core::diagnosis::{Code, Hint};
use snowtoken::core::printable::Printable;
use snowtoken::core::target::Target;
use snowtoken::delivery::follow::read_template;
use snowtoken::delivery::{Credentials, Format, Order, Piece};

use super::destination::absolute;
use crate::args::DeliverArgs;
use crate::report::Failure;

pub(super) fn of(
    args: &DeliverArgs,
    credentials: &Credentials<'_>,
    target: &Target,
) -> Result<Order, Failure> {
    let mut order = Order::of(args.format);
    order.name.clone_from(&args.name);
    order.place.clone_from(&args.to);
    if let Some(label) = &args.field {
        order.format = Format::Field;
        order.field = Some(field(label, credentials, target)?);
    } else if let Some(path) = &args.template {
        order.format = Format::Template;
        order.template = Some(read_template(path)?);
    }
    order.variant = args.variant.as_deref().map(|word| variant(order.format, word)).transpose()?;
    Ok(order)
}

/// The same where the client is all that there is.
pub(super) fn of_client(args: &DeliverArgs) -> Result<Order, Failure> {
    let mut order = Order::of(args.format);
    order.name.clone_from(&args.name);
    order.variant = args.variant.as_deref().map(|word| variant(order.format, word)).transpose()?;
    Ok(order)
}

/// Codes are not stored. Whoever asks for one is told where they come from, whatever else is missing.
pub(super) fn refuse_code(session: &Session, args: &DeliverArgs) -> Result<(), Failure> {
    let (Format::Appflow, Some(word)) = (args.format, &args.variant) else { return Ok(()) };
    let variant = Some(variant(args.format, word)?);
    let order = Order { variant, ..Order::of(args.format) };
    if !order.is_for_code() {
        return Ok(());
    }
    let name = &session.profile().name;
    let record = session.store().load(name)?;
    let credentials = Credentials {
        profile: session.profile(),
        client_secret: None,
        tokens: record.as_ref().map(|record| &record.tokens),
        fresh_code: None,
        created: session.now(),
    };
    credentials.render(&order).map_err(|unfit| Failure::from(unfit).about(name)).map(drop)
}

/// Where the template is, for whoever reads it again later.
pub(super) fn template_path(args: &DeliverArgs) -> Result<Option<String>, Failure> {
    let path = args.template.as_deref().map(absolute).transpose()?;
    Ok(path.map(|path: PathBuf| path.display().to_string()))
}

fn variant(format: Format, word: &str) -> Result<&'static str, Failure> {
    let long = if word == "code" { "create-code" } else { word };
    format.variant(long).ok_or_else(|| {
        let ways = format.variants();
        let text = if ways.is_empty() {
            format!("{} comes in one way only: leave --variant out", format.as_str())
        } else {
            let word = Printable(word);
            format!("{} has no variant \"{word}\"; it has {}", format.as_str(), ways.join(", "))
        };
        Failure::told(Code::Usage, text)
    })
}

/// A label of the target's form, or the name that templates have for a value.
fn field(label: &str, credentials: &Credentials<'_>, target: &Target) -> Result<Piece, Failure> {
    let is_it = |own: &str| own.eq_ignore_ascii_case(label.trim().trim_end_matches(':'));
    if let Some(field) = target.fields.iter().find(|field| is_it(&field.label)) {
        return credentials.piece_for(&field.value, target).ok_or_else(|| {
            let text = format!("{} is no part of the tokens, and not stored here", field.label);
            Failure::told(Code::DeliveryIncomplete, text)
        });
    }
    let named = Piece::ALL.into_iter().find(|(_, name, words)| is_it(name) || is_it(words));
    named.map(|(piece, ..)| piece).ok_or_else(|| {
        let labels: Vec<&str> = target.fields.iter().map(|field| field.label.as_str()).collect();
        let text = format!("there is no field \"{}\"", Printable(label));
        let all = Piece::ALL.map(|(_, name, _)| name).join(", ");
        Failure::told(Code::Usage, text)
            .with_hint(Hint::note(format!("{} has: {}", target.title, labels.join(", "))))
            .with_hint(Hint::note(format!("by their names in templates: {all}")))
    })
}

//! The three forms of a checklist.

mod html;
mod markdown;
mod text;

pub(super) use html::html;
pub(super) use markdown::markdown;
pub(super) use text::text;

use super::{Known, Link, Value};

/// What stands behind a link that nobody has seen work.
const INFERRED: &str = "inferred, not tried";

fn remark(link: &Link) -> Option<&'static str> {
    (link.known == Known::Inferred).then_some(INFERRED)
}

/// The values of a step, field by field.
fn by_field(values: &[Value]) -> impl Iterator<Item = (&str, &[Value])> {
    values.chunk_by(|one, next| one.field == next.field).map(|same| {
        let field = same.first().map_or("", |value| value.field.as_str());
        (field, same)
    })
}

//! A form, label by label: what a person has to see to fill it in, and no secret.

use std::fmt::Write as _;

use snowtoken_core::target::{Target, Value};

use super::text::Text;
use super::{Credentials, Piece};

/// Fewer characters than this are not shown in part.
const LONG_ENOUGH: usize = 16;

/// A field of the target's form.
#[derive(Debug, Clone)]
pub struct FormField {
    /// Its label.
    pub label: String,
    /// What belongs into it; `None` for what is not ours to know.
    pub piece: Option<Piece>,
    /// What a person is shown: the value itself where it is no secret, its length and its last four
    /// characters where it is one.
    pub shown: String,
    /// Whether there is a value to copy.
    pub is_there: bool,
}

impl Credentials<'_> {
    /// The fields of the target's form in its order.
    pub fn form(&self, target: &Target) -> Vec<FormField> {
        target
            .fields
            .iter()
            .map(|field| {
                let label = field.label.clone();
                let piece = self.piece_for(&field.value, target);
                let value = piece.and_then(|piece| self.piece(piece));
                let shown = match (&field.value, piece, &value) {
                    (Value::Fixed(text), ..) => text.clone(),
                    (_, Some(piece), Some(value)) => self.shown(piece, value),
                    (_, Some(_), None) => "(there is none)".to_owned(),
                    (_, None, _) => "(yours to know: it is no part of the tokens)".to_owned(),
                };
                FormField { label, piece, shown, is_there: value.is_some() }
            })
            .collect()
    }

    /// A fresh code goes before a used one.
    pub fn piece_for(&self, value: &Value, target: &Target) -> Option<Piece> {
        match Piece::of_field(value, target) {
            Some(Piece::UsedCode) if self.fresh_code.is_some() => Some(Piece::FreshCode),
            other => other,
        }
    }

    fn shown(&self, piece: Piece, value: &str) -> String {
        if !piece.is_secret() {
            return value.to_owned();
        }
        let count = value.chars().count();
        let mut shown = format!("{count} characters");
        if count >= LONG_ENOUGH {
            let last: String = value.chars().skip(count - 4).collect();
            let _ = write!(shown, ", ends with {last}");
        }
        if let (Piece::UsedCode, Some(tokens)) = (piece, self.tokens) {
            let used = super::moment(tokens.granted_at);
            let _ = write!(shown, ", USED {used}: nobody can use it again");
        }
        shown
    }
}

/// The form as text, with the way to each value.
pub(super) fn text(credentials: &Credentials<'_>, target: &Target) -> Text {
    let mut text = Text::new();
    let profile = &credentials.profile.name;
    text.say(format_args!("{}\n", target.title));
    for field in credentials.form(target) {
        text.say(format_args!("\n{}: {}\n", field.label, field.shown));
        if field.is_there {
            text.say(format_args!("  snowtoken deliver {profile} --field '{}'\n", field.label));
        }
    }
    text
}

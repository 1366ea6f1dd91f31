//! A person's own template: text with `{{name}}` or `{{name|filter}}` in it. Nothing is computed and
//! nothing is run; a name nobody knows is an error before anything is written.

use std::fmt;

use snowtoken_core::printable::Printable;

use super::piece::Piece;
use super::text::Text;
use super::{Credentials, Unfit};

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filter {
    Raw,
    Json,
    Shell,
    Sql,
    Snowflake,
    Base64,
    Url,
}

impl Filter {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Json, "json"),
        (Self::Shell, "shell"),
        (Self::Sql, "sql"),
        (Self::Snowflake, "snowflake"),
        (Self::Base64, "base64"),
        (Self::Url, "url"),
    ];
}

#[derive(Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(Piece, Filter),
}

/// A template that was read.
#[derive(Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What people write around their secrets is their own business.
        write!(f, "Template({} parts)", self.parts.len())
    }
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// `{{` without `}}`.
    #[error("line {0} of the template: `{{{{` is not closed by `}}}}` on the same line")]
    Open(usize),
    /// A name that stands for nothing.
    #[error("line {line} of the template: there is no value \"{}\"", Printable(.name))]
    Unknown {
        /// Where.
        line: usize,
        /// What stands there.
        name: String,
    },
    /// A filter nobody knows.
    #[error("line {line} of the template: there is no filter \"{}\"", Printable(.name))]
    UnknownFilter {
        /// Where.
        line: usize,
        /// What stands there.
        name: String,
    },
    /// Nothing in it would be replaced.
    #[error("the template has no `{{{{name}}}}` in it")]
    Nothing,
}

impl Template {
    /// Reads a template. `\{{` stands for `{{` itself.
    ///
    /// # Errors
    /// See [`TemplateError`].
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("{{") {
            let (before, behind) = (&rest[..at], &rest[at + 2..]);
            if let Some(before) = before.strip_suffix('\\') {
                plain.push_str(before);
                plain.push_str("{{");
                rest = behind;
                continue;
            }
            plain.push_str(before);
            let line = 1 + text[..text.len() - behind.len()].matches('\n').count();
            let end = behind.find("}}").ok_or(TemplateError::Open(line))?;
            let inside = &behind[..end];
            if inside.contains('\n') {
                return Err(TemplateError::Open(line));
            }
            parts.push(Part::Text(std::mem::take(&mut plain)));
            parts.push(value(inside, line)?);
            rest = &behind[end + 2..];
        }
        if parts.is_empty() {
            return Err(TemplateError::Nothing);
        }
        plain.push_str(rest);
        parts.push(Part::Text(plain));
        Ok(Self { parts })
    }

    /// The values in it, each once.
    pub(super) fn pieces(&self) -> Vec<Piece> {
        let mut found = Vec::new();
        for part in &self.parts {
            match part {
                Part::Value(piece, _) if !found.contains(piece) => found.push(*piece),
                _ => {}
            }
        }
        found
    }

    pub(super) fn render(&self, credentials: &Credentials<'_>) -> Result<Text, Unfit> {
        let mut text = Text::new();
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push(plain),
                Part::Value(piece, filter) => {
                    let value = credentials.need(*piece)?;
                    match filter {
                        Filter::Raw => text.push(&value),
                        Filter::Json => text.json(&value),
                        Filter::Shell => text.shell(&value),
                        Filter::Sql => text.sql(&value),
                        Filter::Snowflake => text.snowflake(&value),
                        Filter::Base64 => text.base64(&value),
                        Filter::Url => text.url(&value),
                    }
                }
            }
        }
        Ok(text)
    }
}

fn value(inside: &str, line: usize) -> Result<Part, TemplateError> {
    let (name, filter) = match inside.split_once('|') {
        Some((name, filter)) => (name.trim(), Some(filter.trim())),
        None => (inside.trim(), None),
    };
    let unknown = || TemplateError::Unknown { line, name: name.to_owned() };
    let piece = Piece::find(name).ok_or_else(unknown)?;
    let Some(word) = filter else { return Ok(Part::Value(piece, Filter::Raw)) };
    let found = Filter::ALL.iter().find(|(_, own)| *own == word);
    let unknown = || TemplateError::UnknownFilter { line, name: word.to_owned() };
    found.map(|(filter, _)| Part::Value(piece, *filter)).ok_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_template_is_told_with_its_line() {
        for (text, expected) in [
            (
                "a\n{{ access_tokens }}",
                "line 2 of the template: there is no value \"access_tokens\"",
            ),
            ("{{access_token|html}}", "line 1 of the template: there is no filter \"html\""),
            (
                "{{access_token|json|url}}",
                "line 1 of the template: there is no filter \"json|url\"",
            ),
            (
                "\n\n{{access_token",
                "line 3 of the template: `{{` is not closed by `}}` on the same line",
            ),
            (
                "{{access_token\n}}",
                "line 1 of the template: `{{` is not closed by `}}` on the same line",
            ),
            ("{{}}", "line 1 of the template: there is no value \"\""),
            ("plain", "the template has no `{{name}}` in it"),
            (r"\{{access_token}}", "the template has no `{{name}}` in it"),
            ("", "the template has no `{{name}}` in it"),
        ] {
            assert_eq!(Template::parse(text).unwrap_err().to_string(), expected, "{text:?}");
        }
    }

    #[test]
    fn every_value_and_every_filter_can_be_named() {
        for (piece, name, _) in Piece::ALL {
            let template = Template::parse(&format!("x{{{{ {name} }}}}y")).unwrap();
            assert_eq!(template.pieces(), [piece]);
            for (_, filter) in Filter::ALL {
                assert!(Template::parse(&format!("{{{{{name} | {filter}}}}}")).is_ok());
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_template_or_an_error(text in "[\\\\{}|a-z_\\n é]{0,40}") {
            let _ = Template::parse(&text);
        }
    }
}

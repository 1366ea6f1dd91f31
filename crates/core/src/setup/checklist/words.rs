//! Sentences with a little emphasis, safe to show whoever wrote them.

use crate::printable::Printable;

/// A piece of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// As it is.
    Plain(String),
    /// What stands on the screen of the instance.
    Strong(String),
    /// What is typed, or a value.
    Code(String),
}

/// A sentence or several.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words(pub Vec<Span>);

impl From<&'static str> for Words {
    /// Our own text: `**strong**` and code in backticks. Foreign text never comes this way.
    fn from(markup: &'static str) -> Self {
        let mut spans = Vec::new();
        for (index, outer) in markup.split('`').enumerate() {
            if index % 2 == 1 {
                spans.push(Span::Code(outer.to_owned()));
                continue;
            }
            for (index, inner) in outer.split("**").enumerate() {
                match (inner, index % 2) {
                    ("", _) => {}
                    (inner, 1) => spans.push(Span::Strong(inner.to_owned())),
                    (inner, _) => spans.push(Span::Plain(inner.to_owned())),
                }
            }
        }
        Self(spans)
    }
}

impl Words {
    /// Text that somebody else wrote.
    pub(super) fn foreign(text: &str) -> Self {
        Self(vec![Span::Plain(text.to_owned())])
    }

    /// With a value behind it.
    pub(super) fn code(mut self, value: &str) -> Self {
        self.0.push(Span::Code(value.to_owned()));
        self
    }

    /// With more of our own behind it.
    pub(super) fn and(mut self, markup: &'static str) -> Self {
        self.0.extend(Self::from(markup).0);
        self
    }

    /// With somebody else's text behind it.
    pub(super) fn plain(mut self, text: &str) -> Self {
        self.0.push(Span::Plain(text.to_owned()));
        self
    }
}

/// Foreign text on one line, whole: what a terminal, an editor or a page would act upon is spelt out.
pub(super) fn safe(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        // The longest piece that is never cut.
        let end = rest.char_indices().nth(150).map_or(rest.len(), |(at, _)| at);
        let (piece, more) = rest.split_at(end);
        shown.push_str(&Printable(piece).to_string());
        rest = more;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_marks_are_read() {
        let words = Words::from("Press **New**, then type `a**b`.").and(" **Save**");
        let expected = [
            Span::Plain("Press ".into()),
            Span::Strong("New".into()),
            Span::Plain(", then type ".into()),
            Span::Code("a**b".into()),
            Span::Plain(".".into()),
            Span::Plain(" ".into()),
            Span::Strong("Save".into()),
        ];
        assert_eq!(words.0, expected);
    }

    #[test]
    fn foreign_text_is_shown_whole_on_one_line() {
        assert_eq!(safe(&"é\n".repeat(200)), "é\\u{a}".repeat(200));
    }
}

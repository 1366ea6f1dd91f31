//! JSON documents as trees of borrowed values, so that no secret is copied on the way to the text.

use std::borrow::Cow;

use super::text::Text;

/// A value of RFC 8259.
pub(super) enum Node<'a> {
    Text(Cow<'a, str>),
    Number(i64),
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
    List(Vec<Node<'a>>),
}

impl<'a> Node<'a> {
    pub(super) fn text(value: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(value.into())
    }

    /// An object with these members in this order.
    pub(super) fn object<const N: usize>(members: [(&'a str, Self); N]) -> Self {
        Self::Object(members.into_iter().map(|(name, node)| (name.into(), node)).collect())
    }

    /// An object whose members are texts.
    pub(super) fn texts(members: impl IntoIterator<Item = (&'a str, Cow<'a, str>)>) -> Self {
        let members = members.into_iter();
        Self::Object(members.map(|(name, value)| (name.into(), Self::Text(value))).collect())
    }

    /// Adds a member at the end of an object.
    pub(super) fn add(&mut self, name: impl Into<Cow<'a, str>>, node: Self) {
        if let Self::Object(members) = self {
            members.push((name.into(), node));
        }
    }

    /// One member a line, and a line break at the end.
    pub(super) fn document(&self, text: &mut Text) {
        self.write(text, 0);
        text.push("\n");
    }

    fn write(&self, text: &mut Text, depth: usize) {
        match self {
            Self::Text(value) => text.json(value),
            Self::Number(number) => text.say(format_args!("{number}")),
            Self::Object(members) if members.is_empty() => text.push("{}"),
            Self::List(items) if items.is_empty() => text.push("[]"),
            Self::Object(members) => {
                for (index, (name, node)) in members.iter().enumerate() {
                    begin_line(text, if index == 0 { "{" } else { "," }, depth + 1);
                    text.json(name);
                    text.push(": ");
                    node.write(text, depth + 1);
                }
                begin_line(text, "", depth);
                text.push("}");
            }
            Self::List(items) => {
                for (index, node) in items.iter().enumerate() {
                    begin_line(text, if index == 0 { "[" } else { "," }, depth + 1);
                    node.write(text, depth + 1);
                }
                begin_line(text, "", depth);
                text.push("]");
            }
        }
    }
}

fn begin_line(text: &mut Text, mark: &str, depth: usize) {
    text.push(mark);
    text.push("\n");
    for _ in 0..depth {
        text.push("  ");
    }
}

//! 1Password: the item that `op item create -` reads from its standard input.

use std::borrow::Cow;

use super::tree::Node;
use super::{Credentials, Order, Piece, Unfit, names};

pub(super) fn item<'a>(credentials: &Credentials<'a>, order: &'a Order) -> Result<Node<'a>, Unfit> {
    let title = names::name(order, credentials, &names::ONE_PASSWORD)?;
    let mut fields: Vec<Node<'a>> = credentials.five().into_iter().map(field).collect();
    if let Some(end) = credentials.piece(Piece::RefreshTokenEnd) {
        fields.push(field((Piece::RefreshTokenEnd, end)));
    }
    Ok(Node::object([
        ("title", Node::text(title)),
        ("category", Node::text("API_CREDENTIAL")),
        ("fields", Node::List(fields)),
    ]))
}

fn field((piece, value): (Piece, Cow<'_, str>)) -> Node<'_> {
    let kind = if piece.is_secret() { "CONCEALED" } else { "STRING" };
    Node::texts([
        ("id", piece.camel().into()),
        ("label", piece.words().into()),
        ("type", kind.into()),
        ("value", value),
    ])
}

//! One object with everything, for programs.

use super::tree::Node;
use super::{Credentials, Piece, Unfit, moment};

pub(super) fn document<'a>(credentials: &Credentials<'a>) -> Result<Node<'a>, Unfit> {
    let mut node = Node::object([("version", Node::Number(1))]);
    let tokens = credentials.held()?;
    for (piece, value) in credentials.five() {
        node.add(piece.name(), Node::Text(value));
    }
    if let Some(code) = credentials.piece(Piece::UsedCode) {
        node.add("auth_code", Node::Text(code));
        node.add("auth_code_used_at", Node::text(moment(tokens.granted_at)));
    }
    node.add("token_type", Node::text("Bearer"));
    for piece in [Piece::Scope, Piece::AccessTokenEnd, Piece::RefreshTokenEnd] {
        if let Some(value) = credentials.piece(piece) {
            node.add(piece.name(), Node::Text(value));
        }
    }
    if let Some(end) = tokens.refresh_expires_at {
        node.add("refresh_token_expiry_known_by", Node::text(end.known_by.as_str()));
    }
    Ok(node)
}

//! A flat object of texts, as secret stores hold it: AWS Secrets Manager, Vault, Docker, systemd.

use super::tree::Node;
use super::{Credentials, Order, Piece, Unfit};

/// What is known, by names that do not belong to any product.
pub(super) fn neutral<'a>(credentials: &Credentials<'a>) -> Node<'a> {
    let pieces = [
        Piece::INSTANCE,
        Piece::TokenUrl,
        Piece::ClientId,
        Piece::ClientSecret,
        Piece::AccessToken,
        Piece::RefreshToken,
        Piece::Scope,
        Piece::AccessTokenEnd,
        Piece::RefreshTokenEnd,
    ];
    let known = pieces.into_iter();
    Node::texts(known.filter_map(|piece| Some((piece.camel(), credentials.piece(piece)?))))
}

/// The secret of AWS Secrets Manager that one of Amazon's products reads.
pub(super) fn aws<'a>(credentials: &Credentials<'a>, order: &Order) -> Result<Node<'a>, Unfit> {
    let id_and_secret = || {
        Ok::<_, Unfit>([
            ("clientId", credentials.need(Piece::ClientId)?),
            ("clientSecret", credentials.need(Piece::ClientSecret)?),
        ])
    };
    match order.variant() {
        "bedrock" => {
            let mut node = Node::texts(id_and_secret()?);
            let instance = credentials.need(Piece::INSTANCE)?;
            node.add("instanceUrl", Node::Text(instance));
            Ok(node)
        }
        "glue" => Ok(Node::texts([(
            "USER_MANAGED_CLIENT_APPLICATION_CLIENT_SECRET",
            credentials.need(Piece::ClientSecret)?,
        )])),
        "kendra" => Err(Unfit::NotOurs {
            who: "Amazon Kendra",
            what: "a user's name and password beside client ID and client secret \
                   (keys `username`, `password`, `clientId`, `clientSecret`)",
        }),
        _ => Ok(neutral(credentials)),
    }
}

/// HashiCorp Vault: what `vault kv put` reads from its standard input, or the body of the request.
pub(super) fn vault<'a>(credentials: &Credentials<'a>, order: &Order) -> Node<'a> {
    let data = neutral(credentials);
    match order.variant() {
        // Check and set: version 0 is "only if nothing is there".
        "http-create" => {
            Node::object([("options", Node::object([("cas", Node::Number(0))])), ("data", data)])
        }
        "http-replace" => Node::object([("data", data)]),
        _ => data,
    }
}

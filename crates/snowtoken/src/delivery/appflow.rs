//! Amazon AppFlow: what `aws appflow create-connector-profile --cli-input-json` takes, and
//! `update-connector-profile`. The type is spelt `Servicenow`, the members `ServiceNow`.
//!
//! Tokens and a code are two different things to hand over: a code is exchanged by AppFlow itself,
//! so it must be fresh, with the redirect URI and the code verifier it was asked for with.

use super::tree::Node;
use super::{Credentials, Order, Piece, Unfit, names};

pub(super) fn document<'a>(
    credentials: &Credentials<'a>,
    order: &'a Order,
) -> Result<Node<'a>, Unfit> {
    let variant = order.variant();
    let name = names::name(order, credentials, &names::APPFLOW)?;
    let instance = credentials.need(Piece::INSTANCE)?;
    let mut document = Node::object([("connectorProfileName", Node::text(name))]);
    if variant.starts_with("create") {
        document.add("connectorType", Node::text("Servicenow"));
    }
    document.add("connectionMode", Node::text("Public"));
    let properties = Node::texts([("instanceUrl", instance)]);
    let secrets = Node::object([("oAuth2Credentials", grant(credentials, variant)?)]);
    document.add(
        "connectorProfileConfig",
        Node::object([
            ("connectorProfileProperties", Node::object([("ServiceNow", properties)])),
            ("connectorProfileCredentials", Node::object([("ServiceNow", secrets)])),
        ]),
    );
    Ok(document)
}

fn grant<'a>(credentials: &Credentials<'a>, variant: &str) -> Result<Node<'a>, Unfit> {
    let mut members = Node::texts([
        ("clientId", credentials.need(Piece::ClientId)?),
        ("clientSecret", credentials.need(Piece::ClientSecret)?),
    ]);
    let redirect_uri = credentials.need(Piece::RedirectUri)?;
    if !variant.ends_with("code") {
        members.add("accessToken", Node::Text(credentials.need(Piece::AccessToken)?));
        members.add("refreshToken", Node::Text(credentials.need(Piece::RefreshToken)?));
        members.add("oAuthRequest", Node::texts([("redirectUri", redirect_uri)]));
        return Ok(members);
    }
    let mut request = Node::texts([
        ("authCode", credentials.need(Piece::FreshCode)?),
        ("redirectUri", redirect_uri),
    ]);
    if let Some(verifier) = credentials.piece(Piece::CodeVerifier) {
        request.add("codeVerifier", Node::Text(verifier));
    }
    members.add("oAuthRequest", request);
    Ok(members)
}

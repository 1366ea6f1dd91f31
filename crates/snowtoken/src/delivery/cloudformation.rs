//! AWS CloudFormation, `AWS::AppFlow::ConnectorProfile`: a template without secrets, whose secrets are
//! parameters that nobody is shown (`NoEcho`) or lie in Secrets Manager; and the file of parameters.

use super::tree::Node;
use super::{Credentials, Order, Piece, Unfit, names};

/// The secrets, by the names of their parameters.
const SECRETS: [(&str, Piece, i64); 4] = [
    ("ClientId", Piece::ClientId, 512),
    ("ClientSecret", Piece::ClientSecret, 512),
    ("AccessToken", Piece::AccessToken, 4096),
    ("RefreshToken", Piece::RefreshToken, 4096),
];

pub(super) fn document<'a>(
    credentials: &Credentials<'a>,
    order: &'a Order,
) -> Result<Node<'a>, Unfit> {
    match order.variant() {
        "parameters" => parameters(credentials),
        variant => template(credentials, order, variant == "dynamic"),
    }
}

fn parameters<'a>(credentials: &Credentials<'a>) -> Result<Node<'a>, Unfit> {
    let one = |(name, piece, _): (&'static str, Piece, i64)| {
        let value = credentials.need(piece)?;
        Ok(Node::texts([("ParameterKey", name.into()), ("ParameterValue", value)]))
    };
    Ok(Node::List(SECRETS.into_iter().map(one).collect::<Result<_, Unfit>>()?))
}

fn template<'a>(
    credentials: &Credentials<'a>,
    order: &'a Order,
    is_dynamic: bool,
) -> Result<Node<'a>, Unfit> {
    let name = names::name(order, credentials, &names::APPFLOW)?;
    let secret = names::place(order, credentials, &names::AWS_SECRET)?;
    let mut grant = Node::object([]);
    for (parameter, piece, _) in SECRETS {
        grant.add(
            parameter,
            if is_dynamic {
                let key = piece.camel();
                Node::text(format!("{{{{resolve:secretsmanager:{secret}:SecretString:{key}}}}}"))
            } else {
                Node::texts([("Ref", parameter.into())])
            },
        );
    }
    let redirect_uri = credentials.need(Piece::RedirectUri)?;
    grant.add("OAuthRequest", Node::texts([("RedirectUri", redirect_uri)]));
    let instance = credentials.need(Piece::INSTANCE)?;
    let configuration = Node::object([
        (
            "ConnectorProfileProperties",
            Node::object([("ServiceNow", Node::texts([("InstanceUrl", instance)]))]),
        ),
        (
            "ConnectorProfileCredentials",
            Node::object([("ServiceNow", Node::object([("OAuth2Credentials", grant)]))]),
        ),
    ]);
    let properties = Node::object([
        ("ConnectorProfileName", Node::text(name)),
        ("ConnectorType", Node::text("Servicenow")),
        ("ConnectionMode", Node::text("Public")),
        ("ConnectorProfileConfig", configuration),
    ]);
    let resource = Node::object([
        ("Type", Node::text("AWS::AppFlow::ConnectorProfile")),
        ("Properties", properties),
    ]);
    let mut document = Node::object([
        ("AWSTemplateFormatVersion", Node::text("2010-09-09")),
        ("Description", Node::text("A ServiceNow connection of Amazon AppFlow")),
    ]);
    if !is_dynamic {
        document.add("Parameters", declared());
    }
    document.add("Resources", Node::object([("ServiceNow", resource)]));
    Ok(document)
}

fn declared<'a>() -> Node<'a> {
    let mut parameters = Node::object([]);
    for (name, _, longest) in SECRETS {
        let one = Node::object([
            ("Type", Node::text("String")),
            ("NoEcho", Node::text("true")),
            ("MinLength", Node::Number(1)),
            ("MaxLength", Node::Number(longest)),
            ("AllowedPattern", Node::text("\\S+")),
        ]);
        parameters.add(name, one);
    }
    parameters
}

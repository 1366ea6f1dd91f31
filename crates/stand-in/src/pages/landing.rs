//! The front page, and the index of the control port.

use std::fmt::Write as _;

use super::{escape, page};
use crate::model::{Client, User};

/// What this is, who it knows, and what it does differently from its default.
pub(crate) fn landing(
    base: &str,
    clients: &[Client],
    users: &[User],
    changed: &[(&str, &str)],
    seed: u64,
) -> String {
    let mut content = format!(
        "<section class=\"card\">\n<h1>A pretend ServiceNow instance</h1>\n\
         <p>It answers like an instance does when an application asks for OAuth tokens: sign-in, \
         consent, codes, tokens, refresh, revocation and a little of the Table API. It lives on this \
         machine, reaches no other, and forgets everything when it stops.</p>\n\
         <p class=\"soft\">Instance URL <code>{}</code>, seed <code>{seed}</code>. Start it with the \
         same seed to get the same identifiers and tokens again.</p>\n</section>",
        escape(base)
    );
    for client in clients {
        content.push_str(&client_card(client));
    }
    content.push_str(&user_card(users));
    content.push_str(&behaviour_card(changed));
    page("Pretend ServiceNow instance", true, &content)
}

fn client_card(client: &Client) -> String {
    let state = if client.active { "active" } else { "inactive" };
    let kind = if client.public_client { "public" } else { "confidential" };
    let secret = if client.public_client { "none: a public client" } else { &client.client_secret };
    let redirects: Vec<String> =
        client.redirect_urls.iter().map(|url| format!("<code>{}</code>", escape(url))).collect();
    format!(
        "\n<section class=\"card\">\n<h2>Client: {}</h2>\n<dl>\n\
         <dt>Client ID</dt><dd><code>{}</code></dd>\n<dt>Client Secret</dt><dd><code>{}</code></dd>\n\
         <dt>Redirect URLs</dt><dd>{}</dd>\n<dt>Lifespans</dt><dd>access token {} s, refresh token {} s, code {} s</dd>\n\
         <dt>Kind</dt><dd>{kind}, {state}, {}</dd>\n</dl>\n</section>",
        escape(&client.name),
        escape(&client.client_id),
        escape(secret),
        redirects.join("<br>"),
        client.access_token_lifespan,
        client.refresh_token_lifespan,
        client.auth_code_lifespan,
        escape(&client.scope_restriction_status)
    )
}

fn user_card(users: &[User]) -> String {
    let mut rows = String::new();
    for user in users {
        let state = match (user.active, user.locked_out) {
            (false, _) => "inactive",
            (_, true) => "locked out",
            _ if user.password_needs_reset => "needs a new password",
            _ if user.web_service_access_only => "web services only",
            _ => "can sign in",
        };
        let _ = writeln!(
            rows,
            "<tr><td><code>{}</code></td><td><code>{}</code></td><td>{}</td><td>{state}</td></tr>",
            escape(&user.user_name),
            escape(&user.password),
            escape(&user.roles.join(", "))
        );
    }
    format!(
        "\n<section class=\"card\">\n<h2>Users</h2>\n<div class=\"scroll\"><table>\n\
         <tr><th scope=\"col\">User name</th><th scope=\"col\">Password</th><th scope=\"col\">Roles</th>\
         <th scope=\"col\">State</th></tr>\n{rows}</table></div>\n</section>"
    )
}

fn behaviour_card(changed: &[(&str, &str)]) -> String {
    if changed.is_empty() {
        return "\n<section class=\"card\">\n<h2>Behaviour</h2>\n<p>Everything is as a strict, newly \
                built instance does it.</p>\n</section>"
            .to_owned();
    }
    let mut rows = String::new();
    for (name, value) in changed {
        let _ = write!(
            rows,
            "<dt><code>{}</code></dt><dd><code>{}</code></dd>",
            escape(name),
            escape(value)
        );
    }
    format!(
        "\n<section class=\"card\">\n<h2>Behaviour that differs from the default</h2>\n<dl>{rows}</dl>\n</section>"
    )
}

/// What the control port can do; `routes` are method and path, a body, and what it does.
pub(crate) fn control(routes: &[(&str, &str, &str)], url: &str) -> String {
    let mut rows = String::new();
    for (route, body, what) in routes {
        let _ = writeln!(
            rows,
            "<tr><td><code>{}</code></td><td>{}{}</td></tr>",
            escape(route),
            escape(what),
            if body.is_empty() {
                String::new()
            } else {
                format!("<br><code>{}</code>", escape(body))
            }
        );
    }
    let content = format!(
        "<section class=\"card\">\n<h1>Control port of a pretend instance</h1>\n\
         <p>JSON over HTTP for tests. It shows secrets of the pretend instance, refuses requests from \
         web pages, and answers on this machine only.</p>\n\
         <pre><code>curl -d '{{\"advance_seconds\": 1800}}' {}/clock</code></pre>\n</section>\n\
         <section class=\"card\">\n<div class=\"scroll\"><table>\n\
         <tr><th scope=\"col\">Request</th><th scope=\"col\">Effect</th></tr>\n{rows}</table></div>\n</section>",
        escape(url)
    );
    page("Control port", true, &content)
}

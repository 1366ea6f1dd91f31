//! The pages people see. One quiet look, no script, everything escaped.

mod landing;

use std::fmt::Write as _;

use crate::call::Pairs;
use crate::model::User;

pub(crate) use landing::{control, landing};

const STYLE: &str = include_str!("pages/style.css");

/// Text made safe for HTML, in content and in quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(letter),
        }
    }
    safe
}

/// A whole page; `content` is HTML already.
fn page(title: &str, wide: bool, content: &str) -> String {
    let class = if wide { " class=\"wide\"" } else { "" };
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <div class=\"ribbon\"><strong>Pretend instance:</strong> nothing here is real</div>\n\
         <main{class}>\n{content}\n</main>\n</body>\n</html>\n",
        escape(title)
    )
}

fn card(title: &str, content: &str) -> String {
    format!("<section class=\"card\">\n<h1>{}</h1>\n{content}\n</section>", escape(title))
}

/// A page that says one thing.
pub(crate) fn notice(title: &str, text: &str) -> String {
    page(title, false, &card(title, &format!("<p>{}</p>", escape(text))))
}

/// An error page of the authorization endpoint; `text` is what the real instance says.
pub(crate) fn oauth_error(text: &str) -> String {
    let content = format!(
        "<p class=\"problem\" role=\"alert\">{}</p>\n\
         <p class=\"soft\">The application that sent you here hears nothing of this. \
         Close this page and go back to it.</p>",
        escape(text)
    );
    page("OAuth error", false, &card("This request cannot be completed", &content))
}

/// The sign-in page (§1.4).
pub(crate) fn login(users: &[&User], back: &str, user_name: &str, problem: Option<&str>) -> String {
    let problem = problem.map_or_else(String::new, |text| {
        format!("<p class=\"problem\" role=\"alert\">{}</p>\n", escape(text))
    });
    let form = format!(
        "{problem}<form method=\"post\" action=\"/login.do\">\n\
         <input type=\"hidden\" name=\"sys_action\" value=\"sysverb_login\">\n\
         <input type=\"hidden\" name=\"sysparm_goto_url\" value=\"{}\">\n\
         <label for=\"user_name\">User name</label>\n\
         <input type=\"text\" id=\"user_name\" name=\"user_name\" value=\"{}\" \
         autocomplete=\"off\" autocapitalize=\"none\" spellcheck=\"false\" required autofocus>\n\
         <label for=\"user_password\">Password</label>\n\
         <input type=\"password\" id=\"user_password\" name=\"user_password\" \
         autocomplete=\"off\" required>\n\
         <button id=\"sysverb_login\" type=\"submit\">Log in</button>\n</form>",
        escape(back),
        escape(user_name)
    );
    let mut hints = String::new();
    for user in users.iter().filter(|user| user.active && !user.locked_out) {
        let (name, password) = (escape(&user.user_name), escape(&user.password));
        let _ =
            write!(hints, "<tr><td><code>{name}</code></td><td><code>{password}</code></td></tr>");
    }
    let hints = format!(
        "<section class=\"card\">\n<h2>Who can sign in here</h2>\n<div class=\"scroll\"><table>\n\
         <tr><th scope=\"col\">User name</th><th scope=\"col\">Password</th></tr>\n{hints}</table></div>\n\
         <p class=\"soft\">Never type a real password on this page.</p>\n</section>"
    );
    page("Log in", false, &format!("{}\n{hints}", card("Log in", &form)))
}

/// What the consent page shows (§1.5).
pub(crate) struct Consent<'a> {
    pub(crate) application: &'a str,
    pub(crate) user: &'a str,
    pub(crate) scope: &'a str,
    pub(crate) redirect: &'a str,
    pub(crate) ck: &'a str,
    pub(crate) parameters: &'a Pairs,
    pub(crate) allow: &'a str,
    pub(crate) wording: &'a str,
    pub(crate) not_you: &'a str,
}

impl Consent<'_> {
    pub(crate) fn render(&self) -> String {
        let verb = if self.wording == "access" { "access" } else { "connect to" };
        let title = format!("{} would like to {verb} your ServiceNow account", self.application);
        let mut hidden = String::new();
        for (name, value) in self.parameters {
            let _ = writeln!(
                hidden,
                "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
                escape(name),
                escape(value)
            );
        }
        let scopes: String = if self.scope.trim().is_empty() {
            "<p>It asks for no particular scope, so it may do what you may do.</p>".to_owned()
        } else {
            let each = |scope| format!("<li><code>{}</code></li>", escape(scope));
            let list: String = self.scope.split_whitespace().map(each).collect();
            format!("<p>Review the requested permission scope:</p>\n<ul>{list}</ul>")
        };
        let content = format!(
            "<div class=\"who\"><span>Signed in as <strong>{}</strong></span>\
             <a href=\"{}\">Not You?</a></div>\n<h1>{}</h1>\n{scopes}\n\
             <p class=\"soft\">If you allow it, your browser goes back to<br><code>{}</code></p>\n\
             <form method=\"post\" action=\"/oauth_auth.do\">\n{hidden}\
             <input type=\"hidden\" name=\"sysparm_ck\" value=\"{}\">\n\
             <div class=\"buttons\">\n\
             <button class=\"second\" type=\"submit\" name=\"oauth_auth_check_action\" value=\"deny\">Deny</button>\n\
             <button type=\"submit\" name=\"oauth_auth_check_action\" value=\"authorize\">{}</button>\n\
             </div>\n</form>",
            escape(self.user),
            escape(self.not_you),
            escape(&title),
            escape(self.redirect),
            escape(self.ck),
            escape(self.allow)
        );
        page("Allow access", false, &format!("<section class=\"card\">\n{content}\n</section>"))
    }
}

/// A sleeping developer instance; clients look for exactly this title (§4.6).
pub(crate) fn hibernating() -> String {
    let text = "<p>This instance is hibernating. A real one wakes up when its owner signs in at the developer site.</p>";
    page("Instance Hibernating page", false, &card("Your instance is hibernating", text))
}

/// An instance that is waking up or in maintenance (§4.6).
pub(crate) fn offline() -> String {
    notice(
        "Your instance is currently offline",
        "Your instance is currently offline. Try again later.",
    )
}

/// What a sign-on proxy in front of an instance says on every path (§4.2 no. 23).
pub(crate) fn single_sign_on() -> String {
    let text = "<p>Sign in with your organization to continue.</p>\n\
                <form method=\"post\" action=\"/sso\"><button type=\"submit\">Continue</button></form>";
    page("Sign in to your organization", false, &card("Sign in", text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_name_becomes_markup() {
        let hostile = "<script>\"'&";
        assert_eq!(escape(hostile), "&lt;script&gt;&quot;&#39;&amp;");
        assert!(!notice(hostile, hostile).contains("<script>"));
        assert!(!login(&[], hostile, hostile, Some(hostile)).contains("<script>"));
    }
}

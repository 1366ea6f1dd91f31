//! Answers to programs that ask for a credential each time they need one: git's protocol for helpers
//! (gitcredentials, git-credential), and one JSON object as AWS's `credential_process` has it.

use snowtoken_core::token_set::User;
use zeroize::Zeroizing;

use super::text::Text;
use super::tree::Node;
use super::{Credentials, Unfit, moment};

/// What git asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GitQuestion {
    protocol: String,
    host: String,
    /// Whether git takes a scheme with a credential, and not only a user's name and a password.
    takes_authtype: bool,
}

impl GitQuestion {
    /// Reads `key=value` lines up to an empty one. What is not known is left out, as the protocol asks.
    pub fn parse(text: &str) -> Self {
        let mut question = Self::default();
        for (key, value) in
            text.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.split_once('='))
        {
            match key {
                "protocol" => value.clone_into(&mut question.protocol),
                "host" => value.clone_into(&mut question.host),
                "capability[]" if value == "authtype" => question.takes_authtype = true,
                _ => {}
            }
        }
        question
    }

    /// Whether it is about this instance: same scheme, host and port.
    pub fn is_about(&self, instance: &str) -> bool {
        format!("{}://{}", self.protocol, self.host).eq_ignore_ascii_case(instance)
    }
}

/// The answer to git.
pub fn git_answer(
    credentials: &Credentials<'_>,
    user: Option<&User>,
    question: &GitQuestion,
) -> Result<Zeroizing<String>, Unfit> {
    let mut text = Text::new();
    let tokens = credentials.held()?;
    let token = tokens.access_token.expose();
    let end = tokens.access_expires_at.at.as_second();
    if question.takes_authtype {
        text.push("capability[]=authtype\nauthtype=Bearer\ncredential=");
        text.push(token);
        // Other helpers must not keep what lives for half an hour.
        text.say(format_args!("\nephemeral=1\npassword_expiry_utc={end}\n"));
        return Ok(text.finish());
    }
    let name = user.and_then(User::name).filter(|name| !name.contains(char::is_control));
    text.say(format_args!("username={}\npassword=", name.unwrap_or("oauth2")));
    text.push(token);
    // Without the refresh token: git would hand it to every other helper, which may keep it in the
    // clear, and the store here gives a living token whenever git asks.
    text.say(format_args!("\npassword_expiry_utc={end}\n"));
    Ok(text.finish())
}

/// The access token and its end.
pub(super) fn token_json(credentials: &Credentials<'_>) -> Result<Text, Unfit> {
    let tokens = credentials.held()?;
    let mut node = Node::object([
        ("Version", Node::Number(1)),
        ("AccessToken", Node::text(tokens.access_token.expose())),
        ("TokenType", Node::text("Bearer")),
        ("Expiration", Node::text(moment(tokens.access_expires_at.at))),
        ("InstanceUrl", Node::text(credentials.profile.instance.url())),
    ]);
    if let Some(scope) = &tokens.scope {
        node.add("Scope", Node::text(scope.as_str()));
    }
    let mut text = Text::new();
    node.document(&mut text);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_is_answered_for_this_instance_only() {
        let ours = "https://classics.service-now.com";
        let asks = |text: &str| GitQuestion::parse(text).is_about(ours);
        assert!(asks("protocol=https\nhost=classics.service-now.com\npath=a\n\n"));
        assert!(asks("protocol=https\nhost=Classics.Service-Now.com\n"));
        for text in [
            "",
            "protocol=http\nhost=classics.service-now.com\n",
            "protocol=https\nhost=classics.service-now.com:444\n",
            "protocol=https\nhost=classics.service-now.com.evil.example\n",
            "protocol=https\n\nhost=classics.service-now.com\n",
            "host=classics.service-now.com\n",
        ] {
            assert!(!asks(text), "{text:?}");
        }
        assert!(GitQuestion::parse("capability[]=authtype\ncapability[]=state\n").takes_authtype);
    }
}

//! A client that was prepared for a product which gets its tokens itself: what is handed over is
//! exactly what the product's form asks for, and no token.

use jiff::Timestamp;
use snowtoken_core::diagnosis::{Code, Diagnose, Hint};
use snowtoken_core::oauth::Scope;
use snowtoken_core::oauth::redirect::RedirectUri;
use snowtoken_core::printable::Printable;
use snowtoken_core::profile::Profile;
use snowtoken_core::secret::Secret;
use snowtoken_core::servicenow::{ApiError, judge, read_current_user};
use snowtoken_core::target::{Field, Fit, Target, Value};
use zeroize::Zeroizing;

use crate::delivery::text::Text;
use crate::delivery::{Format, moment};
use crate::error::Error;
use crate::http::ATTEMPT_LIMIT;
use crate::world::World;

/// A profile whose tokens are the product's business.
#[derive(Debug, Clone, Copy)]
pub struct Prepared<'a> {
    /// Instance, client, redirect URI.
    pub profile: &'a Profile,
    /// The product.
    pub target: &'a Target,
    /// Absent for public clients.
    pub client_secret: Option<&'a Secret>,
}

/// Whether the instance answers as an instance does. Nothing that belongs to anybody is sent: a
/// call without a token worth the name is refused by one that is awake.
///
/// # Errors
/// If it cannot be reached, sleeps, or answers by something else than its API.
pub fn awake(world: &World, profile: &Profile) -> Result<(), Error> {
    let request = read_current_user(&profile.instance, &Secret::new("none"));
    let answer = world.transport.send(request, ATTEMPT_LIMIT)?;
    match judge(&answer) {
        Err(
            error @ (ApiError::Page { .. }
            | ApiError::Unavailable(_)
            | ApiError::RateLimited
            | ApiError::Unexpected { .. }),
        ) => Err(error.into()),
        _ => Ok(()),
    }
}

/// Why a prepared client cannot be handed over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PreparedError {
    /// The form asks for something that is not known.
    #[error("{title} asks for \"{label}\", and {what} is not known here")]
    Missing {
        /// The product.
        title: String,
        /// The label of its field.
        label: String,
        /// What belongs there.
        what: &'static str,
    },
    /// A form has one line for each value.
    #[error("what belongs into \"{0}\" holds a line break, which no form can take")]
    LineBreak(String),
    /// The form has no such field.
    #[error("the form of {title} has no field \"{}\"", Printable(.label))]
    NoField {
        /// The product.
        title: String,
        /// What was asked for.
        label: String,
        /// What there is.
        labels: Vec<String>,
    },
    /// Only the person knows what belongs there.
    #[error("what belongs into \"{0}\" is not stored here: you type it there")]
    Typed(String),
    /// The shape is for tokens.
    #[error("{0} is a shape for tokens, and this product gets its tokens itself")]
    Shape(&'static str),
}

impl Diagnose for PreparedError {
    fn code(&self) -> Code {
        match self {
            Self::Missing { .. } => Code::SettingMissing,
            Self::LineBreak(_) | Self::Shape(_) => Code::DeliveryUnfit,
            Self::NoField { .. } => Code::Usage,
            Self::Typed(_) => Code::DeliveryIncomplete,
        }
    }

    fn hints(&self) -> Vec<Hint> {
        match self {
            Self::Missing { what, .. } => vec![match *what {
                "the client secret" => Hint::run(
                    "snowtoken profile add",
                    "with --replace and --client-secret-file FILE",
                ),
                "the redirect URI" => Hint::run(
                    "snowtoken profile set",
                    "with --redirect-uri URL, as the product shows it",
                ),
                _ => Hint::run("snowtoken profile set", "gives it"),
            }],
            Self::LineBreak(_) => self.code().entry().hints(),
            Self::NoField { labels, .. } => {
                vec![Hint::note(format!("its fields are: {}", labels.join(", ")))]
            }
            // There is nothing here that would bring it.
            Self::Typed(_) => Vec::new(),
            Self::Shape(_) => {
                vec![
                    Hint::set("--format", "credentials-file or json holds the fields of its form"),
                    Hint::run("snowtoken target show", "lists the shapes that fit it"),
                ]
            }
        }
    }
}

impl<'a> Prepared<'a> {
    /// The text; `created` is what it says about its own age.
    ///
    /// # Errors
    /// If something that the form asks for is not known, or the shape is one for tokens.
    pub fn render(
        &self,
        format: Format,
        created: Timestamp,
    ) -> Result<Zeroizing<String>, PreparedError> {
        let fields = self.fields()?;
        match format {
            Format::CredentialsFile => Ok(self.lines(&fields, created)),
            Format::Json => Ok(self.json(&fields)),
            other => Err(PreparedError::Shape(other.as_str())),
        }
    }

    /// What belongs into one field of the form, found by its label or by its name in JSON.
    ///
    /// # Errors
    /// If there is no such field, or what belongs there is not known.
    pub fn value(&self, label: &str) -> Result<Zeroizing<String>, PreparedError> {
        let wanted = label.trim().trim_end_matches(':');
        let is_it = |field: &&Field| {
            field.label.eq_ignore_ascii_case(wanted) || field.value.word() == wanted
        };
        let fields = &self.target.fields;
        let field = fields.iter().find(is_it).ok_or_else(|| PreparedError::NoField {
            title: self.target.title.clone(),
            label: label.to_owned(),
            labels: fields.iter().map(|field| field.label.clone()).collect(),
        })?;
        self.filled(field)?.ok_or_else(|| PreparedError::Typed(field.label.clone()))
    }

    /// What the product may refuse, or will not work. Nothing secret is in it.
    pub fn concerns(&self) -> Vec<String> {
        let title = &self.target.title;
        let mut concerns = Vec::new();
        let limits = &self.target.limits;
        for Field { label, value } in &self.target.fields {
            let Some(text) = self.text(value) else { continue };
            if let Some(limit) = limits.of(value).filter(|limit| text.chars().count() > *limit) {
                concerns.push(format!(
                    "\"{label}\" has {} characters; {title} takes {limit}",
                    text.chars().count()
                ));
            }
            if limits.no_white_space && text.contains(char::is_whitespace) {
                concerns.push(format!("\"{label}\" holds blanks, which {title} may refuse"));
            }
            if text.trim() != &**text {
                concerns.push(format!(
                    "\"{label}\" begins or ends with a blank: was it copied whole, and nothing else?"
                ));
            }
        }
        concerns.extend(self.place_concerns());
        concerns
    }

    fn place_concerns(&self) -> Vec<String> {
        let mut concerns = Vec::new();
        let host = self.profile.instance.origin().host_str().unwrap_or_default();
        let domains = &self.target.domains;
        let is_in = |domain: &String| {
            host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.'))
        };
        if !domains.is_empty() && !domains.iter().any(is_in) {
            concerns.push(format!(
                "{} takes instances of {} only, and this is {host}",
                self.target.title,
                domains.join(", ")
            ));
        }
        concerns.extend(redirect_concern(self.target, self.profile.redirect_uri.as_ref()));
        concerns
    }

    /// Label and value, in the form's order; no value for what only the person knows.
    fn fields(&self) -> Result<Vec<Filled<'a>>, PreparedError> {
        self.target.fields.iter().map(|field| Ok((field, self.filled(field)?))).collect()
    }

    fn filled(&self, field: &Field) -> Result<Option<Zeroizing<String>>, PreparedError> {
        if field.value.is_typed() {
            return Ok(None);
        }
        let text = self.text(&field.value).ok_or_else(|| PreparedError::Missing {
            title: self.target.title.clone(),
            label: field.label.clone(),
            what: what(&field.value),
        })?;
        if text.contains(['\n', '\r']) {
            return Err(PreparedError::LineBreak(field.label.clone()));
        }
        Ok(Some(text))
    }

    /// What belongs into a field; `None` if it is not known here.
    fn text(&self, value: &Value) -> Option<Zeroizing<String>> {
        let endpoints = self.profile.instance.endpoints();
        let text = match value {
            Value::Instance => self.target.instance.of(&self.profile.instance),
            Value::ClientId => self.profile.client_id.as_str().to_owned(),
            Value::ClientSecret => self.client_secret?.expose().to_owned(),
            Value::TokenUrl => endpoints.token.to_string(),
            Value::AuthorizationUrl => endpoints.authorization.to_string(),
            Value::RedirectUri => self.profile.redirect_uri.as_ref()?.as_str().to_owned(),
            Value::Scope => {
                self.profile.scope.as_ref().map(Scope::as_str).unwrap_or_default().to_owned()
            }
            Value::Fixed(text) => text.clone(),
            Value::AccessToken
            | Value::RefreshToken
            | Value::AuthCode
            | Value::RefreshTokenEnd
            | Value::UserName
            | Value::Password => return None,
        };
        Some(Zeroizing::new(text))
    }

    fn lines(&self, fields: &[Filled<'_>], created: Timestamp) -> Zeroizing<String> {
        let mut text = Text::new();
        let instance = self.profile.instance.url();
        text.say(format_args!("# ServiceNow client for {}, {instance}\n", self.target.title));
        text.say(format_args!(
            "# Created {}. Treat these values like passwords; delete this file once they are handed over.\n",
            moment(created)
        ));
        for (Field { label, value }, found) in fields {
            match found {
                Some(found) => text.say(format_args!("{label}: {}\n", **found)),
                None => text.say(format_args!("# {label}: {}\n", value.in_words())),
            }
        }
        text.finish()
    }

    fn json(&self, fields: &[Filled<'_>]) -> Zeroizing<String> {
        let mut text = Text::new();
        text.push("{\n  \"version\": 1,\n  \"target\": ");
        text.json(&self.target.name);
        text.push(",\n  \"fields\": [");
        for (number, (Field { label, value }, found)) in fields.iter().enumerate() {
            text.push(if number == 0 { "\n    {\"label\": " } else { ",\n    {\"label\": " });
            text.json(label);
            text.push(", \"name\": ");
            let word = value.word();
            text.json(if word.starts_with('=') { "fixed" } else { &word });
            text.push(", \"value\": ");
            match found {
                Some(found) => text.json(found),
                None => text.push("null"),
            }
            text.push("}");
        }
        text.push("\n  ]\n}\n");
        text.finish()
    }
}

/// A field of the form, and what belongs there as far as it is known here.
type Filled<'a> = (&'a Field, Option<Zeroizing<String>>);

/// A redirect URI of another form than the product's: its codes would go elsewhere.
pub fn redirect_concern(target: &Target, uri: Option<&RedirectUri>) -> Option<String> {
    let uri = uri?;
    (target.compare(uri) == Fit::Differs).then(|| {
        format!(
            "the redirect URI {} is not of the form that {} uses: {}",
            uri.as_str(),
            target.title,
            target.redirect_uri.as_deref().unwrap_or_default()
        )
    })
}

fn what(value: &Value) -> &'static str {
    match value {
        Value::ClientSecret => "the client secret",
        Value::RedirectUri => "the redirect URI",
        _ => "it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::targets::Targets;

    fn with<T>(
        target: &str,
        settings: &str,
        secret: Option<&str>,
        then: impl FnOnce(&Prepared<'_>) -> T,
    ) -> T {
        let text = format!(
            "[profile.a]\ninstance=\"classics\"\nclient_id=\"id\"\ntarget=\"{target}\"\n{settings}"
        );
        let config = Config::parse(&text).unwrap();
        let targets = Targets::built_in();
        let secret = secret.map(Secret::new);
        then(&Prepared {
            profile: &config.profiles()[0],
            target: targets.find(target).unwrap(),
            client_secret: secret.as_ref(),
        })
    }

    fn render(target: &str, settings: &str, format: Format) -> String {
        let created = "2026-11-23T15:00:00Z".parse().unwrap();
        with(target, settings, Some("s3 cr\"et"), |p| p.render(format, created))
            .unwrap()
            .to_string()
    }

    #[test]
    fn exactly_the_fields_of_the_form_are_there() {
        assert_eq!(
            render("n8n", "", Format::CredentialsFile),
            "# ServiceNow client for n8n (ServiceNow OAuth2 credential), https://classics.service-now.com\n\
             # Created 2026-11-23T15:00:00Z. Treat these values like passwords; delete this file once they are handed over.\n\
             Subdomain: classics\nClient ID: id\nClient Secret: s3 cr\"et\n"
        );
        let json: serde_json::Value =
            serde_json::from_str(&render("n8n", "", Format::Json)).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"version": 1, "target": "n8n", "fields": [
                {"label": "Subdomain", "name": "instance", "value": "classics"},
                {"label": "Client ID", "name": "client_id", "value": "id"},
                {"label": "Client Secret", "name": "client_secret", "value": "s3 cr\"et"},
            ]})
        );
    }

    #[test]
    fn what_only_a_person_knows_is_named_and_left_out() {
        let text = render("data-factory", "", Format::CredentialsFile);
        let rest = text.split_once("over.\n").unwrap().1;
        assert_eq!(
            rest,
            "endpoint: classics.service-now.com\nauthenticationType: OAuth2\ngrantType: password\n\
             clientId: id\nclientSecret: s3 cr\"et\n\
             # username: the name of the instance's user: you type it\n\
             # password: the password of that user: you type it\n"
        );
        let json: serde_json::Value =
            serde_json::from_str(&render("data-factory", "", Format::Json)).unwrap();
        assert_eq!(
            json["fields"][6],
            serde_json::json!({"label": "password", "name": "password", "value": null})
        );
        assert_eq!(json["fields"][2]["name"], "fixed");
    }

    #[test]
    fn endpoints_and_redirect_uri_are_filled_in() {
        let uri = "redirect_uri=\"https://oauth.pstmn.io/v1/browser-callback\"";
        let text = render("postman", uri, Format::CredentialsFile);
        for line in [
            "Callback URL: https://oauth.pstmn.io/v1/browser-callback\n",
            "Auth URL: https://classics.service-now.com/oauth_auth.do\n",
            "Access Token URL: https://classics.service-now.com/oauth_token.do\n",
            "Scope: \n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn what_is_not_known_is_named() {
        let now = Timestamp::UNIX_EPOCH;
        let error = with("n8n", "", None, |p| p.render(Format::Json, now)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "n8n (ServiceNow OAuth2 credential) asks for \"Client Secret\", and the client secret is not known here"
        );
        assert_eq!(error.code(), Code::SettingMissing);
        let error = with("postman", "", Some("s"), |p| p.render(Format::Json, now)).unwrap_err();
        assert!(error.to_string().ends_with("the redirect URI is not known here"), "{error}");
        let error = with("n8n", "", Some("a\nb"), |p| p.render(Format::Json, now)).unwrap_err();
        assert_eq!(error, PreparedError::LineBreak("Client Secret".into()));
        let error = with("n8n", "", Some("s"), |p| p.render(Format::Header, now)).unwrap_err();
        assert_eq!(error, PreparedError::Shape("header"));
    }

    #[test]
    fn what_the_product_may_refuse_is_told_without_the_value() {
        let settings =
            "redirect_uri=\"https://us-gov-west-1.console.aws.amazon.com/appflow/oauth\"";
        let long = format!("s3cret {}", "x".repeat(600));
        let judged = |prepared: &Prepared<'_>| prepared.concerns();
        let concerns = with("appflow-console", settings, Some(&long), judged);
        assert_eq!(
            concerns,
            [
                "\"Client secret\" has 607 characters; Amazon AppFlow (ServiceNow connector), in the AWS console takes 512",
                "\"Client secret\" holds blanks, which Amazon AppFlow (ServiceNow connector), in the AWS console may refuse",
                "the redirect URI https://us-gov-west-1.console.aws.amazon.com/appflow/oauth is not of the form that \
                 Amazon AppFlow (ServiceNow connector), in the AWS console uses: \
                 https://{region}.console.aws.amazon.com/appflow/oauth",
            ]
        );
        let text = "[profile.a]\ninstance=\"https://snow.example.com\"\nclient_id=\"id\"\ntarget=\"kendra\"";
        let config = Config::parse(text).unwrap();
        let targets = Targets::built_in();
        let secret = Secret::new("s ");
        let prepared = Prepared {
            profile: &config.profiles()[0],
            target: targets.find("kendra").unwrap(),
            client_secret: Some(&secret),
        };
        assert_eq!(
            prepared.concerns(),
            [
                "\"clientSecret\" begins or ends with a blank: was it copied whole, and nothing else?",
                "Amazon Kendra (ServiceNow connector) takes instances of service-now.com only, and this is snow.example.com",
            ]
        );
    }
}

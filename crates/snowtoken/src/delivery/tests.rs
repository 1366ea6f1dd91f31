//! Values in, texts out. What foreign readers make of the texts is tested with the command.

use snowtoken_core::oauth::redirect::RedirectUri;
use snowtoken_core::token_set::{Deadline, KnownBy};

use super::*;
use crate::config::Config;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn tokens() -> TokenSet {
    TokenSet {
        access_token: Secret::new("AT"),
        refresh_token: Some(Secret::new("RT")),
        authorization_code: Some(Secret::new("CODE")),
        scope: Some("useraccount".into()),
        issued_at: at("2026-11-23T15:00:00.5Z"),
        granted_at: at("2026-11-23T15:00:00.5Z"),
        access_expires_at: Deadline { at: at("2026-11-23T15:30:00Z"), known_by: KnownBy::Stated },
        refresh_expires_at: Some(Deadline {
            at: at("2027-11-23T15:00:00Z"),
            known_by: KnownBy::Derived,
        }),
    }
}

fn render(format: Format, secret: &str) -> String {
    given(secret, &Order::of(format)).unwrap().to_string()
}

fn refused(format: Format, secret: &str) -> Unfit {
    given(secret, &Order::of(format)).unwrap_err()
}

fn given(secret: &str, order: &Order) -> Result<Zeroizing<String>, Unfit> {
    let text = "[profile.a]\ninstance=\"classics\"\nclient_id=\"id\"\nrefresh_token_lifespan=31536000\n\
         redirect_uri=\"https://us-east-1.console.aws.amazon.com/appflow/oauth\"";
    let config = Config::parse(text).unwrap();
    let (secret, tokens) = (Secret::new(secret), tokens());
    let credentials = Credentials {
        profile: &config.profiles()[0],
        client_secret: Some(&secret),
        tokens: Some(&tokens),
        fresh_code: None,
        created: at("2026-11-23T15:00:00.9Z"),
    };
    credentials.render(order)
}

fn with(test: impl Fn(&Credentials<'_>)) {
    let config = Config::parse("[profile.a]\ninstance=\"classics\"\nclient_id=\"id\"").unwrap();
    let (secret, tokens) = (Secret::new("s"), tokens());
    test(&Credentials {
        profile: &config.profiles()[0],
        client_secret: Some(&secret),
        tokens: Some(&tokens),
        fresh_code: None,
        created: Timestamp::UNIX_EPOCH,
    });
}

#[test]
fn the_credentials_file_is_the_one_that_was_promised() {
    assert_eq!(
        render(Format::CredentialsFile, "s3 cr:et"),
        "# ServiceNow OAuth credentials, https://classics.service-now.com\n\
         # Created 2026-11-23T15:00:00Z. Treat these values like passwords; delete this file once they are handed over.\n\
         Instance URL: https://classics.service-now.com\nClient ID: id\nClient Secret: s3 cr:et\n\
         Access Token: AT\nRefresh Token: RT\nAuth Code: CODE\n\
         # The access token ends 2026-11-23T15:30:00Z.\n\
         # The refresh token ends 2027-11-23T15:00:00Z (derived: granted now, lifespan 31536000 s).\n\
         # The auth code has been used; it is listed because the form asks for it.\n\
         # It was used 2026-11-23T15:00:00Z.\n"
    );
}

#[test]
fn quotes_of_each_language_hold_every_secret() {
    let hostile = r#"+&%=?"'\ $x`"#;
    assert_eq!(refused(Format::Dotenv, hostile), Unfit::Quotes("client secret"));
    assert!(
        render(Format::Dotenv, r#"+&%=?"\ $x`"#)
            .contains("SERVICENOW_CLIENT_SECRET='+&%=?\"\\ $x`'\n")
    );
    assert!(
        render(Format::Shell, hostile)
            .contains("export SERVICENOW_CLIENT_SECRET='+&%=?\"'\\''\\ $x`'\n")
    );
    assert!(render(Format::Json, hostile).contains(r#""client_secret": "+&%=?\"'\\ $x`""#));
    assert_eq!(render(Format::Header, hostile), "Authorization: Bearer AT\n");
}

#[test]
fn a_line_break_is_refused() {
    let config = Config::parse("[profile.a]\ninstance=\"classics\"\nclient_id=\"id\"").unwrap();
    let (secret, tokens) = (Secret::new("a\nb"), tokens());
    let credentials = Credentials {
        profile: &config.profiles()[0],
        client_secret: Some(&secret),
        tokens: Some(&tokens),
        fresh_code: None,
        created: Timestamp::UNIX_EPOCH,
    };
    assert_eq!(
        credentials.render(&Order::of(Format::Json)),
        Err(Unfit::LineBreak("client secret"))
    );
}

#[test]
fn without_an_access_token_nothing_is_delivered() {
    let config = Config::parse("[profile.a]\ninstance=\"classics\"\nclient_id=\"id\"").unwrap();
    let tokens = TokenSet { access_token: Secret::new(""), ..tokens() };
    let credentials = Credentials {
        profile: &config.profiles()[0],
        client_secret: None,
        tokens: Some(&tokens),
        fresh_code: None,
        created: Timestamp::UNIX_EPOCH,
    };
    for format in [Format::CredentialsFile, Format::Json, Format::Header, Format::Vault] {
        let rendered = credentials.render(&Order::of(format));
        assert_eq!(rendered, Err(Unfit::NoAccessToken), "{format:?}");
    }
}

#[test]
fn an_origin_that_does_not_add_up_is_not_told() {
    let config = Config::parse("[profile.a]\ninstance=\"classics\"\nclient_id=\"id\"").unwrap();
    let tokens = tokens();
    let credentials = Credentials {
        profile: &config.profiles()[0],
        client_secret: None,
        tokens: Some(&tokens),
        fresh_code: None,
        created: Timestamp::UNIX_EPOCH,
    };
    let text = credentials.render(&Order::of(Format::CredentialsFile)).unwrap();
    assert!(text.contains("ends 2027-11-23T15:00:00Z (derived).\n"), "{}", *text);
}

/// An order of that shape, with a variant and names.
fn order(format: Format, variant: &'static str) -> Order {
    Order { variant: Some(variant), ..Order::of(format) }
}

#[test]
fn a_used_code_is_labelled_and_never_handed_out_as_one_that_works() {
    let json = render(Format::Json, "s");
    assert!(json.contains("\"auth_code_used_at\": \"2026-11-23T15:00:00Z\""), "{json}");
    for (variant, command) in [
        ("create-code", "snowtoken login --code-only --format appflow"),
        ("update-code", "snowtoken login --code-only --format appflow --variant update"),
    ] {
        let error = given("s", &order(Format::Appflow, variant)).unwrap_err();
        assert_eq!(error, Unfit::CodeUsed { at: Some("2026-11-23T15:00:00Z".into()), command });
        assert_eq!(error.code(), Code::CodeUsed);
        assert!(error.hints()[0].to_string().contains(&format!("`{command}`")));
    }
    let template = Template::parse("{{auth_code}}").unwrap();
    let order = Order { template: Some(template), ..Order::of(Format::Template) };
    assert!(matches!(given("s", &order), Err(Unfit::CodeUsed { .. })));
}

#[test]
fn what_the_taker_would_refuse_is_refused_before_there_is_a_text() {
    let long = "x".repeat(600);
    for (format, variant, secret, expected) in [
        (
            Format::Appflow,
            "create",
            long.as_str(),
            "the client secret has 600 bytes; Amazon AppFlow takes at most 512",
        ),
        (
            Format::Appflow,
            "create",
            "a b",
            "the client secret holds white space, which Amazon AppFlow refuses",
        ),
        (
            Format::Appflow,
            "create",
            "a\u{a0}b",
            "the client secret holds white space, which Amazon AppFlow refuses",
        ),
        (
            Format::Cloudformation,
            "parameters",
            "a\tb",
            "the client secret holds white space, which Amazon AppFlow refuses",
        ),
        (
            Format::AwsSecret,
            "kendra",
            "s",
            "Amazon Kendra wants a user's name and password beside client ID and client secret (keys `username`, `password`, `clientId`, `clientSecret`), which are no part of the tokens and not stored here",
        ),
        (Format::Json, "", "a\0b", "the client secret holds a line break, which no form can take"),
    ] {
        let error = given(secret, &order(format, variant)).unwrap_err();
        assert_eq!(error.to_string(), expected, "{format:?}");
    }
    let huge = "x".repeat(70_000);
    let error = refused(Format::AwsSecret, &huge).to_string();
    assert!(error.ends_with("AWS Secrets Manager takes at most 65536"), "{error}");
    assert_eq!(
        refused(Format::Github, &huge).to_string(),
        "the client secret has 70000 bytes; GitHub takes at most 49152"
    );
    assert_eq!(
        refused(Format::AzureKeyVault, &huge).to_string(),
        "the client secret has 70000 bytes; Azure Key Vault takes at most 25600"
    );
}

#[test]
fn a_name_that_is_none_is_wrong_usage() {
    let order = Order { name: Some("A_b".into()), ..Order::of(Format::Kubernetes) };
    let error = given("s", &order).unwrap_err();
    assert_eq!(error.code(), Code::Usage);
    assert!(error.to_string().starts_with("the name of the Secret must be at most 253"), "{error}");
}

#[test]
fn the_identity_changes_with_the_values_and_not_with_dates() {
    with(|credentials| {
        let order = Order::of(Format::SnowflakeSql);
        let before = credentials.identity(&order);
        let mut tokens = credentials.tokens.unwrap().clone();
        tokens.access_token = Secret::new("other");
        let other = Credentials {
            tokens: Some(&tokens),
            created: at("2030-01-01T00:00:00Z"),
            ..*credentials
        };
        // It holds no access token.
        assert_eq!(other.identity(&order), before);
        assert_ne!(other.identity(&Order::default()), credentials.identity(&Order::default()));
        tokens.refresh_token = Some(Secret::new("other"));
        let other = Credentials { tokens: Some(&tokens), ..*credentials };
        assert_ne!(other.identity(&order), before);
    });
}

/// A fresh code that ends at 15:01, at this moment, with or without a client secret and a verifier.
fn with_code<T>(
    now: &str,
    secret: Option<&str>,
    verifier: Option<&str>,
    test: impl Fn(&Credentials<'_>) -> T,
) -> T {
    let profile = "[profile.a]\ninstance=\"classics\"\nclient_id=\"id\"\n\
         redirect_uri=\"https://us-east-1.console.aws.amazon.com/appflow/oauth\"";
    let config = Config::parse(profile).unwrap();
    let secret = secret.map(Secret::new);
    let fresh = FreshCode {
        code: Secret::new("fresh"),
        redirect_uri: RedirectUri::parse("https://r.example/cb").unwrap(),
        code_verifier: verifier.map(Secret::new),
        good_until: at("2026-11-23T15:01:00Z"),
    };
    test(&Credentials {
        profile: &config.profiles()[0],
        client_secret: secret.as_ref(),
        tokens: None,
        fresh_code: Some(&fresh),
        created: at(now),
    })
}

#[test]
fn a_fresh_code_is_handed_over_with_what_it_is_bound_to_and_without_tokens() {
    for (variant, verifier) in [("create-code", Some("v")), ("update-code", None)] {
        let order = order(Format::Appflow, variant);
        let text = with_code("2026-11-23T15:00:59.9Z", Some("s"), verifier, |credentials| {
            credentials.render(&order).unwrap()
        });
        let found: serde_json::Value = serde_json::from_str(&text).unwrap();
        let grant = &found["connectorProfileConfig"]["connectorProfileCredentials"]["ServiceNow"];
        let mut request =
            serde_json::json!({"authCode": "fresh", "redirectUri": "https://r.example/cb"});
        if let Some(verifier) = verifier {
            request["codeVerifier"] = verifier.into();
        }
        assert_eq!(
            grant["oAuth2Credentials"],
            serde_json::json!({"clientId": "id", "clientSecret": "s", "oAuthRequest": request})
        );
    }
}

#[test]
fn a_code_that_has_ended_is_not_handed_over() {
    let order = order(Format::Appflow, "create-code");
    let given =
        |now| with_code(now, Some("s"), None, |credentials| credentials.render(&order).map(drop));
    assert_eq!(given("2026-11-23T15:00:59Z"), Ok(()));
    let error = given("2026-11-23T15:01:00Z").unwrap_err();
    assert_eq!(error, Unfit::CodeEnded("2026-11-23T15:01:00Z".into()));
    assert_eq!(error.code(), Code::CodeTooOld);
}

#[test]
fn where_there_is_a_code_only_no_shape_for_tokens_is_made() {
    for format in Format::ALL {
        let order = Order::of(*format);
        let made = with_code("2026-11-23T15:00:00Z", Some("s"), None, |credentials| {
            credentials.render(&order).map(drop)
        });
        // Those that name no token at all are made of the client alone.
        let is_of_client = matches!(format, Format::Cloudformation | Format::ExternalSecret);
        assert_eq!(made.is_ok(), is_of_client, "{format:?}: {made:?}");
    }
}

#[test]
fn what_is_missing_beside_the_code_is_found_before_there_is_one() {
    let order = order(Format::Appflow, "create-code");
    let found = |secret: Option<&str>| {
        with_code("2026-11-23T15:00:00Z", secret, None, |credentials| {
            Credentials { fresh_code: None, ..*credentials }.await_code(&order)
        })
    };
    assert_eq!(found(Some("s")), Ok(()));
    assert_eq!(found(None), Err(Unfit::Missing("client secret")));
    let blanks = Unfit::Blanks { what: "client secret", who: "Amazon AppFlow" };
    assert_eq!(found(Some("a b")), Err(blanks));
}

#[test]
fn shapes_without_a_place_for_a_code_say_so() {
    assert_eq!(Format::Appflow.with_code(None), Ok("create-code"));
    assert_eq!(Format::Appflow.with_code(Some("update")), Ok("update-code"));
    for format in Format::ALL.iter().filter(|format| **format != Format::Appflow) {
        assert_eq!(format.with_code(None), Err(Unfit::NoCode(format.as_str())));
    }
}

//! Hostile secrets through every shape, to its foreign readers and back.

use serde_json::{Value, json};
use snowtoken::Secret;
use snowtoken::config::Config;
use snowtoken::core::token_set::{Deadline, KnownBy, TokenSet};
use snowtoken::delivery::{Credentials, Format, Order, Unfit};
use snowtoken::fresh_code::FreshCode;
use snowtoken::store::write_file;

use crate::support::judge::{in_node, in_python};
use crate::support::sandbox::Sandbox;

/// Without white space: what every shape takes.
const HOSTILE: [&str; 30] = [
    "plain",
    "yes",
    "null",
    "0x1f",
    "1e3",
    "!!binary",
    "*a",
    "&a",
    "-a",
    "--",
    "~",
    "{a}",
    "[a",
    "#a",
    "a#b",
    "a:b",
    "\"",
    "'",
    "\"'`",
    "$HOME",
    "${HOME}",
    "$(id)",
    "`id`",
    "%s%n%00",
    "a\\nb",
    "\\\\",
    "\\'",
    "a\\",
    "{{resolve:ssm:x}}",
    "é€😀ß\u{85}\u{feff}",
];

/// With white space: what most shapes take.
const BLANKS: [&str; 6] = ["a b", " a", "a ", "a\tb", ": ", "a #b"];

/// Credentials in which every secret is this one.
fn with<T>(secret: &str, test: impl FnOnce(&Credentials<'_>) -> T) -> T {
    let config = "[profile.p]\ninstance=\"classics\"\nclient_id=\"id\"\nregion=\"us-east-1\"\n\
                redirect_uri=\"https://us-east-1.console.aws.amazon.com/appflow/oauth\"";
    let config = Config::parse(config).unwrap();
    let at = |text: &str| Deadline { at: text.parse().unwrap(), known_by: KnownBy::Derived };
    let secret = Secret::new(secret);
    let tokens = TokenSet {
        access_token: secret.clone(),
        refresh_token: Some(secret.clone()),
        authorization_code: Some(Secret::new("used")),
        scope: Some("useraccount".into()),
        issued_at: at("2026-11-23T15:00:00Z").at,
        granted_at: at("2026-11-23T15:00:00Z").at,
        access_expires_at: at("2026-11-23T15:30:00Z"),
        refresh_expires_at: Some(at("2027-11-23T15:00:00Z")),
    };
    let fresh = FreshCode {
        code: secret.clone(),
        redirect_uri: config.profiles()[0].redirect_uri.clone().unwrap(),
        code_verifier: Some(Secret::new("v~._-".repeat(10))),
        good_until: at("2026-11-23T15:01:00Z").at,
    };
    test(&Credentials {
        profile: &config.profiles()[0],
        client_secret: Some(&secret),
        tokens: Some(&tokens),
        fresh_code: Some(&fresh),
        created: at("2026-11-23T15:00:00Z").at,
    })
}

fn render(secret: &str, format: Format, variant: &str) -> Result<String, Unfit> {
    let variant = format.variant(variant);
    let order = Order { variant, ..Order::of(format) };
    with(secret, |credentials| credentials.render(&order).map(|text| text.to_string()))
}

fn all() -> impl Iterator<Item = &'static str> {
    HOSTILE.into_iter().chain(BLANKS)
}

#[track_caller]
fn python(question: &Value) -> Value {
    in_python(question).unwrap_or_else(|why| panic!("{why}: {question:#}"))
}

#[track_caller]
fn assert_five(found: &Value, secret: &str, names: [&str; 5]) {
    let expected = ["https://classics.service-now.com", "id", secret, secret, secret];
    for (name, expected) in names.into_iter().zip(expected) {
        assert_eq!(found[name], expected, "{name} of {found:#}");
    }
}

const CAMEL: [&str; 5] = ["instanceUrl", "clientId", "clientSecret", "accessToken", "refreshToken"];
const SNAKE: [&str; 5] =
    ["instance_url", "client_id", "client_secret", "access_token", "refresh_token"];
const UPPER: [&str; 5] = [
    "SERVICENOW_INSTANCE_URL",
    "SERVICENOW_CLIENT_ID",
    "SERVICENOW_CLIENT_SECRET",
    "SERVICENOW_ACCESS_TOKEN",
    "SERVICENOW_REFRESH_TOKEN",
];

#[test]
fn json_is_the_same_for_python_and_node() {
    for secret in all() {
        for (format, variant, names) in [
            (Format::Json, "", SNAKE),
            (Format::AwsSecret, "neutral", CAMEL),
            (Format::Vault, "cli", CAMEL),
            (Format::Docker, "", CAMEL),
            (Format::SystemdCredential, "", CAMEL),
        ] {
            let text = render(secret, format, variant).unwrap();
            let question = json!({"kind": "json", "text": text});
            let (one, other) = (python(&question), in_node(&question).unwrap());
            assert_eq!(one, other);
            assert_five(&one, secret, names);
        }
        let text = render(secret, Format::Vault, "http-create").unwrap();
        let found = python(&json!({"kind": "json", "text": text}));
        assert_eq!(found["options"]["cas"], 0);
        assert_five(&found["data"], secret, CAMEL);
        let text = render(secret, Format::OnePassword, "").unwrap();
        let found = python(&json!({"kind": "json", "text": text}));
        let fields = found["fields"].as_array().unwrap();
        let value = |id: &str| fields.iter().find(|field| field["id"] == id).unwrap();
        assert_eq!(
            (&value("clientSecret")["value"], &value("clientSecret")["type"]),
            (&json!(secret), &json!("CONCEALED"))
        );
        assert_eq!(value("clientId")["type"], "STRING");
        let text = render(secret, Format::TokenJson, "").unwrap();
        let found = python(&json!({"kind": "json", "text": text}));
        assert_eq!((&found["Version"], &found["AccessToken"]), (&json!(1), &json!(secret)));
        assert_eq!(found["Expiration"], "2026-11-23T15:30:00Z");
    }
}

#[test]
fn the_secrets_of_amazons_products_have_the_keys_these_read() {
    let found = |variant: &str| {
        let text = render("s", Format::AwsSecret, variant).unwrap();
        python(&json!({"kind": "json", "text": text}))
    };
    let url = "https://classics.service-now.com";
    assert_eq!(
        found("bedrock"),
        json!({"clientId": "id", "clientSecret": "s", "instanceUrl": url})
    );
    assert_eq!(found("glue"), json!({"USER_MANAGED_CLIENT_APPLICATION_CLIENT_SECRET": "s"}));
}

#[test]
fn appflow_takes_what_its_service_model_takes() {
    for secret in HOSTILE {
        // AppFlow allows no white space, and U+0085 is some.
        if secret.contains(char::is_whitespace) {
            assert!(matches!(render(secret, Format::Appflow, "create"), Err(Unfit::Blanks { .. })));
            continue;
        }
        for (variant, operation, is_code) in [
            ("create", "CreateConnectorProfile", false),
            ("update", "UpdateConnectorProfile", false),
            ("create-code", "CreateConnectorProfile", true),
            ("update-code", "UpdateConnectorProfile", true),
        ] {
            let text = render(secret, Format::Appflow, variant).unwrap();
            let found = python(&json!({
                "kind": "aws", "service": "appflow", "operation": operation, "text": text,
            }));
            assert_eq!(found["connectorProfileName"], "servicenow-p");
            let config = &found["connectorProfileConfig"];
            let grant = &config["connectorProfileCredentials"]["ServiceNow"]["oAuth2Credentials"];
            assert_eq!(grant["clientSecret"], secret);
            let request = &grant["oAuthRequest"];
            let uri = "https://us-east-1.console.aws.amazon.com/appflow/oauth";
            assert_eq!(request["redirectUri"], uri);
            if is_code {
                assert_eq!(
                    (&grant["accessToken"], &grant["refreshToken"]),
                    (&Value::Null, &Value::Null)
                );
                assert_eq!(request["authCode"], secret);
                assert_eq!(request["codeVerifier"], "v~._-".repeat(10));
            } else {
                assert_eq!(
                    (&grant["accessToken"], &grant["refreshToken"]),
                    (&json!(secret), &json!(secret))
                );
                assert_eq!(request["authCode"], Value::Null);
            }
        }
    }
}

#[test]
fn secrets_manager_takes_what_is_pushed_to_it() {
    for secret in all() {
        let order = Order::of(Format::AwsSecret);
        let runs = with(secret, |credentials| credentials.runs(&order, None).unwrap());
        let [put] = runs.as_slice() else { panic!("{runs:?}") };
        let create = &put.otherwise.as_ref().unwrap().1;
        for (run, operation, name) in
            [(put, "PutSecretValue", "SecretId"), (create, "CreateSecret", "Name")]
        {
            let found = python(&json!({
                "kind": "aws", "service": "secretsmanager", "operation": operation, "text": *run.input,
            }));
            assert_eq!(found[name], "servicenow/p");
            let inner: Value =
                serde_json::from_str(found["SecretString"].as_str().unwrap()).unwrap();
            assert_five(&inner, secret, CAMEL);
        }
    }
}

#[test]
fn cloudformation_finds_no_fault_in_the_template_and_no_secret() {
    for (variant, needle) in [
        ("template", "NoEcho"),
        ("dynamic", "{{resolve:secretsmanager:servicenow/p:SecretString:clientSecret}}"),
    ] {
        let text = render("s3cr3t-of-somebody", Format::Cloudformation, variant).unwrap();
        assert!(text.contains(needle) && !text.contains("s3cr3t"), "{text}");
        python(&json!({"kind": "cloudformation", "region": "us-east-1", "text": text}));
        // It looks: where there is no AppFlow, there is no such resource.
        let gov = json!({"kind": "cloudformation", "region": "us-gov-west-1", "text": text});
        assert!(in_python(&gov).is_err());
    }
    for secret in HOSTILE.into_iter().filter(|secret| !secret.contains(char::is_whitespace)) {
        let text = render(secret, Format::Cloudformation, "parameters").unwrap();
        let found = python(&json!({"kind": "json", "text": text}));
        let values: Vec<_> =
            found.as_array().unwrap().iter().map(|one| &one["ParameterValue"]).collect();
        assert_eq!(values, [&json!("id"), &json!(secret), &json!(secret), &json!(secret)]);
    }
}

#[test]
fn kubernetes_reads_every_secret_as_text() {
    for secret in all() {
        for variant in ["string-data", "data"] {
            let text = render(secret, Format::Kubernetes, variant).unwrap();
            let found = python(&json!({"kind": "kubernetes", "text": text}));
            assert_five(&found, secret, CAMEL);
        }
    }
    let text = render("s3cr3t-of-somebody", Format::ExternalSecret, "").unwrap();
    assert!(!text.contains("s3cr3t"), "{text}");
    let found = python(&json!({"kind": "external-secret", "text": text}));
    assert_eq!(found["spec"]["dataFrom"][0]["extract"]["key"], "servicenow/p");
}

#[test]
fn what_is_written_for_all_dotenv_readers_is_the_same_for_all() {
    let mut refused = Vec::new();
    for secret in all() {
        for format in [Format::Dotenv, Format::Github] {
            match render(secret, format, "common") {
                Ok(text) => {
                    let question = json!({"kind": "dotenv", "text": text});
                    assert_five(&python(&question), secret, UPPER);
                    assert_five(&in_node(&question).unwrap(), secret, UPPER);
                }
                Err(error) => {
                    let expected = match format {
                        Format::Github => Unfit::QuotesInOneWay("client secret"),
                        _ => Unfit::Quotes("client secret"),
                    };
                    assert_eq!(error, expected);
                    refused.push(secret);
                }
            }
        }
    }
    refused.dedup();
    assert_eq!(refused, ["'", "\"'`", "${HOME}", "\\\\", "\\'", "a\\"]);
}

#[test]
fn each_dotenv_reader_gets_its_own_form() {
    for secret in all() {
        let text = render(secret, Format::Dotenv, "python").unwrap();
        assert_five(&python(&json!({"kind": "dotenv", "text": text})), secret, UPPER);
        match render(secret, Format::Dotenv, "node") {
            Ok(text) => {
                let found = in_node(&json!({"kind": "dotenv", "text": text})).unwrap();
                assert_five(&found, secret, UPPER);
            }
            Err(error) => {
                assert_eq!(error, Unfit::Quotes("client secret"));
                assert!(["\"'`", "\\\\", "a\\"].contains(&secret), "{secret}");
            }
        }
    }
}

#[test]
fn shells_take_every_secret_as_it_is() {
    for secret in all() {
        let text = render(secret, Format::Shell, "").unwrap();
        for shell in ["dash", "bash"] {
            let question = json!({"kind": "shell", "shell": shell, "text": text, "names": UPPER});
            assert_five(&python(&question), secret, UPPER);
        }
    }
}

#[test]
fn commands_for_the_key_vault_pipe_each_value_to_it() {
    let sandbox = Sandbox::new();
    let log = sandbox.path("az.log");
    let script = format!(
        "#!/bin/sh\nprintf '%s\\n' \"$*\" >>'{0}'\ncat >>'{0}'\nprintf '\\n' >>'{0}'\n",
        log.display()
    );
    let az = sandbox.path("bin/az");
    std::fs::write(&az, script).unwrap();
    std::fs::set_permissions(&az, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", sandbox.path("bin").display());
    for secret in all() {
        let order = Order { place: Some("our-vault".into()), ..Order::of(Format::AzureKeyVault) };
        let text = with(secret, |credentials| credentials.render(&order).unwrap());
        for shell in ["dash", "bash"] {
            let _ = std::fs::remove_file(&log);
            python(
                &json!({"kind": "shell", "shell": shell, "text": *text, "names": [], "path": path}),
            );
            let found = std::fs::read_to_string(&log).unwrap();
            let calls: Vec<&str> =
                found.split("keyvault secret set --vault-name our-vault --name ").collect();
            let usual = "--encoding utf-8 --file /dev/stdin --output none";
            assert_eq!(calls[3], format!("servicenow-p-client-secret {usual}\n{secret}\n"));
            let end = "--expires 2027-11-23T15:00:00Z";
            assert_eq!(calls[5], format!("servicenow-p-refresh-token {end} {usual}\n{secret}\n"));
        }
    }
}

#[test]
fn snowflake_reads_the_strings_that_were_meant() {
    for secret in all() {
        let text = render(secret, Format::SnowflakeSql, "create").unwrap();
        let found = python(&json!({"kind": "snowflake", "text": text}));
        let url = "https://classics.service-now.com/oauth_token.do";
        assert_eq!(found["strings"], json!(["id", secret, url, secret, "2027-11-23 15:00:00"]));
        assert_eq!(found["statements"], 2);
        let text = render(secret, Format::SnowflakeSql, "renew").unwrap();
        let found = python(&json!({"kind": "snowflake", "text": text}));
        assert_eq!(found["strings"], json!([secret, "2027-11-23 15:00:00"]));
        assert_eq!(found["statements"], 1);
    }
}

#[test]
fn no_shape_takes_what_no_line_can_hold() {
    for secret in ["a\nb", "a\r", "a\0b"] {
        for format in Format::ALL {
            let variants = if format.variants().is_empty() { &[""] } else { format.variants() };
            for variant in variants {
                if let Ok(text) = render(secret, *format, variant) {
                    assert!(!text.contains('a') || !text.contains(secret), "{format:?}: {text}");
                }
            }
        }
    }
}

#[test]
fn a_document_of_ours_is_written_for_its_owner_only() {
    let sandbox = Sandbox::new();
    let path = sandbox.path("files/x");
    write_file::replace(&path, render("s", Format::Kubernetes, "data").unwrap().as_bytes())
        .unwrap();
    assert_eq!(sandbox.snapshot_of("files")["files/x"].permissions(), 0o600);
}

/// Texts put together from what has ever had a meaning somewhere; the same each time.
fn random() -> impl Iterator<Item = String> {
    const PIECES: [&str; 24] = [
        "'", "\"", "`", "\\", "$", "${", "}", "$(", ")", "%", "#", "&", "{{", "}}", "<%", ": ",
        " ", "\t", "-", "!!", "é", "\u{2028}", "a", "0",
    ];
    let mut state = 0x5eed_u64;
    std::iter::repeat_with(move || {
        let mut text = String::new();
        for _ in 0..12 {
            // Knuth's generator: what matters is that it is the same everywhere.
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let index = usize::try_from(state >> 33).unwrap() % PIECES.len();
            text.push_str(PIECES[index]);
        }
        text
    })
}

#[test]
fn random_secrets_come_back_from_every_reader() {
    for secret in random().take(60) {
        let secret = secret.as_str();
        let text = |format, variant| render(secret, format, variant).unwrap();
        let vault = json!({"kind": "json", "text": text(Format::Vault, "cli")});
        assert_five(&python(&vault), secret, CAMEL);
        assert_five(&in_node(&vault).unwrap(), secret, CAMEL);
        for variant in ["string-data", "data"] {
            let question = json!({"kind": "kubernetes", "text": text(Format::Kubernetes, variant)});
            assert_five(&python(&question), secret, CAMEL);
        }
        let question = json!({"kind": "dotenv", "text": text(Format::Dotenv, "python")});
        assert_five(&python(&question), secret, UPPER);
        for variant in ["common", "node"] {
            let Ok(text) = render(secret, Format::Dotenv, variant) else { continue };
            assert_five(&in_node(&json!({"kind": "dotenv", "text": text})).unwrap(), secret, UPPER);
        }
        let sql = json!({"kind": "snowflake", "text": text(Format::SnowflakeSql, "renew")});
        assert_eq!(python(&sql)["strings"][0], secret);
        let shell = text(Format::Shell, "");
        let shell = json!({"kind": "shell", "shell": "dash", "text": shell, "names": UPPER});
        assert_five(&python(&shell), secret, UPPER);
    }
}

//! Every shape as people have it, and text that means to be one.

use jiff::Timestamp;
use proptest::prelude::*;
use snowtoken_core::secret::Secret;
use snowtoken_core::token_set::{Deadline, KnownBy, TokenSet};

use super::found::is_placeholder;
use super::*;
use crate::config::Config;
use crate::delivery::{Credentials, Format, Order, Unfit};

fn values(text: &str) -> [Option<String>; 5] {
    let found = read(text);
    let exposed = |secret: Option<Secret>| secret.map(|s| s.expose().to_owned());
    [
        found.instance,
        found.client_id,
        exposed(found.client_secret),
        exposed(found.access_token),
        exposed(found.refresh_token),
    ]
}

fn expected(secret: &str) -> [Option<String>; 5] {
    ["https://a.service-now.com", "id", secret, "AT", "RT"].map(|text| Some(text.to_owned()))
}

#[test]
fn each_known_shape_is_read() {
    for text in [
        "# x\nInstance URL: https://a.service-now.com\nClient ID: id\nClient Secret: s:=c'\nAccess Token: AT\nRefresh Token: RT\nAuth Code: C\n",
        "export SERVICENOW_INSTANCE_URL='https://a.service-now.com'\nSERVICENOW_CLIENT_ID=id\nSERVICENOW_CLIENT_SECRET=\"s:=c'\"\nACCESS_TOKEN=AT\r\nREFRESH_TOKEN='RT'",
        "instance = 'https://a.service-now.com'\nclient_id = 'id'\nclient_secret = \"s:=c'\"\naccess_token='AT'\nrefresh_token='RT'",
        r#"{"instance_url":"https://a.service-now.com","client":{"client_id":"id","clientSecret":"s:=c'"},"tokens":{"access_token":"AT","refreshToken":"RT"},"expires_in":1}"#,
    ] {
        assert_eq!(values(text), expected("s:=c'"), "{text}");
    }
}

#[test]
fn templates_that_were_never_filled_in_hold_nothing() {
    assert_eq!(values("client_id = '[Enter Client ID]'\nClient Secret:\nfoo"), [const { None }; 5]);
}

/// The shapes that are read back.
const BACK: [Format; 5] =
    [Format::CredentialsFile, Format::Json, Format::Dotenv, Format::Shell, Format::Header];

/// What was delivered, read again: instance, client ID and the three secrets.
///
/// `None` if the shape refuses the secret.
fn again(format: Format, secret: &str) -> Option<[Option<String>; 5]> {
    let text = "[profile.a]\ninstance=\"https://a.service-now.com\"\nclient_id=\"id\"";
    let config = Config::parse(text).unwrap();
    let end = Deadline { at: Timestamp::UNIX_EPOCH, known_by: KnownBy::Derived };
    let secret = Secret::new(secret);
    let tokens = TokenSet {
        access_token: secret.clone(),
        refresh_token: Some(secret.clone()),
        authorization_code: None,
        scope: None,
        issued_at: end.at,
        granted_at: end.at,
        access_expires_at: end,
        refresh_expires_at: Some(end),
    };
    let credentials = Credentials {
        profile: &config.profiles()[0],
        client_secret: Some(&secret),
        tokens: Some(&tokens),
        fresh_code: None,
        created: end.at,
    };
    match credentials.render(&Order::of(format)) {
        Ok(text) => Some(values(&text)),
        Err(Unfit::Quotes(_)) if format == Format::Dotenv => None,
        Err(error) => panic!("{format:?}: {error}"),
    }
}

fn survives(format: Format, secret: &str) -> Result<(), TestCaseError> {
    let whole = ["https://a.service-now.com", "id", secret, secret, secret];
    let mut expected = whole.map(|text| Some(text.to_owned()));
    if format == Format::Header {
        // A header is all there is.
        expected = [None, None, None, Some(secret.to_owned()), None];
    }
    if let Some(found) = again(format, secret) {
        prop_assert_eq!(found, expected, "{:?}", format);
    }
    Ok(())
}

#[test]
fn hostile_secrets_come_back_as_they_were_delivered() {
    for format in BACK {
        for secret in [
            "[abc", "[abc]", "\"abc\"", "'abc'", "abc;", "abc,", " abc ", "a: b=c", "\\", "\\'",
            "'\\''", "#a", "\"", "'", "a\\\"b", "$x`y`", "export a", "{}", "…a",
        ] {
            survives(format, secret).unwrap();
        }
    }
}

proptest! {
    #[test]
    fn every_secret_comes_back_as_it_was_delivered(secret in "[ -~äß€]{0,12}[!-~][ -~]{0,12}") {
        prop_assume!(!is_placeholder(&secret));
        for format in BACK {
            survives(format, &secret)?;
        }
    }
}

#[test]
fn lines_of_code_lose_quotes_and_separators() {
    for (line, value) in [
        ("client_secret = 'abc';", "abc"),
        ("  \"client_secret\": \"abc;\",", "abc;"),
        ("export CLIENT_SECRET=abc;", "abc"),
        ("CLIENT_SECRET='a,'", "a,"),
    ] {
        let found = read(line).client_secret.unwrap();
        assert_eq!(found.expose(), value, "{line}");
    }
}

#[test]
fn a_drivers_connection_string_is_read_with_its_quotes() {
    for text in [
        // As its documentation writes it, in one line and in code.
        "AuthScheme=OAuth;InitiateOAuth=GETANDREFRESH;OAuthClientId=id;OAuthClientSecret=\"s;:=c'\";OAuthAccessToken=AT;\
         OAuthRefreshToken=RT;CallbackURL=http://localhost:33333;Url=https://a.service-now.com;",
        "String url = \"jdbc:servicenow:URL=https://a.service-now.com;OAuthClientId=id;OAuthClientSecret='s;:=c''';\
         OAuthAccessToken=AT;OAuthRefreshToken=RT;\";",
        "Driver={CData ODBC Driver for ServiceNow};Instance=https://a.service-now.com;User=u;Password=p;\
         OAuthClientId=id;OAuthClientSecret={s;:=c'};OAuthAccessToken=AT;OAuthRefreshToken=RT",
        // The form of its settings file, as far as it is known, and a property in each line.
        "_persist_oauthclientid=id;_persist_oauthclientsecret='s;:=c''';_persist_oauthrefreshtoken=RT;\
         _persist_oauthaccesstoken=AT;_persist_oauthexpiresin=1799;_persist_url=https://a.service-now.com;",
        "OAuthClientId=id\r\nOAuthClientSecret=\"s;:=c'\"\r\nOAuthAccessToken=AT\r\nOAuthRefreshToken=RT\r\nURL=https://a.service-now.com\r\n",
        r#"{"ConnectionStrings":{"snow":"x"},"SnowConnectionString":"URL=https://a.service-now.com;OAuthClientId=id;OAuthClientSecret='s;:=c''';OAuthAccessToken=AT;OAuthRefreshToken=RT"}"#,
    ] {
        assert_eq!(values(text), expected("s;:=c'"), "{text}");
    }
    let text = "InitiateOAuth=OFF;OAuthClientId=id;CallbackURL=http://localhost:33333";
    assert_eq!(read(text).redirect_uri.as_deref(), Some("http://localhost:33333"));
    assert_eq!(read(text).shape, Shape::ConnectionString);
}

/// `oauth_tool.cfg` holds the client; `oauth.cfg` only says where the tokens are.
#[test]
fn what_a_connectors_files_hold_is_read_and_where_the_rest_lies() {
    let tool = "[Default]\nSSLMethod=NEGOTIATE\n\n[OAuthTool]\nAppKey=id\nAppSecret=s;=c\n\
                TokenUrl=https://a.service-now.com/oauth_token.do\nTokenParameters=grant_type=password&username=u&password=p\n\
                RefreshUrl=https://a.service-now.com/oauth_token.do\n";
    let found = read(tool);
    assert_eq!(found.instance.as_deref(), Some("https://a.service-now.com"));
    assert_eq!(found.client_id.as_deref(), Some("id"));
    assert_eq!(found.client_secret.unwrap().expose(), "s;=c");
    assert!(found.has_password && found.refresh_token.is_none());
    let unfilled =
        "TokenUrl=https://<ServiceNowInstance>.service-now.com/oauth_token.do\nAppKey=<AppKey>";
    assert_eq!(values(unfilled), [const { None }; 5]);
    let found = read("[OAUTH]\nOauth2SitesFile=oauth2_sites.bin\nOauth2SiteName=ServiceNow\n");
    assert!(found.is_empty());
    assert_eq!(found.sites_file.as_deref(), Some("oauth2_sites.bin"));
    // Where somebody has merged the tokens into the configuration of a task.
    let merged = "[OAUTH]\nAppKey=id\nAppSecret=s\nAccessToken=AT\nRefreshToken=RT\nTokenUrl=https://a.service-now.com/oauth_token.do\n";
    assert_eq!(values(merged), expected("s"));
}

#[test]
fn environments_and_secrets_of_other_tools_are_read() {
    for text in [
        // Postman, an environment.
        r#"{"id":"6f","name":"Snow","values":[{"key":"instance_url","value":"https://a.service-now.com","type":"default","enabled":true},
            {"key":"client_id","value":"old","enabled":false},{"key":"client_id","value":"id","enabled":true},
            {"key":"client_secret","value":"s","type":"secret","enabled":true},{"key":"accessToken","value":"AT"},
            {"key":"refresh_token","value":"RT"}],"_postman_variable_scope":"environment","_postman_exported_using":"Postman/11"}"#,
        // Postman, the authorization of a collection.
        r#"{"auth":{"type":"oauth2","oauth2":[{"key":"accessTokenUrl","value":"https://a.service-now.com/oauth_token.do","type":"string"},
            {"key":"clientId","value":"id"},{"key":"clientSecret","value":"s"},{"key":"accessToken","value":"AT"},{"key":"refreshToken","value":"RT"}]}}"#,
        // AWS Secrets Manager: the secret, and what its command prints.
        r#"{"instanceUrl":"https://a.service-now.com","clientId":"id","clientSecret":"s","accessToken":"AT","refreshToken":"RT",
            "tokenUrl":"https://a.service-now.com/oauth_token.do","scope":"useraccount"}"#,
        r#"{"ARN":"arn:aws:x","SecretString":"{\"instanceUrl\":\"https://a.service-now.com\",\"clientId\":\"id\",\"clientSecret\":\"s\",\"accessToken\":\"AT\",\"refreshToken\":\"RT\"}"}"#,
        // A request to AppFlow.
        r#"{"connectorProfileConfig":{"connectorProfileProperties":{"ServiceNow":{"instanceUrl":"https://a.service-now.com"}},
            "connectorProfileCredentials":{"ServiceNow":{"oAuth2Credentials":{"clientId":"id","clientSecret":"s","accessToken":"AT","refreshToken":"RT"}}}}}"#,
        // n8n, decrypted.
        r#"[{"name":"snow","data":{"subdomain":"https://a.service-now.com","clientId":"id","clientSecret":"s","oauthTokenData":{"access_token":"AT","refresh_token":"RT","expires_in":1799}}}]"#,
    ] {
        assert_eq!(values(text), expected("s"), "{text}");
    }
}

#[test]
fn an_end_that_the_file_states_is_taken_with_its_origin() {
    let end =
        |text: &str| read(text).refresh_token_end.map(|end| (end.at.to_string(), end.known_by));
    let at = "2027-03-03T15:00:00Z";
    let json = format!(r#"{{"refreshToken":"RT","refreshTokenExpiresAt":"{at}"}}"#);
    assert_eq!(end(&json), Some((at.to_owned(), KnownBy::Stated)));
    let ours = format!(
        r#"{{"refresh_token":"RT","refresh_token_expires_at":"{at}","refresh_token_expiry_known_by":"derived"}}"#
    );
    assert_eq!(end(&ours), Some((at.to_owned(), KnownBy::Derived)));
    assert_eq!(end(r#"{"refreshToken":"RT","refreshTokenExpiresAt":"soon"}"#), None);
    assert_eq!(end(&format!(r#"{{"refreshTokenExpiresAt":"{at}"}}"#)), None);
}

#[test]
fn a_curl_command_is_read_as_a_shell_would() {
    for text in [
        "curl -X POST https://a.service-now.com/oauth_token.do -d 'grant_type=refresh_token&client_id=id&client_secret=s%3B%3A%3Dc%27&refresh_token=RT&access_token=AT'",
        "$ curl --location 'https://a.service-now.com/oauth_token.do' \\\n  --header 'Content-Type: application/x-www-form-urlencoded' \\\n\
         --data-urlencode 'grant_type=refresh_token' \\\n --data-urlencode 'client_id=id' \\\n --data-urlencode \"client_secret=s;:=c'\" \\\n\
         --data-urlencode 'refresh_token=RT' -H 'Authorization: Bearer AT'\n",
        "curl -s -uid:\"s;:=c'\" https://a.service-now.com/oauth_token.do -dgrant_type=refresh_token -drefresh_token=RT --oauth2-bearer AT | jq .",
        "# my script\nACCESS_TOKEN=AT\nCLIENT_ID=id\nCLIENT_SECRET=\"s;:=c'\"\ncurl https://a.service-now.com/oauth_token.do \\\n  -d \"client_id=$CLIENT_ID\" -d \"client_secret=$CLIENT_SECRET\" -d refresh_token=RT\n",
    ] {
        assert_eq!(values(text), expected("s;:=c'"), "{text}");
    }
    // What a variable stands for is not known.
    let open = read("curl https://a.service-now.com -d \"client_secret=$SECRET\" -d client_id=id");
    assert!(open.client_secret.is_none() && open.client_id.is_some());
    let call = read(
        "curl \"https://a.service-now.com/api/now/table/incident?sysparm_limit=1\" -H \"Authorization: Bearer AT\" -u admin:pw",
    );
    assert_eq!(call.instance.as_deref(), Some("https://a.service-now.com"));
    assert_eq!(call.access_token.unwrap().expose(), "AT");
    // At the API it is a person's password.
    assert!(call.client_id.is_none() && call.has_password);
    assert_eq!(call.shape, Shape::Curl);
}

#[test]
fn values_nobody_took_are_counted() {
    assert_eq!(read("CLIENT_ID=a\nDATABASE_URL=x\nPORT=1\nscope=b\n# c=d\n").others, 2);
    let json = r#"{"name":"x","clientId":"a","theme":"dark","list":[{"key":"k","value":"v"}]}"#;
    assert_eq!(read(json).others, 2);
}

#[test]
fn strings_in_strings_come_to_an_end() {
    for text in [
        "a=jdbc:x:".repeat(100_000),
        format!("x={}", "jdbc:a=".repeat(100_000)),
        "[".repeat(100_000),
        format!("curl {}", "a ".repeat(300_000)),
        "k='';verbosity='';timeout='';".repeat(30_000),
        "curl -d ".repeat(100_000),
        "=;".repeat(300_000),
    ] {
        assert!(read(&text).is_empty());
    }
}

proptest! {
    #[test]
    fn any_text_is_read_to_its_end_and_nothing_is_made_up(text in any_text()) {
        let found = read(&text);
        let secrets = [found.client_secret, found.access_token, found.refresh_token];
        for secret in secrets.into_iter().flatten() {
            prop_assert!(!secret.is_empty());
            // Escapes aside, a secret stands in the text.
            if !text.contains(['\\', '%', '+', '\'', '"', '}']) {
                prop_assert!(text.contains(secret.expose()), "{:?}", secret.expose());
            }
        }
    }

    #[test]
    fn a_connection_string_gives_each_secret_back(
        secret in r"[!-~äß][ -~äß]{0,20}[!-~]",
        quote in 0..3_u8,
    ) {
        prop_assume!(!is_placeholder(&secret));
        let written = match quote {
            0 => format!("'{}'", secret.replace('\'', "''")),
            1 => format!("\"{}\"", secret.replace('"', "\"\"")),
            _ => format!("{{{}}}", secret.replace('}', "}}")),
        };
        let text = format!(
            "URL=https://a.service-now.com;InitiateOAuth=OFF;OAuthClientId=id;OAuthClientSecret={written};OAuthAccessToken=AT;OAuthRefreshToken=RT;"
        );
        prop_assert_eq!(values(&text), expected(&secret));
    }

    #[test]
    fn a_curl_command_gives_each_secret_back(
        secret in r"[!-~äß][ -~äß]{0,20}[!-~]",
        form in any::<bool>(),
    ) {
        prop_assume!(!is_placeholder(&secret));
        let written = if form {
            let mut pairs = url::form_urlencoded::Serializer::new(String::new());
            format!("-d '{}'", pairs.append_pair("client_secret", &secret).finish())
        } else {
            format!("--data-urlencode 'client_secret={}'", secret.replace('\'', "'\\''"))
        };
        let text = format!(
            "curl https://a.service-now.com/oauth_token.do \\\n {written} -d 'client_id=id&access_token=AT&refresh_token=RT'"
        );
        prop_assert_eq!(values(&text), expected(&secret));
    }
}

/// Text that means to be one of the shapes, cut and mixed.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        Just("OAuthClientSecret=".to_owned()),
        Just("jdbc:servicenow:".to_owned()),
        Just("curl -d ".to_owned()),
        Just("{\"values\":[{\"key\":\"client_secret\",\"value\":\"".to_owned()),
        Just("Client Secret: ".to_owned()),
        Just("client_secret='".to_owned()),
        Just("\\\r\n".to_owned()),
        Just("\\\r".to_owned()),
        "[;='\"{}\\[\\]$`\\\\&|]",
        "[a-z]{1,6}",
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

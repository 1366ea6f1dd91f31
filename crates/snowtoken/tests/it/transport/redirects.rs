//! R32, V20: a redirect is an answer like any other; nobody goes where it points.

use std::time::Duration;

use snowtoken::core::oauth::token::TokenError;

use crate::support::fault_server::{FaultServer, Step};
use crate::support::requests::{AMPLE, CANARY, answer, send};

#[test]
fn r32_no_redirect_is_followed() {
    let elsewhere = FaultServer::always(vec![Step::Read, Step::Send(answer(200, "", "{}"))]);
    for status in [301, 302, 303, 307, 308] {
        for place in [
            "/other".to_owned(),
            "?x=1".to_owned(),
            elsewhere.url("/oauth_token.do"),
            format!("https://127.0.0.1:{}/", elsewhere.port()),
            format!("//127.0.0.1:{}/", elsewhere.port()),
            "file:///etc/passwd".to_owned(),
            "data:application/json,{}".to_owned(),
        ] {
            let location = format!("location: {place}\r\n");
            // Ready for a second request, on the same connection and on another one.
            let reply = Step::Send(answer(status, &location, ""));
            let server = FaultServer::always(vec![
                Step::Read,
                reply.clone(),
                Step::Read,
                reply,
                Step::Stall,
            ]);
            let result = send(&server.url("/oauth_token.do"), AMPLE).unwrap();
            assert_eq!(result.status().as_u16(), status, "{place}");
            assert_eq!(server.requests().len(), 1, "{status} to {place}");
            assert_eq!(server.connections(), 1, "{status} to {place}");
        }
    }
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(elsewhere.connections(), 0, "the canary {CANARY} went on");
}

/// `Refresh` and a page that redirects are no different.
#[test]
fn r32_other_ways_to_redirect_are_not_followed_either() {
    let elsewhere = FaultServer::always(vec![Step::Read, Step::Send(answer(200, "", "{}"))]);
    let headers = format!(
        "refresh: 0; url={0}\r\ncontent-location: {0}\r\nalt-svc: h2=\":{1}\"\r\n",
        elsewhere.url("/"),
        elsewhere.port()
    );
    let page = format!("<meta http-equiv=refresh content='0; url={}'>", elsewhere.url("/"));
    let server = FaultServer::always(vec![Step::Read, Step::Send(answer(200, &headers, &page))]);
    let result = send(&server.url("/oauth_token.do"), AMPLE).unwrap();
    assert_eq!(result.body().expose(), page.as_bytes());
    assert_eq!((server.connections(), elsewhere.connections()), (1, 0));
}

/// What is made of it further up: an error that says so, and no token.
#[test]
fn r32_a_redirect_of_the_token_endpoint_is_told() {
    use snowtoken::core::oauth::client::{Client, ClientAuthentication, ClientId};
    use snowtoken::core::oauth::token::refresh;
    use snowtoken::core::servicenow::Instance;
    let body = r#"{"access_token":"a","token_type":"Bearer"}"#;
    let reply = answer(307, "location: /x\r\n", body);
    let server = FaultServer::always(vec![Step::Read, Step::Send(reply)]);
    let client =
        Client { id: ClientId::parse("id").unwrap(), authentication: ClientAuthentication::None };
    let endpoints = Instance::parse(&server.url("")).unwrap().endpoints();
    let (request, expected) = refresh(&endpoints, &client, &"r".to_owned().into());
    let transport = crate::support::requests::direct();
    let result = snowtoken::http::Transport::send(&transport, request, AMPLE).unwrap();
    let error = expected.receive(result).unwrap_err();
    assert_eq!(error, TokenError::Redirected { status: 307, sign_in: false });
}

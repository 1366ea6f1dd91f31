//! Answers and requests as bytes, tokens by number.

use snowtoken_core::oauth::{Request, Response};
use snowtoken_core::secret::Body;

pub(crate) fn granted(access: u32, refresh: u32, life: Option<i64>) -> Response {
    let refresh =
        if refresh == 0 { String::new() } else { format!(r#","refresh_token":"r{refresh}""#) };
    let life = life.map_or_else(String::new, |life| format!(r#","expires_in":{life}"#));
    reply(
        200,
        None,
        &format!(r#"{{"access_token":"a{access}","token_type":"Bearer"{refresh}{life}}}"#),
    )
}

pub(crate) fn reply(status: u16, retry_after: Option<i64>, body: &str) -> Response {
    let mut reply = http::Response::builder().status(status);
    if let Some(seconds) = retry_after {
        reply = reply.header("retry-after", seconds);
    }
    reply.body(Body::from(body.as_bytes().to_vec())).unwrap()
}

pub(crate) fn refresh_token(request: &Request) -> u32 {
    let mut form = url::form_urlencoded::parse(request.body().expose());
    let (_, token) = form.find(|(name, _)| name == "refresh_token").unwrap();
    token.strip_prefix('r').unwrap().parse().unwrap()
}

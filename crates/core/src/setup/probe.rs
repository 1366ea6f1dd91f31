//! What can be known of a client without anybody's consent: whether the authorization endpoint takes
//! its ID and redirect URI. Its secret shows at the first login only: the token endpoint gives one
//! answer to a wrong secret and to a wrong code.

use http::HeaderValue;
use http::header::ACCEPT;

use crate::oauth::client::{ClientId, uri_of};
use crate::oauth::encoding::component;
use crate::oauth::redirect::RedirectUri;
use crate::oauth::{Request, Response};
use crate::secret::Body;
use crate::servicenow::Instance;

/// What the authorization endpoint made of a client and a redirect URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceVerdict {
    /// It went on to the sign-in: both are known.
    Taken,
    /// It does not know this redirect URI for the client.
    RedirectUriUnknown,
    /// It does not know the client.
    ClientUnknown,
    /// It cannot be told.
    Unknown,
}

/// The request a browser would begin with. Nobody is signed in, so nothing is granted by it. `state`
/// is random text that is used for nothing else.
pub fn try_place(
    instance: &Instance,
    client_id: &ClientId,
    redirect_uri: &RedirectUri,
    state: &str,
) -> Request {
    let path = format!(
        "/oauth_auth.do?response_type=code&client_id={}&redirect_uri={}&state={}",
        component(client_id.as_str()).as_str(),
        component(redirect_uri.as_str()).as_str(),
        component(state).as_str()
    );
    let mut request = http::Request::new(Body::default());
    *request.uri_mut() = uri_of(&instance.at(&path));
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("text/html"));
    request
}

/// Judges the answer to [`try_place`].
pub fn judge_place(answer: &Response) -> PlaceVerdict {
    let body = String::from_utf8_lossy(answer.body().expose()).to_ascii_lowercase();
    if body.contains("invalid redirect_uri") || body.contains("invalid redirect uri") {
        return PlaceVerdict::RedirectUriUnknown;
    }
    if body.contains("invalid client_id") || body.contains("invalid client id") {
        return PlaceVerdict::ClientUnknown;
    }
    let location = answer.headers().get(http::header::LOCATION);
    let location = location.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_sign_in = ["login", "sso", "saml", "oauth_auth"].iter().any(|w| location.contains(w));
    if answer.status().is_redirection() && is_sign_in {
        PlaceVerdict::Taken
    } else {
        PlaceVerdict::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, location: &str, body: &str) -> PlaceVerdict {
        let body = Body::from(body.as_bytes().to_vec());
        let answer = http::Response::builder().status(status).header("location", location);
        judge_place(&answer.body(body).unwrap())
    }

    #[test]
    fn only_the_way_to_the_sign_in_counts_as_taken() {
        assert_eq!(judged(302, "/oauth_login.do?x=1", ""), PlaceVerdict::Taken);
        assert_eq!(
            judged(200, "", "<p>Invalid redirect_uri</p>"),
            PlaceVerdict::RedirectUriUnknown
        );
        assert_eq!(judged(400, "", "Invalid client_id"), PlaceVerdict::ClientUnknown);
        assert_eq!(judged(302, "https://app.example/cb?error=x", ""), PlaceVerdict::Unknown);
        assert_eq!(
            judged(200, "", "<title>Instance Hibernating page</title>"),
            PlaceVerdict::Unknown
        );
    }

    #[test]
    fn the_request_is_encoded() {
        let instance = Instance::parse("classics").unwrap();
        let uri = RedirectUri::parse("https://a.example/cb?x=1&y=2").unwrap();
        let request = try_place(&instance, &ClientId::parse("a&b").unwrap(), &uri, "s");
        assert_eq!(
            request.uri().to_string(),
            "https://classics.service-now.com/oauth_auth.do?response_type=code&client_id=a%26b\
             &redirect_uri=https%3A%2F%2Fa.example%2Fcb%3Fx%3D1%26y%3D2&state=s"
        );
    }
}

//! RFC 6749 §4.1.1 and §4.1.2 with RFC 7636 and RFC 9700 §2.1: from the authorization request to
//! the code, as states that consume themselves.

use std::fmt;

use jiff::Timestamp;
use url::Url;
use zeroize::{Zeroize as _, Zeroizing};

use super::client::{Client, ClientId};
use super::error::{ErrorCode, ErrorResponse};
use super::pkce::{CODE_CHALLENGE_METHOD, CodeVerifier};
use super::redirect::{Redirect, RedirectError, RedirectUri};
use super::token::{ExpectTokenResponse, GrantType};
use super::{Endpoints, Request, Scope, encoding};
use crate::secret::Secret;

/// 64 random bytes from the operating system: 32 for `state`, 32 for the `code_verifier`
/// (RFC 6749 §10.10 wants guesses to succeed with at most 2^-160; this is 2^-256).
pub struct Entropy(Zeroizing<[u8; 64]>);

impl Entropy {
    /// Takes bytes that must come from a cryptographic source and be used once.
    pub fn from_bytes(mut bytes: [u8; 64]) -> Self {
        let entropy = Self(Zeroizing::new(bytes));
        bytes.zeroize();
        entropy
    }

    pub(crate) fn half(&self, second: bool) -> Zeroizing<[u8; 32]> {
        let mut half = Zeroizing::new([0; 32]);
        let start = if second { 32 } else { 0 };
        half.copy_from_slice(&self.0[start..start + 32]);
        half
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy(…)")
    }
}

/// RFC 6749 §4.1.1: what is asked of the person and the server.
#[derive(Debug, Clone)]
pub struct AuthorizationRequest {
    /// Where the person is sent, and where the code will go.
    pub endpoints: Endpoints,
    /// RFC 6749 §2.2.
    pub client_id: ClientId,
    /// Sent here and again, byte for byte, at the token endpoint.
    pub redirect_uri: RedirectUri,
    /// Left out when `None`.
    pub scope: Option<Scope>,
}

impl AuthorizationRequest {
    /// The URL to open in a browser, and the state that waits for the redirect.
    pub fn begin(self, entropy: &Entropy) -> (Url, ExpectRedirect) {
        let verifier = CodeVerifier::from_entropy(&entropy.half(true));
        let state = state(entropy);
        let url = self.url(&state, Some(&verifier));
        (url, self.expect(state, verifier))
    }

    /// The same for a code that somebody else will exchange: it can only be handed over.
    ///
    /// Without [`Pkce::Off`] whoever exchanges it needs its `code_verifier` as well. There is no
    /// `plain`: a challenge that is its own verifier protects nothing (RFC 9700 §2.1.1).
    pub fn begin_hand_over(
        self,
        entropy: &Entropy,
        pkce: Pkce,
    ) -> (Url, ExpectRedirect<Option<CodeVerifier>>) {
        let verifier = match pkce {
            Pkce::On => Some(CodeVerifier::from_entropy(&entropy.half(true))),
            Pkce::Off => None,
        };
        let state = state(entropy);
        let url = self.url(&state, verifier.as_ref());
        (url, self.expect(state, verifier))
    }

    fn expect<V>(self, state: Secret, verifier: V) -> ExpectRedirect<V> {
        let Self { endpoints, redirect_uri, .. } = self;
        ExpectRedirect { endpoints, redirect_uri, state, verifier }
    }

    fn url(&self, state: &Secret, verifier: Option<&CodeVerifier>) -> Url {
        let challenge = verifier.map(CodeVerifier::challenge).unwrap_or_default();
        let query = encoding::pairs(&[
            ("response_type", "code"),
            ("client_id", self.client_id.as_str()),
            ("redirect_uri", self.redirect_uri.as_str()),
            ("scope", self.scope.as_ref().map_or("", Scope::as_str)),
            ("state", state.expose()),
            ("code_challenge", &challenge),
            ("code_challenge_method", verifier.map_or("", |_| CODE_CHALLENGE_METHOD)),
        ]);
        let mut url = self.endpoints.authorization.clone();
        // RFC 6749 §3.1: a query the endpoint already has must stay.
        let whole = match url.query() {
            Some(old) if !old.is_empty() => format!("{old}&{}", *query),
            _ => (*query).clone(),
        };
        url.set_query(Some(&whole));
        url
    }
}

/// Hex: ServiceNow wants a `state` without special characters, and 64 of these are 256 bits.
fn state(entropy: &Entropy) -> Secret {
    Secret::new(hex(&entropy.half(false)))
}

fn hex(bytes: &[u8; 32]) -> String {
    use fmt::Write as _;
    let mut text = String::with_capacity(64);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Whether a code that is handed over is bound to a `code_verifier` (RFC 7636).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pkce {
    /// It is worth nothing without the verifier.
    #[default]
    On,
    /// Whoever exchanges it cannot send one.
    Off,
}

/// Waits for the redirect of one authorization request. It knows the `state`, the redirect URI and
/// the `code_verifier` of that request, and only it can turn a code into a token request, or hand it
/// over. What was begun for a hand-over cannot be redeemed.
///
/// ```compile_fail,E0599
/// # use snowtoken_core::oauth::authorization::{CheckedCode, ExpectRedirect};
/// # use snowtoken_core::oauth::{client::Client, pkce::CodeVerifier};
/// fn spend(login: ExpectRedirect<Option<CodeVerifier>>, code: CheckedCode, client: &Client) {
///     let _ = login.redeem(code, client);
/// }
/// ```
#[derive(Debug)]
pub struct ExpectRedirect<V = CodeVerifier> {
    endpoints: Endpoints,
    redirect_uri: RedirectUri,
    state: Secret,
    verifier: V,
}

/// A code that nobody has exchanged yet, with all that whoever exchanges it has to send
/// (RFC 6749 §4.1.3, RFC 7636 §4.5). The client's own authentication is theirs.
#[derive(Debug)]
pub struct FreshCode {
    /// The code. It is good once.
    pub code: Secret,
    /// The redirect URI to repeat, byte for byte.
    pub redirect_uri: RedirectUri,
    /// The verifier, unless the request was made without PKCE.
    pub code_verifier: Option<Secret>,
    /// When it ends, at the latest: the instance began to count before we had it.
    pub good_until: Timestamp,
}

/// A code whose `state` was checked. Only [`ExpectRedirect::examine`] makes one.
#[derive(Debug)]
pub struct CheckedCode(Secret);

impl CheckedCode {
    /// The code, for the forms that ask for it after it was spent.
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

/// Why a redirect is no answer to this request. None of these sends anything; all but
/// [`AuthorizationError::Refused`] may come from strangers, so a listener goes on waiting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizationError {
    /// It could not be read, or leads elsewhere.
    #[error(transparent)]
    Redirect(#[from] RedirectError),
    /// RFC 6749 §10.12: `state` is missing or another one.
    #[error("the redirected URL carries {} `state`", if *.missing { "no" } else { "another login's" })]
    StateMismatch {
        /// Whether there was none at all.
        missing: bool,
    },
    /// RFC 6749 §4.1.2.1, with the right `state`.
    #[error("the redirected URL carries an error ({0})")]
    Refused(ErrorResponse),
    /// The right `state`, but neither `code` nor `error`.
    #[error("the redirected URL carries neither `code` nor `error`")]
    NoCode,
}

impl<V> ExpectRedirect<V> {
    /// The redirect URI of this request.
    pub fn redirect_uri(&self) -> &RedirectUri {
        &self.redirect_uri
    }

    /// Reads whatever a person pasted: a URL, a query, wrapped, quoted, HTML-escaped.
    ///
    /// # Errors
    /// In this order: unreadable, elsewhere or with repeated parameters; wrong `state`; an `error`.
    pub fn examine(&self, pasted: &str) -> Result<CheckedCode, AuthorizationError> {
        self.check(Redirect::from_paste(pasted, &self.redirect_uri)?)
    }

    /// Reads the query of a request that reached the redirect URI itself, at our listener.
    ///
    /// # Errors
    /// As [`ExpectRedirect::examine`].
    pub fn examine_query(&self, query: &str) -> Result<CheckedCode, AuthorizationError> {
        self.check(Redirect::from_query(query)?)
    }

    /// A code without `state`, where the person insists: nothing proves whose it is.
    ///
    /// # Errors
    /// If it is no bare code.
    pub fn examine_bare_code(&self, pasted: &str) -> Result<CheckedCode, AuthorizationError> {
        Ok(CheckedCode(Redirect::bare_code(pasted)?))
    }

    fn check(&self, redirect: Redirect) -> Result<CheckedCode, AuthorizationError> {
        // RFC 9700 §2.1: `state` first. An error from a stranger must not end the login.
        match &redirect.state {
            Some(state) if self.state.matches(state.expose()) => {}
            other => {
                return Err(AuthorizationError::StateMismatch { missing: other.is_none() });
            }
        }
        if let Some(error) = redirect.error {
            let code = ErrorCode::from_text(&error);
            return Err(AuthorizationError::Refused(ErrorResponse {
                code,
                description: redirect.error_description,
            }));
        }
        redirect.code.map(CheckedCode).ok_or(AuthorizationError::NoCode)
    }

    /// Hands the code over to somebody else, unspent. The login is used up by it: the same code cannot
    /// be redeemed here as well.
    ///
    /// ```compile_fail,E0382
    /// # use snowtoken_core::Timestamp;
    /// # use snowtoken_core::oauth::authorization::{CheckedCode, ExpectRedirect};
    /// # use snowtoken_core::oauth::client::Client;
    /// fn both(login: ExpectRedirect, one: CheckedCode, two: CheckedCode, client: &Client) {
    ///     let _ = login.hand_over(one, Timestamp::MAX);
    ///     let _ = login.redeem(two, client);
    /// }
    /// ```
    pub fn hand_over(self, code: CheckedCode, good_until: Timestamp) -> FreshCode
    where
        V: Into<Option<CodeVerifier>>,
    {
        FreshCode {
            code: code.0,
            redirect_uri: self.redirect_uri,
            code_verifier: self.verifier.into().map(CodeVerifier::into_secret),
            good_until,
        }
    }
}

impl ExpectRedirect {
    /// RFC 6749 §4.1.3: the one token request this code may be used for.
    ///
    /// The login is spent by it: a second request for the same redirect cannot be written.
    ///
    /// ```compile_fail,E0382
    /// # use snowtoken_core::oauth::authorization::{CheckedCode, ExpectRedirect};
    /// # use snowtoken_core::oauth::client::Client;
    /// fn twice(login: ExpectRedirect, one: CheckedCode, two: CheckedCode, client: &Client) {
    ///     let _ = login.redeem(one, client);
    ///     let _ = login.redeem(two, client);
    /// }
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "a code is spent by being handed over")]
    pub fn redeem(self, code: CheckedCode, client: &Client) -> (Request, ExpectTokenResponse) {
        let request = client.post(
            &self.endpoints.token,
            &[
                ("grant_type", GrantType::AuthorizationCode.as_str()),
                ("code", code.0.expose()),
                ("redirect_uri", self.redirect_uri.as_str()),
                ("code_verifier", self.verifier.secret().expose()),
            ],
        );
        (request, ExpectTokenResponse::new(GrantType::AuthorizationCode))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::client::ClientAuthentication;

    fn request(authorization: &str, scope: Option<&str>) -> AuthorizationRequest {
        AuthorizationRequest {
            endpoints: Endpoints {
                authorization: Url::parse(authorization).unwrap(),
                token: Url::parse("https://a.example/token").unwrap(),
                revocation: vec![],
            },
            client_id: ClientId::parse("id").unwrap(),
            redirect_uri: RedirectUri::parse("https://r.example/cb").unwrap(),
            scope: scope.map(|s| Scope::parse(s).unwrap()),
        }
    }

    fn entropy() -> Entropy {
        let mut bytes = [1; 64];
        bytes[32..].fill(2);
        Entropy::from_bytes(bytes)
    }

    fn state() -> String {
        "01".repeat(32)
    }

    /// R1, R2, R6, R12: `code` only, the redirect URI, S256, blanks as %20, the endpoint's own query kept.
    #[test]
    fn the_authorization_url_holds_each_parameter_once() {
        let (url, _) = request("https://a.example/auth?sysparm=1", Some("openid useraccount"))
            .begin(&entropy());
        assert_eq!(
            url.as_str(),
            format!(
                "https://a.example/auth?sysparm=1&response_type=code&client_id=id&redirect_uri=https%3A%2F%2Fr.example%2Fcb\
                 &scope=openid%20useraccount&state={}&code_challenge=G5zQkQw8bWW6IAonAvvJLTIWNKaXk-U44oYPZr00qPk&code_challenge_method=S256",
                state()
            )
            .replace("G5zQkQw8bWW6IAonAvvJLTIWNKaXk-U44oYPZr00qPk", &CodeVerifier::from_entropy(&[2; 32]).challenge())
        );
        // R7, R9: the verifier is another secret than `state`, and is not shown.
        assert!(!url.as_str().contains(CodeVerifier::from_entropy(&[2; 32]).secret().expose()));
    }

    #[test]
    fn no_scope_is_no_parameter() {
        let (url, _) = request("https://a.example/auth", None).begin(&entropy());
        assert!(!url.as_str().contains("scope"));
    }

    /// R3: every way in which `state` can differ.
    #[test]
    fn another_state_is_refused_before_anything_else() {
        let (_, expect) = request("https://a.example/auth", None).begin(&entropy());
        let right = state();
        for wrong in [
            "",
            &right[1..],
            &right.to_uppercase().replace("01", "0A"),
            &format!("{right}0"),
            &"10".repeat(32),
        ] {
            for rest in ["code=c", "error=access_denied"] {
                assert_eq!(
                    expect.examine_query(&format!("{rest}&state={wrong}")).unwrap_err(),
                    AuthorizationError::StateMismatch { missing: wrong.is_empty() },
                );
            }
        }
        assert_eq!(
            expect.examine_query("code=c").unwrap_err(),
            AuthorizationError::StateMismatch { missing: true }
        );
    }

    /// R16: an error counts only with the right `state`.
    #[test]
    fn an_error_with_the_right_state_is_explained() {
        let (_, expect) = request("https://a.example/auth", None).begin(&entropy());
        let error = expect.examine(&format!(
            "?error=access_denied&error_description=no%1b[31m&state={}",
            state()
        ));
        assert_eq!(
            error.unwrap_err().to_string(),
            r"the redirected URL carries an error (access_denied: no\u{1b}[31m)"
        );
    }

    /// RFC 7636 §4.5: what is handed over is what a token request needs, and the verifier fits the
    /// challenge that was sent.
    #[test]
    fn a_code_is_handed_over_with_its_redirect_uri_and_verifier() {
        for pkce in [Pkce::On, Pkce::Off] {
            let (url, expect) =
                request("https://a.example/auth", None).begin_hand_over(&entropy(), pkce);
            let code = expect.examine_query(&format!("code=a%2Bb&state={}", state())).unwrap();
            let fresh = expect.hand_over(code, Timestamp::UNIX_EPOCH);
            assert_eq!(fresh.code.expose(), "a+b");
            assert_eq!(fresh.redirect_uri.as_str(), "https://r.example/cb");
            assert_eq!(fresh.good_until, Timestamp::UNIX_EPOCH);
            assert!(!format!("{fresh:?}").contains("a+b"));
            let verifier = CodeVerifier::from_entropy(&[2; 32]);
            assert_eq!(fresh.code_verifier.is_some(), pkce == Pkce::On);
            assert_eq!(url.as_str().contains(&verifier.challenge()), pkce == Pkce::On);
            assert_eq!(url.as_str().contains("code_challenge"), pkce == Pkce::On);
            if let Some(found) = fresh.code_verifier {
                assert_eq!(&found, verifier.secret());
            }
        }
    }

    /// What is begun for ourselves may be handed over in the end.
    #[test]
    fn a_login_may_hand_its_code_over_instead() {
        let (_, expect) = request("https://a.example/auth", None).begin(&entropy());
        let code = expect.examine_query(&format!("code=c&state={}", state())).unwrap();
        let fresh = expect.hand_over(code, Timestamp::MAX);
        assert_eq!(
            fresh.code_verifier.as_ref(),
            Some(CodeVerifier::from_entropy(&[2; 32]).secret())
        );
    }

    /// R2, R22, R28: the redirect URI again, byte for byte; the code once.
    #[test]
    fn the_code_goes_to_the_token_endpoint_with_the_verifier() {
        let (_, expect) = request("https://a.example/auth", None).begin(&entropy());
        let code = expect
            .examine(&format!("https://r.example/cb?code=a%2Bb&state={}&iss=x", state()))
            .unwrap();
        let client = Client {
            id: ClientId::parse("id").unwrap(),
            authentication: ClientAuthentication::None,
        };
        let (request, _) = expect.redeem(code, &client);
        assert_eq!(request.uri(), "https://a.example/token");
        assert_eq!(
            std::str::from_utf8(request.body().expose()).unwrap(),
            format!(
                "grant_type=authorization_code&code=a%2Bb&redirect_uri=https%3A%2F%2Fr.example%2Fcb&code_verifier={}&client_id=id",
                CodeVerifier::from_entropy(&[2; 32]).secret().expose()
            )
        );
    }
}

//! The pure core of snowtoken: OAuth messages, ServiceNow facts, and a token's life.
//!
//! It is *sans I/O*: it reads no clock, dice, environment, disk or network. Time and randomness are
//! arguments; requests and answers are values of the `http` crate; whoever calls it sends, waits,
//! stores and prints. That makes it usable with any HTTP client, and every line of it testable with
//! time that moves by hand.
//!
//! Two machines live here, of two natures:
//!
//! - **A login is a line.** Each state consumes itself and names what it waits for:
//!   [`oauth::authorization::AuthorizationRequest`] → [`oauth::authorization::ExpectRedirect`] →
//!   [`oauth::token::ExpectTokenResponse`] → [`token_set::TokenSet`]. The `state` check cannot be
//!   skipped and the `code_verifier` cannot be lost: there is no other road.
//! - **A token's life is long.** [`keeper::Keeper`] is polled: tell it what happened
//!   (`handle_…`), ask it what to do (`poll_…`).
//!
//! # Deliberately absent
//!
//! - No password grant (RFC 9700 §2.4), no implicit grant (§2.1.2), no PKCE `plain` (RFC 7636 §7.2).
//! - No `id_token`: should one come, it is neither used nor stored.
//! - No discovery: a ServiceNow instance has fixed endpoints, see [`servicenow::Instance::endpoints`].
//! - No retries by itself, no cookies, no redirects: the shell sends exactly what is asked for.
//!
//! # Example
//!
//! ```
//! use snowtoken_core::oauth::authorization::{AuthorizationRequest, Entropy};
//! use snowtoken_core::oauth::client::{Client, ClientAuthentication, ClientId};
//! use snowtoken_core::oauth::redirect::RedirectUri;
//! use snowtoken_core::secret::Secret;
//! use snowtoken_core::servicenow::Instance;
//!
//! let instance = Instance::parse("classics")?;
//! let client = Client {
//!     id: ClientId::parse("0123456789abcdef0123456789abcdef")?,
//!     authentication: ClientAuthentication::Post(Secret::new("s3cr3t")),
//! };
//! let redirect_uri = RedirectUri::parse("http://127.0.0.1:8456/callback")?;
//! let request = AuthorizationRequest {
//!     endpoints: instance.endpoints(),
//!     client_id: client.id.clone(),
//!     redirect_uri,
//!     scope: None,
//! };
//! let (url, expect_redirect) = request.begin(&Entropy::from_bytes([7; 64])); // real dice, please
//! assert!(url.as_str().starts_with("https://classics.service-now.com/oauth_auth.do?response_type=code"));
//!
//! // The person consents; the browser comes back with a URL that carries `code` and `state`.
//! # let state = url.query_pairs().find(|(k, _)| k == "state").unwrap().1.into_owned();
//! let code = expect_redirect.examine(&format!("http://127.0.0.1:8456/callback?code=abc&state={state}"))?;
//! let (request, expect_token_response) = expect_redirect.redeem(code, &client);
//! assert_eq!(request.uri(), "https://classics.service-now.com/oauth_token.do");
//! # let answer = http::Response::builder().status(200).body(snowtoken_core::secret::Body::from(
//! #     br#"{"access_token":"at","refresh_token":"rt","scope":"useraccount","token_type":"Bearer","expires_in":1799}"#.to_vec()))?;
//! // Send it with any HTTP client, then judge the answer:
//! let tokens = expect_token_response.receive(answer)?;
//! assert_eq!(tokens.expires_in, Some(1799));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod diagnosis;
pub mod keeper;
pub mod ledger;
pub mod oauth;
pub mod printable;
pub mod probe;
pub mod profile;
pub mod secret;
pub mod servicenow;
pub mod setup;
pub mod target;
pub mod token_set;

pub use jiff::{SignedDuration, Timestamp};

//! The rules of the OAuth RFCs for a client, row by row: a test here is named after its row.
//!
//! Rows that only the world can prove (sockets, processes, certificates) are proven by the crates
//! that own that piece of the world; this is the index.
//!
//! | Row | Says | Proven by |
//! |---|---|---|
//! | R1-R7 | what an authorization request holds | `authorization.rs` |
//! | R8 | `state` stays mandatory beside PKCE | `redirect.rs` |
//! | R9, R10 | nothing sensitive in the URL, no scope added | `authorization.rs` |
//! | R11 | the system's browser | crate `snowtoken`, its opener; no web view is among the dependencies |
//! | R12, R13 | endpoint queries kept, https only | `authorization.rs` |
//! | R14-R17 | what a redirect must look like | `redirect.rs`, `../instance_names.rs` |
//! | R18 | one redirect URI per server | cannot hold, the URI is the target's; R19 and R20 make up for it |
//! | R19 | a code goes only where it was asked for | `redirect.rs` |
//! | R20 | `iss` | not announced by an instance, so it is discarded: `redirect.rs` |
//! | R21-R24 | error redirects, one use of a code, hostile text | `redirect.rs`, `../fuzz_seeds.rs` |
//! | R25-R27 | the page and the socket of the listener | crate `snowtoken`, its loopback listener |
//! | R28, R29 | the form of a token request | `token.rs` |
//! | R30, R31 | certificates, nothing in clear | crate `snowtoken`, its transport; R13 for the addresses |
//! | R32 | no redirect is followed | `token.rs` for the verdict, crate `snowtoken` for the socket |
//! | R33-R38 | reading a token answer | `token.rs` |
//! | R39, R40 | refresh | `refresh.rs`, `../pair` |
//! | R41, R42 | secrets at rest and in transit | `refresh.rs` for what can be printed, crate `snowtoken-store` for the disk |
//! | R43, R44 | how and where an access token is sent | `refresh.rs` |
//! | R45-R50 | revocation | `revocation.rs` |
//! | RFC 7523 | assertions | `assertion.rs`, `../pair/own_grant.rs`; the signature: crate `snowtoken`, its `signing` |
//! | R51 | introspection | not implemented: instances document no such endpoint |

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "requirements/support.rs"]
mod support;

#[path = "requirements/assertion.rs"]
mod assertion;
#[path = "requirements/authorization.rs"]
mod authorization;
#[path = "requirements/redirect.rs"]
mod redirect;
#[path = "requirements/refresh.rs"]
mod refresh;
#[path = "requirements/revocation.rs"]
mod revocation;
#[path = "requirements/token.rs"]
mod token;

//! Targets: the products that take ServiceNow tokens, with what each of them wants.
//!
//! What is known of each product is data, read from files by the library; here is what a target is,
//! and which of its statements cannot be.

mod advice;
mod check;
mod class;
mod form;
mod place;

pub use check::TargetFault;
pub use class::{Class, Confidence};
pub use form::{Field, InstanceForm, Limits, Value};
pub use place::{AlsoRegister, Fit, Refused, Regions, TargetError};

/// A product the tokens are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its name on the command line: `a-z 0-9 -`, at most 63 characters.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What it takes, which decides what there is to do here.
    pub class: Class,
    /// Where the code is sent: a URL, with `{region}` where the region stands, or another word in
    /// braces that only the person can fill in. `None` when nobody but the product knows, or when
    /// there is none.
    pub redirect_uri: Option<String>,
    /// Where the product shows its redirect URI, if it has to be read there.
    pub redirect_uri_from: Option<String>,
    /// Redirect URIs to register beside it.
    pub also_register: Vec<AlsoRegister>,
    /// The regions that exist.
    pub regions: Regions,
    /// The scope to ask for; empty leaves it to the client.
    pub scope: String,
    /// Recommended Access Token Lifespan in seconds, if the product has a wish.
    pub access_token_lifespan: Option<i64>,
    /// Recommended Refresh Token Lifespan in seconds, if the product has a wish.
    pub refresh_token_lifespan: Option<i64>,
    /// The fields of its form by their labels, in its order.
    pub fields: Vec<Field>,
    /// Whether `login` writes the credentials file unless told otherwise.
    pub credentials_file: bool,
    /// The shapes of `deliver` that fit it, the usual one first.
    pub formats: Vec<String>,
    /// What it refuses.
    pub limits: Limits,
    /// How it wants the instance written.
    pub instance: InstanceForm,
    /// The domains of the instances it takes; empty: it takes any.
    pub domains: Vec<String>,
    /// The tables it reads.
    pub tables: Vec<String>,
    /// The roles its user needs.
    pub roles: Vec<String>,
    /// What else its user on the instance needs, beside what every target of its class wants
    /// ([`Target::advice`]).
    pub user_advice: Vec<String>,
    /// What else somebody who sets it up should know.
    pub notes: Vec<String>,
    /// How sure this is.
    pub confidence: Confidence,
    /// Where it comes from.
    pub sources: Vec<String>,
}

//! What a browser asks of the wizard and what it gets: requests without HTTP.

use http::StatusCode;
use snowtoken::Secret;
use zeroize::Zeroizing;

/// Stands in pages where the forms' token belongs; the server puts it there.
pub const CSRF_MARK: &str = "@csrf@";

/// Whoever answers.
pub trait Site {
    /// A page, or something to download.
    fn get(&mut self, path: &str, query: Option<&str>) -> Reply;

    /// A form of ours.
    fn post(&mut self, path: &str, form: Form) -> Reply;
}

/// A page with its status.
#[derive(Debug)]
pub struct Shown(pub StatusCode, pub Zeroizing<String>);

/// An answer.
#[derive(Debug)]
pub enum Reply {
    /// A page.
    Page(StatusCode, Zeroizing<String>),
    /// The last page: the wizard ends with it.
    Goodbye(Shown),
    /// On to another page of ours, by GET.
    To(String),
    /// Something for our own script.
    Json(String),
    /// A single value, for our own script to copy.
    Text(Secret),
    /// A file to save. The name is made of our own words.
    File {
        /// Its name.
        name: String,
        /// Its media type.
        kind: &'static str,
        /// What is in it.
        bytes: Zeroizing<Vec<u8>>,
    },
    /// There is nothing at this path.
    NotFound,
}

impl Reply {
    /// A page that is as it should be.
    pub fn page(html: impl Into<String>) -> Self {
        Self::Page(StatusCode::OK, Zeroizing::new(html.into()))
    }
}

/// The fields of a form. Each may be secret.
pub struct Form(Vec<(String, Secret)>);

impl Form {
    /// Reads `application/x-www-form-urlencoded`; `None` if it is no UTF-8, or names a field twice.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        std::str::from_utf8(bytes).ok()?;
        let mut fields: Vec<(String, Secret)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(bytes) {
            if fields.iter().any(|(own, _)| *own == name) {
                return None;
            }
            fields.push((name.into_owned(), Secret::new(value.into_owned())));
        }
        Some(Self(fields))
    }

    /// A field, as it was typed.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.secret(name).map(Secret::expose)
    }

    /// A field that is secret.
    pub fn secret(&self, name: &str) -> Option<&Secret> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    /// A field without blanks around it; nothing if it is empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).map(str::trim).filter(|text| !text.is_empty())
    }
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

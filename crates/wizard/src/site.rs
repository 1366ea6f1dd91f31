//! What a browser asks of the wizard and what it gets: requests without HTTP.

use std::time::Duration;

use http::StatusCode;
use snowtoken::Secret;
use tokio::sync::watch;
use zeroize::Zeroizing;

/// Stands in pages where the forms' token belongs; the server puts it there.
pub const CSRF_MARK: &str = "@csrf@";

/// Stands where a page says after how many seconds the wizard may have ended.
pub const IDLE_MARK: &str = "@idle@";

/// Stands where a page without a script has the style that ages it.
pub const AGE_MARK: &str = "@age@";

/// Most of what takes time is done by then, so most people see what became of it without a page in
/// between.
pub const MOMENT: Duration = Duration::from_secs(3);

/// No form of ours has more fields.
const MOST_FIELDS: usize = 64;

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
    /// The same, as soon as something changes, or after [`MOMENT`]. Others are served meanwhile.
    Soon {
        /// Where to.
        to: String,
        /// What changes.
        changes: watch::Receiver<()>,
    },
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
    /// Reads `application/x-www-form-urlencoded`; `None` if it is no UTF-8, names a field twice, or
    /// has more fields than any form of ours. Nothing of a value stays behind.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut fields: Vec<(String, Secret)> = Vec::new();
        for pair in bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let end = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let name = decoded(&pair[..end])?;
            let value = decoded(pair.get(end + 1..).unwrap_or_default())?;
            if fields.len() == MOST_FIELDS || fields.iter().any(|(own, _)| *own == name) {
                return None;
            }
            fields.push((name, Secret::new(value)));
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

/// Undoes what the URL standard's form serializer does. The text has its full size at once, so that
/// no part of it is ever moved.
fn decoded(bytes: &[u8]) -> Option<String> {
    let mut plain = Zeroizing::new(Vec::with_capacity(bytes.len()));
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        let escaped = if first == b'%' {
            after.first_chunk().and_then(|digits| hexadecimal(*digits))
        } else {
            None
        };
        plain.push(match first {
            b'+' => b' ',
            other => escaped.unwrap_or(other),
        });
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    std::str::from_utf8(&plain).ok()?;
    String::from_utf8(std::mem::take(&mut *plain)).ok()
}

fn hexadecimal(digits: [u8; 2]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(digits[0])? * 16 + digit(digits[1])?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(form: &str) -> Option<Vec<(String, String)>> {
        let form = Form::parse(form.as_bytes())?;
        Some(form.0.iter().map(|(n, v)| (n.clone(), v.expose().to_owned())).collect())
    }

    #[test]
    fn a_form_is_read_as_the_url_crate_reads_it() {
        for form in [
            "",
            "&",
            "a=1",
            "a=1&b=2&",
            "a",
            "=",
            "=x",
            "a==",
            "a=b=c",
            "a=+%20%2B",
            "a=%",
            "a=%4",
            "a=%zz",
            "a=%C3%A9",
            "%61=x",
            "a=%00",
            "a=%0D%0A",
            "a=%F0%9F%98%80&&b",
            "a=%2525",
        ] {
            let by_url: Vec<_> =
                url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
            assert_eq!(fields(form), Some(by_url), "{form}");
        }
    }

    #[test]
    fn a_form_that_can_be_read_in_two_ways_is_not_read() {
        assert_eq!(fields("a=1&a=2"), None);
        assert_eq!(fields("a=1&%61=2"), None);
        assert_eq!(fields("a=%FF"), None);
        assert!(Form::parse(b"a=\xff").is_none());
        let many: Vec<String> = (0..=MOST_FIELDS).map(|n| format!("f{n}=")).collect();
        assert_eq!(fields(&many.join("&")), None);
        assert_eq!(fields(&many[1..].join("&")).map(|all| all.len()), Some(MOST_FIELDS));
    }
}

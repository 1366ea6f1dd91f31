//! Deliveries to files: written whole, remembered, looked at again, and written again when the tokens
//! change, where a person asked for that.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use snowtoken_core::diagnosis::{Code, Diagnose, Hint};
use snowtoken_core::printable::Printable;
use snowtoken_core::profile::ProfileName;
use snowtoken_store::write_file::{self, WriteFileError};
use snowtoken_store::{AuditEntry, Delivery, StoreError, TokenStore, Wish};
use zeroize::Zeroizing;

use super::{Credentials, Format, Order, Piece, Template, TemplateError, Unfit};
use crate::errand::{Errand, ErrandError};
use crate::variables;
use crate::world::Environment;

/// Larger templates are none, in bytes.
const LARGEST: u64 = 256 * 1024;

/// Larger files hold something else than credentials, in bytes.
const LARGEST_COPY: u64 = 1024 * 1024;

/// How long a reload may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The credentials file, where nobody named another.
const FILE_NAME: &str = "servicenow_credentials.txt";

/// Why a delivery could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    /// The values do not fit the shape.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteFileError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The template cannot be read.
    #[error("the template {} cannot be read", .path.display())]
    TemplateUnreadable {
        /// Where it should be.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The template is none.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// It could not be found again by what is recorded.
    #[error("the path {} is no UTF-8 text, and could not be found again", .0.display())]
    PathNoText(PathBuf),
    /// It was recorded by another version.
    #[error("this version does not know the shape \"{}\"", Printable(.0))]
    UnknownShape(String),
}

impl Diagnose for DeliverError {
    fn code(&self) -> Code {
        match self {
            Self::Unfit(error) => error.code(),
            Self::Write(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::TemplateUnreadable { .. } | Self::Template(_) => Code::TemplateInvalid,
            Self::PathNoText(_) => Code::Usage,
            Self::UnknownShape(_) => Code::DeliveryUnfit,
        }
    }

    fn hints(&self) -> Vec<Hint> {
        match self {
            Self::Unfit(error) => error.hints(),
            Self::Write(error) => error.hints(),
            Self::Store(error) => error.hints(),
            Self::PathNoText(_) => vec![Hint::note("nothing was written; name another file")],
            other => other.code().entry().hints(),
        }
    }
}

/// A delivery that was made to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Whether the file holds other values than before: dates and comments do not count.
    pub changed: bool,
}

/// A delivery that followed a change of the tokens.
#[derive(Debug)]
pub struct Followed {
    /// Whose.
    pub profile: ProfileName,
    /// In which shape.
    pub format: String,
    /// Where.
    pub path: String,
    /// How it went. The tokens are as they are, whatever this says.
    pub result: Result<Written, DeliverError>,
    /// The person's own line for the shell, to be run if something changed.
    pub reload: Option<String>,
}

/// Somebody who is told of deliveries that followed, on the thread and under the lock under which
/// the tokens changed: it must not take long.
pub type Follower = Arc<dyn Fn(Followed) + Send + Sync>;

/// Reads a template.
///
/// # Errors
/// If it cannot be read, somebody else could have written it, or it is no template.
pub fn read_template(path: &Path) -> Result<Template, DeliverError> {
    let text = write_file::read_text(path, LARGEST)
        .map_err(|source| DeliverError::TemplateUnreadable { path: path.to_owned(), source })?;
    Ok(Template::parse(&text)?)
}

/// What a recorded delivery was made by.
///
/// # Errors
/// If this version does not know it, or its template is gone.
pub fn order_of(delivery: &Delivery) -> Result<Order, DeliverError> {
    let unknown = || DeliverError::UnknownShape(delivery.format.clone());
    let format = Format::find(&delivery.format).ok_or_else(unknown)?;
    let wish = &delivery.wish;
    let variant = wish.variant.as_deref();
    let variant = variant.map(|word| format.variant(word).ok_or_else(unknown)).transpose()?;
    let field = wish.field.as_deref();
    let field = field.map(|word| Piece::find(word).ok_or_else(unknown)).transpose()?;
    let template = wish.template.as_deref().map(Path::new).map(read_template).transpose()?;
    let (name, place) = (wish.name.clone(), wish.place.clone());
    Ok(Order { format, variant, name, place, field, template })
}

/// Where the credentials file of this profile went last.
///
/// # Errors
/// If the store cannot be read.
pub fn last_place(
    store: &dyn TokenStore,
    profile: &ProfileName,
) -> Result<Option<PathBuf>, StoreError> {
    let name = Format::CredentialsFile.as_str();
    let forms = store.deliveries(profile)?.into_iter().filter(|delivery| delivery.format == name);
    Ok(forms.max_by_key(|delivery| delivery.at).map(|last| PathBuf::from(last.path)))
}

/// Where a credentials file goes that went nowhere before: the desktop, or the home folder.
pub fn first_place(environment: &Environment) -> Option<PathBuf> {
    let folder = environment.desktop().or_else(|| environment.home_folder());
    folder.map(|folder| folder.join(FILE_NAME))
}

/// The text by which a delivery to this path is recorded.
///
/// # Errors
/// If it is none: another file would be written later in its place.
pub fn place_of(path: &Path) -> Result<&str, DeliverError> {
    path.to_str().ok_or_else(|| DeliverError::PathNoText(path.to_owned()))
}

/// Writes the file whole or not at all, for its owner only, and remembers where and what.
///
/// # Errors
/// If the values do not fit, or file or store cannot be written.
pub fn write(
    store: &mut dyn TokenStore,
    path: &Path,
    credentials: &Credentials<'_>,
    order: &Order,
    mut wish: Wish,
) -> Result<Written, DeliverError> {
    let place = place_of(path)?.to_owned();
    let text = credentials.render(order)?;
    let format = order.format.as_str();
    let profile = &credentials.profile.name;
    let values = digits(&store.fingerprint(credentials.identity(order).as_bytes()));
    let before = store.deliveries(profile)?;
    let before = before.into_iter().find(|one| one.format == format && one.path == place);
    let unchanged = before.is_some_and(|before| {
        before.wish.values.as_ref() == Some(&values) && is_untouched(store, &before)
    });
    write_file::replace(path, text.as_bytes())?;
    let fingerprint = store.fingerprint(text.as_bytes());
    let (profile, at) = (profile.clone(), credentials.created);
    let detail = if wish.follow { "followed from now on: " } else { "" };
    store.append_audit(&AuditEntry {
        at,
        profile: profile.clone(),
        event: "delivery".to_owned(),
        outcome: "done".to_owned(),
        detail: format!("{detail}{format} {place}"),
    })?;
    wish.values = Some(values);
    let format = format.to_owned();
    store.record_delivery(&Delivery { profile, format, path: place, fingerprint, at, wish })?;
    Ok(Written { changed: !unchanged })
}

/// How a delivered copy stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It holds what is stored.
    Same,
    /// The copy is not there, and need not be: it does not follow the tokens, or there are none.
    Gone,
    /// It does not, and why.
    Drifted(String),
}

/// Whether a delivered copy still holds what is stored. No secret is in the answer.
pub fn standing(
    store: &dyn TokenStore,
    delivery: &Delivery,
    credentials: Option<&Credentials<'_>>,
) -> Standing {
    let drifted = |how: &str| Standing::Drifted(how.to_owned());
    let copy = match read_copy(&delivery.path) {
        Ok(copy) => copy,
        Err(error)
            if error.kind() == std::io::ErrorKind::NotFound
                && (credentials.is_none() || !delivery.wish.follow) =>
        {
            return Standing::Gone;
        }
        Err(error) => return Standing::Drifted(format!("cannot be read: {error}")),
    };
    if store.fingerprint(copy.as_bytes()) != delivery.fingerprint {
        return drifted("was changed after the delivery");
    }
    let Some(credentials) = credentials else {
        return drifted("holds tokens that are not in the store any more");
    };
    let order = match order_of(delivery) {
        Ok(order) => order,
        Err(error) => return Standing::Drifted(format!("cannot be compared: {error}")),
    };
    let same = match &delivery.wish.values {
        Some(values) => {
            let now = store.fingerprint(credentials.identity(&order).as_bytes());
            *values == digits(&now)
        }
        // It was recorded before values had a fingerprint of their own.
        None => credentials.render(&order).is_ok_and(|text| same_values(&text, &copy)),
    };
    if same { Standing::Same } else { drifted("holds older tokens than the store") }
}

/// Writes again every file that is to follow the tokens. To be called under the profile's lock, when
/// the new tokens are stored; `except` is a file that has been written already.
pub fn redo(
    store: &mut dyn TokenStore,
    credentials: &Credentials<'_>,
    except: Option<&str>,
) -> Vec<Followed> {
    let profile = credentials.profile;
    let deliveries = match store.deliveries(&profile.name) {
        Ok(deliveries) => deliveries,
        Err(error) => {
            log::warn!("{}: nothing follows: the deliveries cannot be read: {error}", profile.name);
            return Vec::new();
        }
    };
    let wanted = deliveries
        .into_iter()
        .filter(|delivery| delivery.wish.follow && Some(delivery.path.as_str()) != except);
    wanted
        .map(|delivery| Followed {
            profile: profile.name.clone(),
            result: again(store, credentials, &delivery),
            format: delivery.format,
            path: delivery.path,
            reload: delivery.wish.reload,
        })
        .collect()
}

fn again(
    store: &mut dyn TokenStore,
    credentials: &Credentials<'_>,
    delivery: &Delivery,
) -> Result<Written, DeliverError> {
    let order = order_of(delivery)?;
    write(store, Path::new(&delivery.path), credentials, &order, delivery.wish.clone())
}

impl Followed {
    /// Runs the person's own line if something changed, and waits for its end. It learns whose file
    /// was written, and nothing that is secret.
    ///
    /// # Errors
    /// If it could not be started, failed or took too long. Nothing else is to be made of that than a
    /// warning.
    pub fn reload(&self) -> Result<(), ReloadError> {
        match (&self.result, &self.reload) {
            (Ok(Written { changed: true }), Some(line)) => reload(line, &self.profile, &self.path),
            _ => Ok(()),
        }
    }
}

/// Runs a person's own line for the shell after a delivery.
///
/// # Errors
/// As [`Followed::reload`].
pub fn reload(line: &str, profile: &ProfileName, path: &str) -> Result<(), ReloadError> {
    let mut errand = Errand::shell(line, PATIENCE);
    errand.variable(variables::HOOK.name, "reload");
    errand.variable(variables::PROFILE.name, profile.as_str());
    errand.variable(variables::HOOK_FILE.name, path);
    errand.run().map_err(|source| ReloadError { path: path.to_owned(), source })
}

/// A reload that did not do what it should.
#[derive(Debug, thiserror::Error)]
#[error("the reload for {} failed: {source}", Printable(.path))]
pub struct ReloadError {
    path: String,
    source: ErrandError,
}

fn read_copy(path: &str) -> std::io::Result<Zeroizing<String>> {
    write_file::read_text(Path::new(path), LARGEST_COPY).map(Zeroizing::new)
}

fn is_untouched(store: &dyn TokenStore, delivery: &Delivery) -> bool {
    read_copy(&delivery.path)
        .is_ok_and(|copy| store.fingerprint(copy.as_bytes()) == delivery.fingerprint)
}

/// Whether two texts hold the same values. Comments and dates may differ: a refresh that brings the
/// same token again moves its end, which is no drift.
fn same_values(text: &str, copy: &str) -> bool {
    let is_value = |line: &&str| {
        let lower = line.to_ascii_lowercase();
        !line.starts_with('#')
            && !lower.contains("expires_at")
            && !lower.contains("expiry_known_by")
            && !lower.contains("used_at")
    };
    text.lines().filter(is_value).eq(copy.lines().filter(is_value))
}

fn digits(fingerprint: &[u8; 32]) -> String {
    let mut digits = String::with_capacity(64);
    for byte in fingerprint {
        // Writing to a text cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

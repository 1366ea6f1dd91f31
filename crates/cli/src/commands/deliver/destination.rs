//! Where the credentials file goes, and that it gets there.

use std::path::{Path, PathBuf};

use snowtoken::core::diagnosis::{Code, Hint};
use snowtoken::core::profile::Profile;
use snowtoken::delivery::follow::{self, Followed};
use snowtoken::delivery::{Credentials, Format, Order};
use snowtoken::store::{TokenStore, write_file};

use crate::app::App;
use crate::files;
use crate::report::Failure;

/// Where `login` writes the credentials file: the flag, the place of last time, or the desktop.
/// That it can be written there is found out before a browser opens.
pub(crate) fn destination(
    app: &App,
    profile: &Profile,
    store: &dyn TokenStore,
    typed: Option<&Path>,
) -> Result<Option<PathBuf>, Failure> {
    let path = match typed {
        Some(path) if is_dash(path) => {
            let text = "--output names a file, and `-` is none: name one, or leave it out with --no-output";
            return Err(Failure::told(Code::Usage, text));
        }
        Some(path) => Some(absolute(path)?),
        None if profile.credentials_file => usual_place(app, profile, store)?,
        None => None,
    };
    let Some(path) = path else { return Ok(None) };
    follow::place_of(&path)?;
    write_file::check(&path).map_err(|error| {
        Failure::from(error).about(&profile.name).with_hint(Hint::note(
            "nothing was sent; name another file with --output, or none with --no-output",
        ))
    })?;
    Ok(Some(path))
}

/// The place of last time, or the desktop, or the home folder; none for targets without a form.
fn usual_place(
    app: &App,
    profile: &Profile,
    store: &dyn TokenStore,
) -> Result<Option<PathBuf>, Failure> {
    if let Some(last) = follow::last_place(store, &profile.name)? {
        return Ok(Some(last));
    }
    if !app.target(&profile.target)?.credentials_file {
        return Ok(None);
    }
    Ok(follow::first_place(&app.world.environment))
}

pub(super) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    let path = files::absolute(path)
        .map_err(|error| Failure::told(Code::Usage, format!("{}: {error}", path.display())))?;
    follow::place_of(&path)?;
    Ok(path)
}

/// What other commands take for standard output.
pub(crate) fn is_dash(path: &Path) -> bool {
    path == Path::new("-")
}

/// Writes the credentials file whole or not at all, for its owner only, and remembers nothing.
pub(crate) fn write(path: &Path, credentials: &Credentials<'_>) -> Result<(), Failure> {
    let text = credentials.render(&Order::of(Format::CredentialsFile))?;
    Ok(write_file::replace(path, text.as_bytes())?)
}

/// After a login: the credentials file, with what was asked for when it was delivered before, and
/// every other file that follows the tokens. Called under the profile's lock.
pub(crate) fn write_again(
    app: &App,
    store: &mut dyn TokenStore,
    path: Option<&Path>,
    credentials: &Credentials<'_>,
) -> Result<(), Failure> {
    let (profile, format) = (credentials.profile, Format::CredentialsFile.as_str());
    let place = path.map(|path| path.display().to_string());
    if let Some(path) = path {
        let deliveries = store.deliveries(&profile.name)?;
        let is_it = |one: &&snowtoken::store::Delivery| {
            one.format == format && Some(&one.path) == place.as_ref()
        };
        let wish = deliveries.iter().find(is_it).map(|one| one.wish.clone()).unwrap_or_default();
        let (follow, reload) = (wish.follow, wish.reload.clone());
        let order = Order::of(Format::CredentialsFile);
        let written = follow::write(store, path, credentials, &order, wish)?;
        if follow {
            let (path, result) = (path.display().to_string(), Ok(written));
            let (profile, format) = (profile.name.clone(), format.to_owned());
            app.followed(Followed { profile, format, path, result, reload });
        }
    }
    let others = follow::redo(store, credentials, place.as_deref());
    for followed in others {
        app.followed(followed);
    }
    Ok(())
}

//! `deliver`: credentials in a consumer's shape, to a file or to stdout.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use snowtoken::Session;
use snowtoken::core::diagnosis::{Code, Hint};
use snowtoken::core::profile::Profile;
use snowtoken::core::target::Target;
use snowtoken::delivery::{Credentials, Format};
use snowtoken::store::{AuditEntry, Delivery, TokenStore, write_file};
use zeroize::Zeroizing;

use crate::app::App;
use crate::args::{DeliverArgs, FormatChoice};
use crate::report::Failure;
use crate::{files, output};

const FILE_NAME: &str = "servicenow_credentials.txt";

pub(crate) fn run(app: &App, args: &DeliverArgs) -> Result<ExitCode, Failure> {
    let session = app.session(args.profile.as_deref())?;
    let name = session.profile().name.clone();
    if args.check {
        return check(&session);
    }
    let record = session.record().map_err(|error| Failure::from(error).about(&name))?;
    let secret = session.store().client_secret(&name, session.profile().client_id.as_str())?;
    let format = format_of(args.format);
    let credentials = Credentials {
        profile: session.profile(),
        client_secret: secret.as_ref(),
        tokens: &record.tokens,
        created: session.now(),
    };
    for concern in credentials.concerns() {
        output::say(format!("warning: {concern}"));
    }
    match &args.output {
        None => output::data(&credentials.render(format)?)?,
        Some(path) => {
            let path = absolute(path)?;
            write_and_remember(&mut **session.store(), &path, &credentials, format)?;
            output::say(format!("{name}: written to {}", path.display()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn format_of(choice: FormatChoice) -> Format {
    match choice {
        FormatChoice::CredentialsFile => Format::CredentialsFile,
        FormatChoice::Json => Format::Json,
        FormatChoice::Dotenv => Format::Dotenv,
        FormatChoice::Shell => Format::Shell,
        FormatChoice::Header => Format::Header,
    }
}

/// Where `login` writes the credentials file: the flag, the place of last time, or the desktop. The
/// folder must be there before a browser opens.
pub(crate) fn destination(
    app: &App,
    profile: &Profile,
    store: &dyn TokenStore,
    typed: Option<&Path>,
) -> Result<Option<PathBuf>, Failure> {
    let path = match typed {
        Some(path) => Some(absolute(path)?),
        None if profile.credentials_file => usual_place(app, profile, store)?,
        None => None,
    };
    let Some(path) = path else { return Ok(None) };
    if path.is_dir() || !path.parent().is_some_and(Path::is_dir) {
        let text = format!("the credentials file cannot be written to {}", path.display());
        return Err(Failure::told(Code::OutputUnwritable, text).with_hint(Hint::note(
            "nothing was sent; name another file with --output, or none with --no-output",
        )));
    }
    Ok(Some(path))
}

/// The place of last time, or the desktop, or the home folder; none for targets without a form.
fn usual_place(
    app: &App,
    profile: &Profile,
    store: &dyn TokenStore,
) -> Result<Option<PathBuf>, Failure> {
    let name = Format::CredentialsFile.as_str();
    let deliveries = store.deliveries(&profile.name)?;
    if let Some(last) = deliveries.into_iter().find(|delivery| delivery.format == name) {
        return Ok(Some(PathBuf::from(last.path)));
    }
    if !Target::find(&profile.target).is_some_and(|target| target.delivers_file) {
        return Ok(None);
    }
    let environment = &app.world.environment;
    let folder = environment.desktop().or_else(|| environment.home_folder());
    Ok(folder.map(|folder| folder.join(FILE_NAME)))
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path)
        .map_err(|error| Failure::told(Code::Usage, format!("--output: {error}")))
}

/// Writes the file whole or not at all, for its owner only.
pub(crate) fn write(
    path: &Path,
    credentials: &Credentials<'_>,
    format: Format,
) -> Result<Zeroizing<String>, Failure> {
    let text = credentials.render(format)?;
    write_file::replace(path, text.as_bytes())?;
    Ok(text)
}

/// Writes the file, and remembers where and what, so that drift can be told later.
pub(crate) fn write_and_remember(
    store: &mut dyn TokenStore,
    path: &Path,
    credentials: &Credentials<'_>,
    format: Format,
) -> Result<(), Failure> {
    let text = write(path, credentials, format)?;
    let fingerprint = store.fingerprint(text.as_bytes());
    let (profile, at) = (credentials.profile.name.clone(), credentials.created);
    let (format, path) = (format.as_str().to_owned(), path.display().to_string());
    store.append_audit(&AuditEntry {
        at,
        profile: profile.clone(),
        event: "delivery".to_owned(),
        outcome: "done".to_owned(),
        detail: format!("{format} {path}"),
    })?;
    store.record_delivery(&Delivery { profile, format, path, fingerprint, at })?;
    Ok(())
}

/// Whether each delivered file still holds what is stored now.
fn check(session: &Session) -> Result<ExitCode, Failure> {
    let profile = session.profile();
    let name = &profile.name;
    let deliveries = session.store().deliveries(name)?;
    if deliveries.is_empty() {
        output::say(format!("{name}: nothing was delivered to a file"));
        return Ok(ExitCode::SUCCESS);
    }
    let record = session.store().load(name)?;
    let secret = session.store().client_secret(name, profile.client_id.as_str())?;
    let mut drifted = 0;
    for delivery in &deliveries {
        let copy = files::read(Path::new(&delivery.path));
        let verdict = match (&copy, &record, Format::find(&delivery.format)) {
            (Err(error), ..) => Some(format!("cannot be read: {error}")),
            (Ok(copy), ..) if session.store().fingerprint(copy) != delivery.fingerprint => {
                Some("was changed after the delivery".to_owned())
            }
            (_, None, _) => Some("holds tokens that are not in the store any more".to_owned()),
            (Ok(copy), Some(record), Some(format)) => {
                let credentials = Credentials {
                    profile,
                    client_secret: secret.as_ref(),
                    tokens: &record.tokens,
                    created: delivery.at,
                };
                let same = credentials.render(format).is_ok_and(|text| same_values(&text, copy));
                (!same).then(|| "holds older tokens than the store".to_owned())
            }
            (.., None) => Some("is of a form this version does not know".to_owned()),
        };
        drifted += usize::from(verdict.is_some());
        let verdict = verdict.unwrap_or_else(|| "is what is stored".to_owned());
        output::say(format!("{} {verdict}", delivery.path));
    }
    if drifted == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    let text = format!("{drifted} of {} delivered files have drifted", deliveries.len());
    Err(Failure::told(Code::DeliveryDrifted, text))
}

/// Whether two texts hold the same values. Comments and dates may differ: a refresh that brings the
/// same token again moves its end, which is no drift.
fn same_values(text: &str, copy: &[u8]) -> bool {
    let is_value = |line: &&str| {
        let lower = line.to_ascii_lowercase();
        !line.starts_with('#')
            && !lower.contains("expires_at")
            && !lower.contains("expiry_known_by")
    };
    std::str::from_utf8(copy)
        .is_ok_and(|copy| text.lines().filter(is_value).eq(copy.lines().filter(is_value)))
}

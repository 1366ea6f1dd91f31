//! `deliver`: credentials in a consumer's shape, to a file or to stdout.

mod bundle;
mod prepared;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use snowtoken::core::diagnosis::{Code, Hint};
use snowtoken::core::profile::Profile;
use snowtoken::core::secret::Secret;
use snowtoken::delivery::{Credentials, Format};
use snowtoken::store::{AuditEntry, Delivery, Record, RecordState, TokenStore, write_file};
use snowtoken::{Error, Session};
use zeroize::Zeroizing;

use crate::app::App;
use crate::args::{DeliverArgs, FormatChoice};
use crate::report::Failure;
use crate::{files, output};

const FILE_NAME: &str = "servicenow_credentials.txt";

pub(crate) fn run(app: &App, args: &DeliverArgs) -> Result<ExitCode, Failure> {
    if let Some(file) = &args.bundle.bundle {
        let session = app.session(args.profile.as_deref())?;
        let done = bundle::run(app, &session, &args.bundle, file);
        return done.map_err(|failure| failure.about(&session.profile().name));
    }
    let session = app.any_session(args.profile.as_deref())?;
    let client = prepared::Client::of(app, &session)?;
    let done = match (args.check, &client) {
        (true, client) => check(&session, client.as_ref()),
        (false, Some(client)) => client.deliver(&session, args, format_of(args.format)),
        (false, None) => deliver(app, &session, args),
    };
    done.map_err(|failure| failure.about(&session.profile().name))
}

fn deliver(app: &App, session: &Session, args: &DeliverArgs) -> Result<ExitCode, Failure> {
    let name = &session.profile().name;
    let record = session.record()?;
    check_usable(session, &record)?;
    let secret = session.store().client_secret(name, &session.binding())?;
    let format = format_of(args.format);
    let credentials = Credentials {
        profile: session.profile(),
        client_secret: secret.as_ref(),
        tokens: &record.tokens,
        created: session.now(),
    };
    let text = credentials.render(format)?;
    for concern in credentials.concerns(&app.target(&session.profile().target)?) {
        output::say(format!("warning: {concern}"));
    }
    // Programs use these at once; a form is filled in for the refresh token's sake.
    let at_once = matches!(format, Format::Header | Format::Shell | Format::Dotenv);
    if at_once && record.tokens.access_expires_at.at <= session.now() {
        output::say(format!(
            "warning: the access token has ended; `snowtoken refresh {name}` gets another one"
        ));
    }
    match &args.output {
        None => output::data(&text)?,
        Some(path) => {
            let path = absolute(path)?;
            write_and_remember(&mut **session.store(), &path, &credentials, format)?;
            output::say(format!("{name}: written to {}", path.display()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Tokens that the instance refuses, or soon will, are nobody's credentials any more.
fn check_usable(session: &Session, record: &Record) -> Result<(), Error> {
    let profile = session.profile().name.to_string();
    match record.state {
        RecordState::Held => Ok(()),
        RecordState::Rejected { at } => Err(Error::Rejected { profile, at }),
        RecordState::RevocationPending { .. } => Err(Error::BeingRevoked(profile)),
        RecordState::HandedOver { at } => Err(Error::HandedOver { profile, at }),
    }
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

/// Where `login` writes the credentials file: the flag, the place of last time, or the desktop.
/// That it can be written there is found out before a browser opens.
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
    let name = Format::CredentialsFile.as_str();
    let deliveries = store.deliveries(&profile.name)?;
    let forms = deliveries.into_iter().filter(|delivery| delivery.format == name);
    if let Some(last) = forms.max_by_key(|delivery| delivery.at) {
        return Ok(Some(PathBuf::from(last.path)));
    }
    if !app.target(&profile.target)?.credentials_file {
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
fn check(session: &Session, client: Option<&prepared::Client>) -> Result<ExitCode, Failure> {
    let name = &session.profile().name;
    let deliveries = session.store().deliveries(name)?;
    if deliveries.is_empty() {
        output::say(format!("{name}: nothing was delivered to a file"));
        return Ok(ExitCode::SUCCESS);
    }
    let record = session.store().load(name)?;
    let secret = session.store().client_secret(name, &session.binding())?;
    let stored = Stored { session, record, secret };
    let mut drifted = 0;
    for delivery in &deliveries {
        let verdict = match client.map_or_else(
            || stored.verdict(delivery),
            |client| match client.drift(session, delivery) {
                None => Verdict::Same,
                Some(how) => Verdict::Drifted(how),
            },
        ) {
            Verdict::Same => "is what is stored".to_owned(),
            Verdict::Gone => {
                session.store().forget_delivery(name, &delivery.format, &delivery.path)?;
                "is gone, as it should be: there are no tokens any more".to_owned()
            }
            Verdict::Drifted(how) => {
                drifted += 1;
                how
            }
        };
        output::say(format!("{} {verdict}", delivery.path));
    }
    if drifted == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    let text = format!("{drifted} of {} delivered files have drifted", deliveries.len());
    Err(Failure::told(Code::DeliveryDrifted, text))
}

/// What a delivered copy should hold.
struct Stored<'a> {
    session: &'a Session,
    record: Option<Record>,
    secret: Option<Secret>,
}

enum Verdict {
    Same,
    /// Neither the copy nor the tokens are there.
    Gone,
    Drifted(String),
}

impl Stored<'_> {
    fn verdict(&self, delivery: &Delivery) -> Verdict {
        let drifted = |how: &str| Verdict::Drifted(how.to_owned());
        let copy = match files::read(Path::new(&delivery.path)) {
            Ok(copy) => copy,
            Err(error) if error.kind() == ErrorKind::NotFound && self.record.is_none() => {
                return Verdict::Gone;
            }
            Err(error) => return Verdict::Drifted(format!("cannot be read: {error}")),
        };
        if self.session.store().fingerprint(&copy) != delivery.fingerprint {
            return drifted("was changed after the delivery");
        }
        let Some(record) = &self.record else {
            return drifted("holds tokens that are not in the store any more");
        };
        let Some(format) = Format::find(&delivery.format) else {
            return drifted("is of a form this version does not know");
        };
        let credentials = Credentials {
            profile: self.session.profile(),
            client_secret: self.secret.as_ref(),
            tokens: &record.tokens,
            created: delivery.at,
        };
        if credentials.render(format).is_ok_and(|text| same_values(&text, &copy)) {
            Verdict::Same
        } else {
            drifted("holds older tokens than the store")
        }
    }
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

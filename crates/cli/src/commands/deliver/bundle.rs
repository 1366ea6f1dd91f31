//! `deliver --bundle`: the product's form as a sealed file, for a third person who fills it in and has
//! no snowtoken. The `age` program opens it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use snowtoken::bundle::{self, Bundle, PASSPHRASE_BYTES};
use snowtoken::core::diagnosis::{Code, Hint};
use snowtoken::core::printable::Printable;
use snowtoken::core::secret::Secret;
use snowtoken::core::token_set::User;
use snowtoken::handover::age::{self, Recipient};
use snowtoken::store::{AuditEntry, age_file, write_file};
use snowtoken::{Error, Session};
use zeroize::Zeroizing;

use super::prepared::Client;
use crate::app::App;
use crate::args::{BundleArgs, PassphraseChoice};
use crate::commands::profile::passphrase;
use crate::report::Failure;
use crate::{files, output, terminal};

/// What is sealed, and what is said of it.
struct Content {
    text: Zeroizing<String>,
    /// The labels of the form that are filled in.
    labels: Vec<String>,
    /// The product, as people call it.
    title: String,
    tokens: Tokens,
}

enum Tokens {
    Living,
    Ended,
    /// The product gets its own.
    NotOurs,
}

/// Writes the bundle.
pub(super) fn run(
    app: &App,
    session: &Session,
    client: Option<&Client>,
    args: &BundleArgs,
    file: &Path,
) -> Result<ExitCode, Failure> {
    let place = Place::find(file)?;
    let content = match client {
        Some(client) => of_client(session, client)?,
        None => of_tokens(app, session)?,
    };
    let seal = seal(app, args)?;
    let sealed = seal.close(&content.text)?;
    // What goes out of the house was noted before.
    note(session, &seal, &place, "done")?;
    if let Err(failure) = place.write(&sealed) {
        // The error to tell is the first one.
        let _ = note(session, &seal, &place, "failed");
        return Err(failure);
    }
    tell(session, &content, &place);
    seal.tell(&place);
    Ok(ExitCode::SUCCESS)
}

fn of_tokens(app: &App, session: &Session) -> Result<Content, Failure> {
    let record = session.record()?;
    session.check_usable(&record)?;
    let target = app.target(&session.profile().target)?;
    let secret = session.store().client_secret(&session.profile().name, &session.binding())?;
    let bundle = Bundle {
        profile: session.profile(),
        target: &target,
        client_secret: secret.as_ref(),
        tokens: &record.tokens,
        user: record.user.as_ref().and_then(User::name),
        created: session.now(),
    };
    let has_ended = record.tokens.access_expires_at.at <= session.now();
    Ok(Content {
        text: bundle.text()?,
        labels: bundle.labels().into_iter().map(str::to_owned).collect(),
        title: target.title.clone(),
        tokens: if has_ended { Tokens::Ended } else { Tokens::Living },
    })
}

fn of_client(session: &Session, client: &Client) -> Result<Content, Failure> {
    let target = client.target();
    Ok(Content {
        text: client.lines(session)?,
        labels: target.fields.iter().map(|field| field.label.clone()).collect(),
        title: target.title.clone(),
        tokens: Tokens::NotOurs,
    })
}

/// Where the sealed text goes.
enum Place {
    StandardOutput,
    File(PathBuf),
}

impl Place {
    /// That it can be written there is found out before anybody types anything.
    fn find(file: &Path) -> Result<Self, Failure> {
        if file == Path::new("-") {
            return Ok(Self::StandardOutput);
        }
        let path = files::absolute(file)
            .map_err(|error| Failure::told(Code::Usage, format!("--bundle: {error}")))?;
        write_file::check(&path).map_err(|error| {
            Failure::from(error).with_hint(Hint::note("nothing was written; name another file"))
        })?;
        Ok(Self::File(path))
    }

    fn write(&self, sealed: &str) -> Result<(), Failure> {
        match self {
            Self::StandardOutput => output::data(sealed),
            Self::File(path) => Ok(write_file::replace(path, sealed.as_bytes())?),
        }
    }

    fn in_full(&self) -> String {
        match self {
            Self::StandardOutput => "standard output".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// As the one who gets it may call it.
    fn name(&self) -> String {
        let name = match self {
            Self::StandardOutput => None,
            Self::File(path) => path.file_name(),
        };
        name.map_or_else(|| "FILE".to_owned(), |name| name.display().to_string())
    }
}

/// What opens it.
enum Seal {
    Recipients(Vec<Recipient>),
    Passphrase {
        passphrase: Secret,
        /// Whether nobody knows it yet.
        is_made: bool,
    },
}

/// Everything that can be found out, or has to be typed, before anything is written.
fn seal(app: &App, args: &BundleArgs) -> Result<Seal, Failure> {
    if !args.recipients.is_empty() {
        let recipients = args.recipients.iter().map(|text| Recipient::parse(text));
        let recipients = recipients.collect::<Result<Vec<_>, _>>()?;
        age::probe()?;
        return Ok(Seal::Recipients(recipients));
    }
    if let Some(path) = &args.passphrase_file {
        let passphrase = passphrase::strong(passphrase::from_file(path)?)?;
        return Ok(Seal::Passphrase { passphrase, is_made: false });
    }
    match args.passphrase {
        Some(PassphraseChoice::Typed) => {
            let passphrase = passphrase::strong(passphrase::twice(app)?)?;
            Ok(Seal::Passphrase { passphrase, is_made: false })
        }
        Some(PassphraseChoice::Made) => made(app),
        None => Err(Failure::told(Code::Usage, "nobody said who shall open the bundle")
            .with_hint(Hint::set("--for age1…", "whoever has the identity that belongs to it"))
            .with_hint(Hint::set(
                "--passphrase",
                "whoever you tell the passphrase, which is made for you",
            ))),
    }
}

/// It is shown once, to a person: in a log it would lie beside the file for ever.
fn made(app: &App) -> Result<Seal, Failure> {
    if app.no_input || !terminal::can_ask() {
        let text = "the passphrase is shown to a person, and nobody is there to read it";
        return Err(Failure::told(Code::InputNeeded, text)
            .with_hint(Hint::set(
                "--passphrase-file FILE",
                "takes one of yours, `-` is standard input",
            ))
            .with_hint(Hint::set("--for age1…", "needs no passphrase")));
    }
    let mut random = Zeroizing::new([0; PASSPHRASE_BYTES]);
    (app.world.dice)(&mut *random).map_err(Error::from)?;
    Ok(Seal::Passphrase { passphrase: bundle::passphrase(&random), is_made: true })
}

impl Seal {
    /// The text in letters that travel by mail.
    fn close(&self, text: &str) -> Result<String, Failure> {
        let sealed = match self {
            Self::Recipients(recipients) => {
                age::seal(recipients, Zeroizing::new(text.as_bytes().to_vec()))?
            }
            Self::Passphrase { passphrase, .. } => age_file::seal(passphrase, text.as_bytes())?,
        };
        Ok(age_file::armoured(&sealed))
    }

    fn for_audit(&self) -> String {
        match self {
            Self::Recipients(recipients) => match recipients.len() {
                1 => "for 1 recipient".to_owned(),
                many => format!("for {many} recipients"),
            },
            Self::Passphrase { .. } => "by passphrase".to_owned(),
        }
    }

    /// What the one who gets it has to type, and how it gets there.
    fn tell(&self, place: &Place) {
        let file = quoted(&place.name());
        match self {
            Self::Recipients(_) => {
                output::say(format!(
                    "  they open it   age -d -i KEY {file}   (KEY: their identity, or the private key of SSH)"
                ));
                output::say("  they need      the age program: https://age-encryption.org");
                output::say("  send           the file, by any way; it opens for nobody else");
            }
            Self::Passphrase { .. } => {
                output::say(format!(
                    "  they open it   age -d {file}   (it asks for the passphrase)"
                ));
                output::say("  they need      the age program: https://age-encryption.org");
                output::say(
                    "  send           the file by mail or ticket, the passphrase by telephone",
                );
                output::say(
                    "  never          the passphrase in the same mail, ticket or chat: both together are the plain text",
                );
            }
        }
        if let Self::Passphrase { passphrase, is_made: true } = self {
            output::say(
                Zeroizing::new(format!(
                    "  passphrase     {}   (shown this once, kept nowhere)",
                    passphrase.expose()
                ))
                .as_str(),
            );
        }
    }
}

fn note(session: &Session, seal: &Seal, place: &Place, outcome: &str) -> Result<(), Failure> {
    Ok(session.store().append_audit(&AuditEntry {
        at: session.now(),
        profile: session.profile().name.clone(),
        event: "bundle".to_owned(),
        outcome: outcome.to_owned(),
        detail: format!("{}, {}", seal.for_audit(), place.in_full()),
    })?)
}

fn tell(session: &Session, content: &Content, place: &Place) {
    let name = &session.profile().name;
    output::say(format!("{name}: sealed in {}", place.in_full()));
    let labels: Vec<String> =
        content.labels.iter().map(|label| Printable(label).to_string()).collect();
    output::say(format!("  holds          {}", labels.join(", ")));
    output::say(format!("  for            the form of {}", Printable(&content.title)));
    if matches!(content.tokens, Tokens::Ended) {
        output::say(format!(
            "warning: the access token has ended; `snowtoken refresh {name}` gets another one, then seal again"
        ));
    }
    output::say(match content.tokens {
        Tokens::NotOurs => "  the tokens     are not in it: the product gets its own".to_owned(),
        Tokens::Living | Tokens::Ended => format!(
            "  the tokens     are the same as here: `snowtoken revoke {name}` ends them there as well"
        ),
    });
}

/// As a shell takes it.
fn quoted(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    if !name.starts_with('-') && name.chars().all(is_plain) {
        return name.to_owned();
    }
    format!("'{}'", Printable(name).to_string().replace('\'', "'\\''"))
}

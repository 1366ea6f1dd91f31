//! `profile export`: seals a profile for another machine, and gives up refreshing it here.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use snowtoken::ProfileName;
use snowtoken::core::diagnosis::{Code, Hint};
use snowtoken::delivery::moment;
use snowtoken::handover::age::{self, Recipient};
use snowtoken::handover::{self, Carrier, Exported, FileCarrier, Seal};
use snowtoken::store::envelope::PassphraseKey;

use super::passphrase;
use crate::app::App;
use crate::args::ExportArgs;
use crate::output;
use crate::report::Failure;

pub(super) fn run(app: &App, args: &ExportArgs) -> Result<ExitCode, Failure> {
    let session = app.session(args.profile.as_deref())?;
    let name = session.profile().name.clone();
    let about = |failure: Failure| failure.about(&name);
    let mut place = Place::find(args, &name)?;
    let exported = if let Some(exported) = handover::resume(&session, &mut place).map_err(about)? {
        exported
    } else {
        // Nobody types a passphrase for tokens that cannot be handed over.
        let usable = session.record().and_then(|record| session.check_usable(&record));
        usable.map_err(|error| about(error.into()))?;
        if session.spare_secret().map_err(|error| about(error.into()))?.is_some() {
            // Which of two secrets the other machine needs is not known yet.
            let text = "its client secret is being changed, and that is not finished";
            return Err(about(Failure::told(Code::RotationUnfinished, text)));
        }
        let seal = seal(app, args)?;
        handover::export(&session, &seal, &mut place).map_err(about)?
    };
    tell(&name, &exported, &place.place());
    Ok(ExitCode::SUCCESS)
}

/// Everything that can be found out, or has to be typed, before the profile is locked.
fn seal(app: &App, args: &ExportArgs) -> Result<Seal, Failure> {
    if args.recipient.is_empty() {
        let passphrase = passphrase::new(app, args.passphrase_file.as_deref())?;
        return Ok(Seal::Passphrase(PassphraseKey::new(&passphrase)?));
    }
    let recipients = args.recipient.iter().map(|text| Recipient::parse(text));
    let recipients = recipients.collect::<Result<Vec<_>, _>>()?;
    age::probe()?;
    Ok(Seal::Age(recipients))
}

fn tell(name: &ProfileName, exported: &Exported, place: &str) {
    if let Some(earlier) = &exported.unfinished {
        output::say(format!(
            "warning: the export begun at {} did not finish, and this machine stayed the owner: should a sealed \
             file of it exist ({}), do not import it",
            moment(earlier.at),
            earlier.place
        ));
    }
    let how =
        if exported.was_begun { "the export that was begun is finished" } else { "handed over" };
    output::say(format!("{name}: {how}: sealed in {place}"));
    output::say(format!(
        "  here      not refreshed any more; the access token is handed out until it ends, {}",
        moment(exported.access_expires_at.at)
    ));
    output::say("  there     snowtoken profile import FILE, on one machine only");
    output::say("  undo      the same command here takes the profile back");
}

/// Where the sealed text goes.
enum Place {
    File(FileCarrier),
    StandardOutput,
}

impl Place {
    fn find(args: &ExportArgs, name: &ProfileName) -> Result<Self, Failure> {
        if args.output.as_deref() == Some(Path::new("-")) {
            return Ok(Self::StandardOutput);
        }
        let typed = args.output.clone();
        let path = typed.unwrap_or_else(|| PathBuf::from(format!("{name}.snowtoken")));
        let path = std::path::absolute(&path)
            .map_err(|error| Failure::told(Code::Usage, format!("--output: {error}")))?;
        let carrier = FileCarrier::new(path).map_err(|error| {
            Failure::from(error)
                .with_hint(Hint::note("nothing was changed; name another file with --output"))
        })?;
        Ok(Self::File(carrier))
    }
}

impl Carrier for Place {
    type Error = Failure;

    fn place(&self) -> String {
        match self {
            Self::File(file) => file.place(),
            Self::StandardOutput => "standard output".to_owned(),
        }
    }

    fn keep(&mut self, text: &str) -> Result<(), Failure> {
        match self {
            Self::File(file) => Ok(file.keep(text)?),
            // Whoever reads it has it before this machine gives up.
            Self::StandardOutput => output::data(text),
        }
    }

    fn publish(&mut self) -> Result<(), Failure> {
        match self {
            Self::File(file) => Ok(file.publish()?),
            Self::StandardOutput => Ok(()),
        }
    }

    fn discard(&mut self) {
        if let Self::File(file) = self {
            file.discard();
        }
    }

    fn waiting(&self) -> Option<String> {
        match self {
            Self::File(file) => file.waiting(),
            Self::StandardOutput => None,
        }
    }
}

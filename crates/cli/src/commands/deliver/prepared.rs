//! What is handed over where the product gets its tokens itself: the client, in the fields of its
//! form.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;
use snowtoken::Session;
use snowtoken::core::Timestamp;
use snowtoken::core::diagnosis::Code;
use snowtoken::core::secret::Secret;
use snowtoken::core::target::Target;
use snowtoken::delivery::follow::{self, Standing};
use snowtoken::delivery::{Credentials, Format, Order};
use snowtoken::prepared::Prepared;
use snowtoken::store::{AuditEntry, Delivery, Wish, write_file};
use zeroize::Zeroizing;

use super::destination::absolute;
use super::{order, push};
use crate::app::App;
use crate::args::DeliverArgs;
use crate::output;
use crate::report::Failure;

/// A client that is prepared.
pub(super) struct Client {
    target: Target,
    secret: Option<Secret>,
}

impl Client {
    /// `None` if the profile's tokens are got here.
    pub(super) fn of(app: &App, session: &Session) -> Result<Option<Self>, Failure> {
        let profile = session.profile();
        if !app.classes().prepare_only(&profile.target) {
            return Ok(None);
        }
        let held = session.store().standing(&profile.name)?.and_then(|standing| standing.held);
        if held.is_some() {
            return Ok(None);
        }
        let secret = session.store().client_secret(&profile.name, &session.binding())?;
        Ok(Some(Self { target: app.target(&profile.target)?, secret }))
    }

    fn prepared<'a>(&'a self, session: &'a Session) -> Prepared<'a> {
        Prepared {
            profile: session.profile(),
            target: &self.target,
            client_secret: self.secret.as_ref(),
        }
    }

    /// The same for shapes that hold the client and no token.
    fn credentials<'a>(&'a self, session: &'a Session, at: Timestamp) -> Credentials<'a> {
        Credentials {
            profile: session.profile(),
            client_secret: self.secret.as_ref(),
            tokens: None,
            fresh_code: None,
            created: at,
        }
    }

    fn text(
        &self,
        session: &Session,
        order: &Order,
        at: Timestamp,
    ) -> Result<Zeroizing<String>, Failure> {
        if order.is_of_client() {
            return Ok(self.credentials(session, at).render(order)?);
        }
        Ok(self.prepared(session).render(order.format, at)?)
    }

    /// The fields of the form as lines.
    pub(super) fn lines(&self, session: &Session) -> Result<Zeroizing<String>, Failure> {
        let prepared = self.prepared(session);
        for concern in prepared.concerns() {
            output::say(format!("warning: {concern}"));
        }
        Ok(prepared.render(Format::CredentialsFile, session.now())?)
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    pub(super) fn deliver(
        &self,
        session: &Session,
        args: &DeliverArgs,
    ) -> Result<ExitCode, Failure> {
        let order = order::of_client(args)?;
        fits(args, order.is_of_client())?;
        if let Some(label) = &args.field {
            output::value(&self.prepared(session).value(label)?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let at = session.now();
        let text = self.text(session, &order, at)?;
        for concern in self.prepared(session).concerns() {
            output::say(format!("warning: {concern}"));
        }
        if args.push {
            push::run(session, args, &self.credentials(session, at), &order)?;
            return Ok(ExitCode::SUCCESS);
        }
        let Some(path) = &args.output else {
            output::data(&text)?;
            return Ok(ExitCode::SUCCESS);
        };
        let (profile, path) = (session.profile().name.clone(), absolute(path)?);
        let _lock = session.lock()?;
        write_file::replace(&path, text.as_bytes())?;
        let mut store = session.store();
        let fingerprint = store.fingerprint(text.as_bytes());
        let (format, shown) = (order.format.as_str().to_owned(), path.display().to_string());
        let told = json!({
            "version": 1,
            "profile": profile.as_str(),
            "format": format,
            "output": shown,
        });
        store.append_audit(&AuditEntry {
            at,
            profile: profile.clone(),
            event: "delivery".to_owned(),
            outcome: "done".to_owned(),
            detail: format!("{format} {shown}"),
        })?;
        let variant = order.variant.map(str::to_owned);
        let wish = Wish { variant, name: order.name, ..Wish::default() };
        store.record_delivery(&Delivery { profile, format, path: shown, fingerprint, at, wish })?;
        output::say(format!("{}: written to {}", session.profile().name, path.display()));
        if args.json {
            output::json(&told)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Whether a delivered copy is what would be handed over now.
    pub(super) fn standing(&self, session: &Session, delivery: &Delivery) -> Standing {
        match crate::files::read(Path::new(&delivery.path)) {
            Ok(copy) => {
                let how = self.drift(session, delivery, &copy);
                how.map_or(Standing::Same, Standing::Drifted)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Standing::Gone,
            Err(error) => Standing::Drifted(format!("cannot be read: {error}")),
        }
    }

    fn drift(&self, session: &Session, delivery: &Delivery, copy: &[u8]) -> Option<String> {
        if session.store().fingerprint(copy) != delivery.fingerprint {
            return Some("was changed after the delivery".to_owned());
        }
        let order = follow::order_of(delivery).ok();
        let text = order.and_then(|order| self.text(session, &order, delivery.at).ok());
        let is_same = text.is_some_and(|text| same_values(&text, copy));
        (!is_same).then(|| "holds another client or secret than is stored".to_owned())
    }
}

/// What is for tokens is refused, rather than left out without a word: the secret would go elsewhere
/// than somebody thinks. Shapes that hold the client alone have names, and programs that take them.
fn fits(args: &DeliverArgs, is_of_client: bool) -> Result<(), Failure> {
    let unfit = [
        ("--push", args.push && !is_of_client),
        ("--keep-fresh", args.keep_fresh),
        ("--reload", args.reload.is_some()),
        ("--template", args.template.is_some()),
        ("--variant", args.variant.is_some() && !is_of_client),
        ("--name", args.name.is_some() && !is_of_client),
        ("--to", args.to.is_some()),
        ("--field with --output", args.field.is_some() && args.output.is_some()),
    ];
    let Some((flag, _)) = unfit.into_iter().find(|(_, is_there)| *is_there) else { return Ok(()) };
    let text = format!(
        "{flag} does not work for a product that gets its tokens itself: \
         --field LABEL, --format credentials-file or json, and --output FILE do"
    );
    Err(Failure::told(Code::Usage, text))
}

/// Whether two texts hold the same values; the comments tell dates.
fn same_values(text: &str, copy: &[u8]) -> bool {
    let values = |text: &'_ str| -> Vec<String> {
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    };
    std::str::from_utf8(copy).is_ok_and(|copy| values(text) == values(copy))
}

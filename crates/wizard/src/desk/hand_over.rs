//! The product's form, field by field, and other shapes. Nothing secret is on a page that nobody asked
//! for by name.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use snowtoken::bundle::{self, Bundle, PASSPHRASE_BYTES};
use snowtoken::calendar::{Calendar, Event, Token};
use snowtoken::core::diagnosis::Diagnose;
use snowtoken::core::profile::{Profile, ProfileName};
use snowtoken::core::target::Target;
use snowtoken::core::token_set::User;
use snowtoken::delivery::follow;
use snowtoken::delivery::{Credentials, FormField as Told, Format, Order, Piece};
use snowtoken::store::{AuditEntry, Held, Record, RecordState, age_file};
use snowtoken::world::Dice;
use snowtoken::{Error, Secret, Session};
use zeroize::Zeroizing;

use super::fixes::{Around, bad};
use super::job::{Sealed, Work};
use super::{Desk, Tools, shown};
use crate::pages::{
    Choice, Done, FormField, Frame, HandOverPage, PassphrasePage, Rail, ValuePage, WorkingPage,
};
use crate::site::{Form, Reply};
use crate::steps::Step;
use crate::texts::EN;

/// What is handed over, as it is in the store now.
struct Hand {
    session: Session,
    record: Record,
    secret: Option<Secret>,
    target: Target,
}

impl Hand {
    fn of(tools: &Tools, name: &ProfileName) -> Result<Option<Self>, Error> {
        let session = tools.session(name)?;
        let record = session.record()?;
        session.check_usable(&record)?;
        let secret = session.store().client_secret(name, &session.binding())?;
        let target = tools.targets().find(&session.profile().target).cloned();
        Ok(target.map(|target| Self { session, record, secret, target }))
    }

    fn credentials(&self) -> Credentials<'_> {
        Credentials {
            profile: self.session.profile(),
            client_secret: self.secret.as_ref(),
            tokens: Some(&self.record.tokens),
            fresh_code: None,
            created: self.session.now(),
        }
    }

    /// The field of the form with this label, if there is something to hand out.
    fn piece(&self, label: Option<&str>) -> Option<Secret> {
        let fields = self.credentials().form(&self.target);
        let field = fields.into_iter().find(|field| Some(field.label.as_str()) == label)?;
        let value = self.credentials().piece(field.piece?)?;
        Some(Secret::new(value))
    }

    /// The shapes that these credentials come in without more being said.
    fn formats(&self) -> Vec<Choice> {
        let fits = |format: &&Format| {
            !is_no_file(**format) && self.credentials().render(&Order::of(**format)).is_ok()
        };
        let choice = |format: &Format| Choice {
            name: format.as_str().to_owned(),
            title: format!("{}: {}", format.as_str(), format.about().trim_end_matches('.')),
            about: String::new(),
        };
        Format::ALL.iter().filter(fits).map(choice).collect()
    }

    /// Where the credentials file belongs, where the product has a form at all.
    fn place(&self, tools: &Tools) -> Result<Option<PathBuf>, Error> {
        let profile = self.session.profile();
        if let Some(last) = follow::last_place(&**self.session.store(), &profile.name)? {
            return Ok(Some(last));
        }
        let first = || follow::first_place(&tools.world.environment);
        Ok(self.target.credentials_file.then(first).flatten())
    }

    fn note(&self, event: &str, detail: String) -> Result<(), Error> {
        Ok(self.session.store().append_audit(&AuditEntry {
            at: self.session.now(),
            profile: self.session.profile().name.clone(),
            event: event.to_owned(),
            outcome: "done".to_owned(),
            detail,
        })?)
    }

    fn warnings(&self) -> Vec<String> {
        let credentials = self.credentials();
        let asks_for_code = credentials
            .form(&self.target)
            .iter()
            .any(|field| field.piece == Some(Piece::UsedCode) && field.is_there);
        let spent = asks_for_code.then(|| EN.hand_over_spent.to_owned());
        credentials.concerns(&self.target).into_iter().chain(spent).collect()
    }
}

/// Answers to programs, and shapes of which a person has to say more than their name.
fn is_no_file(format: Format) -> bool {
    let says_more = matches!(format, Format::Form | Format::Field | Format::Template);
    format.is_answer() || says_more
}

impl Desk {
    pub(super) fn hand_over_page(&mut self, name: &str) -> Reply {
        let done = self.done.take_if(|(own, _)| own == name).map(|(_, done)| done);
        let (hand, held) = match self.hand(name) {
            Ok(hand) => hand,
            Err(reply) => return reply,
        };
        let place = match hand.place(&self.tools) {
            Ok(place) => place,
            Err(error) => return self.refused(name, &error),
        };
        let is_journey =
            self.journey.step == Step::HandOver && self.journey.profile.as_deref() == Some(name);
        let frame = if is_journey {
            Frame::on(Rail::HandOver, EN.hand_over_title)
        } else {
            Frame::new(EN.hand_over_title)
        };
        let fields = hand.credentials().form(&hand.target);
        shown(&HandOverPage {
            frame,
            profile: name.to_owned(),
            product: hand.target.title.clone(),
            is_journey,
            done,
            fields: fields.into_iter().map(field).collect(),
            warnings: hand.warnings(),
            is_over: held.access_expires_at.at <= hand.session.now(),
            place: place.map(|place| place.display().to_string()),
            formats: hand.formats(),
            has_reminder: event(hand.session.profile(), &held).is_some(),
        })
    }

    /// What is handed over, or the page that says why there is nothing.
    fn hand(&mut self, name: &str) -> Result<(Hand, Held), Reply> {
        let Some((profile, held)) = self.known(name) else { return Err(Reply::NotFound) };
        match (Hand::of(&self.tools, &profile.name), held) {
            (Ok(Some(hand)), Some(held)) => Ok((hand, held)),
            (Ok(_), _) => Err(Reply::To(format!("/profile/{name}"))),
            (Err(error), _) => Err(self.refused(name, &error)),
        }
    }

    /// The profile's own page says why.
    fn refused(&mut self, name: &str, error: &dyn Diagnose) -> Reply {
        let done = bad(error, &self.around_profile(name));
        self.done = Some((name.to_owned(), done));
        Reply::To(format!("/profile/{name}"))
    }

    /// The page to hand over from says what became of it.
    fn told(&mut self, name: &str, done: Done) -> Reply {
        self.done = Some((name.to_owned(), done));
        Reply::To(format!("/profile/{name}/hand-over"))
    }

    /// A single value, for our script to copy.
    pub(super) fn value(&mut self, profile: &Profile, form: &Form) -> Reply {
        let hand = Hand::of(&self.tools, &profile.name).ok().flatten();
        hand.and_then(|hand| hand.piece(form.get("value"))).map_or(Reply::NotFound, Reply::Text)
    }

    /// A single value on a page of its own, where there is no script, or no clipboard.
    pub(super) fn show(&mut self, profile: &Profile, form: &Form) -> Reply {
        let label = form.get("value").unwrap_or_default().to_owned();
        let hand = Hand::of(&self.tools, &profile.name).ok().flatten();
        let Some(value) = hand.and_then(|hand| hand.piece(Some(&label))) else {
            return Reply::NotFound;
        };
        let frame = Frame::new(EN.hand_over_shown_title);
        shown(&ValuePage { frame, profile: profile.name.to_string(), label, value })
    }

    /// The credentials file, where the product's form-filler looks for it.
    pub(super) fn save(&mut self, name: &str) -> Reply {
        let (hand, _) = match self.hand(name) {
            Ok(hand) => hand,
            Err(reply) => return reply,
        };
        let done = match self.write(&hand) {
            Ok(Some(place)) => Done::good(format!("{} {}", EN.hand_over_saved, place.display())),
            Ok(None) => return Reply::NotFound,
            Err(error) => bad(&*error, &self.around_profile(name)),
        };
        self.told(name, done)
    }

    fn write(&self, hand: &Hand) -> Result<Option<PathBuf>, Box<dyn Diagnose>> {
        let place = hand.place(&self.tools).map_err(boxed)?;
        let Some(place) = place else { return Ok(None) };
        // What may follow the tokens must not be written while they change.
        let _lock = hand.session.lock().map_err(boxed)?;
        let mut store = hand.session.store();
        let (format, path) = (Format::CredentialsFile, place.display().to_string());
        let name = &hand.session.profile().name;
        let before = store.deliveries(name).map_err(boxed)?;
        let before =
            before.into_iter().find(|one| one.format == format.as_str() && one.path == path);
        let wish = before.map(|one| one.wish).unwrap_or_default();
        let order = Order::of(format);
        follow::write(&mut **store, &place, &hand.credentials(), &order, wish).map_err(boxed)?;
        Ok(Some(place))
    }

    /// Any shape, for the browser to save.
    pub(super) fn file(&mut self, profile: &Profile, form: &Form) -> Reply {
        let name = profile.name.to_string();
        let Some(format) = form.text("format").and_then(Format::find) else {
            return Reply::NotFound;
        };
        if is_no_file(format) {
            return Reply::NotFound;
        }
        let (hand, _) = match self.hand(&name) {
            Ok(hand) => hand,
            Err(reply) => return reply,
        };
        let text = match hand.credentials().render(&Order::of(format)) {
            Ok(text) => text,
            Err(error) => return self.told(&name, bad(&error, &Around::profile(profile))),
        };
        // What goes out of the house was noted before.
        if let Err(error) = hand.note("delivery", format!("{} to the browser", format.as_str())) {
            return self.told(&name, bad(&error, &Around::profile(profile)));
        }
        let bytes = Zeroizing::new(text.as_bytes().to_vec());
        Reply::File { name: file_name(&name, format), kind: "application/octet-stream", bytes }
    }

    /// The day on which somebody must sign in again.
    pub(super) fn calendar(&mut self, profile: &Profile) -> Reply {
        let Some((profile, Some(held))) = self.known(profile.name.as_str()) else {
            return Reply::NotFound;
        };
        let Some(event) = event(&profile, &held) else { return Reply::NotFound };
        let mut calendar = Calendar::new(self.tools.world.now());
        calendar.add(&event);
        Reply::File {
            name: format!("{}.ics", profile.name),
            kind: "text/calendar; charset=utf-8",
            bytes: Zeroizing::new(calendar.into_text().into_bytes()),
        }
    }

    /// Seals the form for somebody else, which takes its time on purpose.
    pub(super) fn bundle(&mut self, profile: &Profile) -> Reply {
        let name = profile.name.to_string();
        let page = format!("/profile/{name}/bundle");
        if matches!(self.jobs.work(), Work::Sealing(of) if of == name) {
            // A second press of the button.
            return Reply::To(page);
        }
        let hand = match self.hand(&name) {
            Ok((hand, _)) => hand,
            Err(reply) => return reply,
        };
        let (dice, around) = (self.tools.world.dice, Around::profile(profile));
        let begun = self.jobs.begin(Work::Sealing(name.clone()), move |ticket| {
            let sealed = match seal(&hand, dice) {
                Ok((passphrase, text)) => Sealed::Made(Mutex::new(Some(passphrase)), text),
                Err(error) => Sealed::Not(bad(&*error, &around)),
            };
            ticket.tell(Work::Sealed(name, Arc::new(sealed)));
        });
        begun.soon(page)
    }

    /// Shows the passphrase, once.
    pub(super) fn passphrase_page(&mut self, name: &str) -> Reply {
        let (work, seen) = self.jobs.seen();
        match work {
            Work::Sealing(of) if of == name => {
                let frame = Frame::new(EN.sealing_title).looking_again();
                shown(&WorkingPage { frame, seen })
            }
            Work::Sealed(of, sealed) if of == name => match &*sealed {
                Sealed::Made(passphrase, _) => {
                    let passphrase =
                        passphrase.lock().unwrap_or_else(PoisonError::into_inner).take();
                    let Some(passphrase) = passphrase else { return away(name) };
                    let frame = Frame::new(EN.passphrase_title);
                    shown(&PassphrasePage { frame, profile: name.to_owned(), passphrase })
                }
                Sealed::Not(done) => {
                    self.jobs.end();
                    self.told(name, done.clone())
                }
            },
            _ => away(name),
        }
    }

    /// What was sealed, for the browser to save.
    pub(super) fn sealed_file(&mut self, name: &str) -> Reply {
        let Work::Sealed(of, sealed) = self.jobs.work() else { return Reply::NotFound };
        match &*sealed {
            Sealed::Made(_, text) if of == name => Reply::File {
                name: format!("{name}.age"),
                kind: "application/octet-stream",
                bytes: Zeroizing::new(text.clone().into_bytes()),
            },
            _ => Reply::NotFound,
        }
    }
}

/// The passphrase was seen, or there is none.
fn away(name: &str) -> Reply {
    Reply::To(format!("/profile/{name}/hand-over"))
}

/// The passphrase, and what it opens.
fn seal(hand: &Hand, dice: Dice) -> Result<(Secret, String), Box<dyn Diagnose>> {
    let text = Bundle {
        profile: hand.session.profile(),
        target: &hand.target,
        client_secret: hand.secret.as_ref(),
        tokens: &hand.record.tokens,
        user: hand.record.user.as_ref().and_then(User::name),
        created: hand.session.now(),
    }
    .text()
    .map_err(boxed)?;
    let mut random = Zeroizing::new([0; PASSPHRASE_BYTES]);
    dice(&mut *random).map_err(boxed)?;
    let passphrase = bundle::passphrase(&random);
    let sealed = age_file::seal(&passphrase, text.as_bytes()).map_err(boxed)?;
    hand.note("bundle", "by passphrase, to the browser".to_owned()).map_err(boxed)?;
    Ok((passphrase, age_file::armoured(&sealed)))
}

fn boxed(error: impl Diagnose + 'static) -> Box<dyn Diagnose> {
    Box::new(error)
}

/// What may be shown of a field.
fn field(told: Told) -> FormField {
    let is_secret = told.piece.is_some_and(Piece::is_secret);
    let (text, shape, why) = match (told.is_there, is_secret) {
        (true, true) => (None, Some(told.shown), String::new()),
        (true, false) => (Some(told.shown), None, String::new()),
        // What the product itself fixes is there to copy, too.
        (false, _) if told.piece.is_none() && !told.shown.starts_with('(') => {
            (Some(told.shown), None, String::new())
        }
        (false, _) => (None, None, told.shown),
    };
    FormField { label: told.label, text, shape, why }
}

/// What a person has to know in time; nothing where no person is needed, or nobody knows when.
fn event<'a>(profile: &'a Profile, held: &'a Held) -> Option<Event<'a>> {
    if !matches!(held.state, RecordState::Held | RecordState::Rejected { .. })
        || profile.grant.renews_itself()
    {
        return None;
    }
    let (token, ends) = if held.has_refresh_token {
        (Token::Refresh, held.refresh_expires_at?)
    } else {
        (Token::Access, held.access_expires_at)
    };
    let instance = profile.instance.url();
    Some(Event { profile: &profile.name, instance, user: held.user.as_deref(), token, ends })
}

fn file_name(profile: &str, format: Format) -> String {
    let end = match format {
        Format::CredentialsFile => return "servicenow_credentials.txt".to_owned(),
        Format::Json
        | Format::Appflow
        | Format::AwsSecret
        | Format::OnePassword
        | Format::Vault => "json",
        Format::Kubernetes | Format::ExternalSecret => "yaml",
        Format::SnowflakeSql => "sql",
        Format::Shell | Format::AzureKeyVault => "sh",
        Format::Dotenv | Format::Github => "env",
        _ => "txt",
    };
    format!("{profile}-{}.{end}", format.as_str())
}

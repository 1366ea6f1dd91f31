//! What the tokens are worth, and to whom they go.

use askama::Template;
use snowtoken::Secret;

use super::{Choice, Done, Frame, Page, Rail, fix};
use crate::draw::{Mark, timeline};
use crate::texts::EN;

/// What the tokens are worth.
#[derive(Debug, Template)]
#[template(path = "proof.html")]
pub struct ProofPage {
    /// Around it.
    pub frame: Frame,
    /// Why they do not work now.
    pub trouble: Option<Done>,
    /// Whose they are.
    pub user: String,
    /// What they can read.
    pub readings: Vec<Reading>,
    /// What somebody should know.
    pub warnings: Vec<String>,
    /// The drawn timeline.
    pub timeline: String,
    /// Both ends.
    pub ends: Vec<End>,
}

/// A table.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Its name.
    pub table: String,
    /// Whether it can be read.
    pub verdict: String,
}

/// The end of a token.
#[derive(Debug, Clone)]
pub struct End {
    /// Which.
    pub what: String,
    /// When.
    pub when: String,
    /// What that means.
    pub note: &'static str,
    /// How it is known.
    pub known: &'static str,
}

/// The form's fields, and other shapes.
#[derive(Debug, Template)]
#[template(path = "hand_over.html")]
pub struct HandOverPage {
    /// Around it.
    pub frame: Frame,
    /// The profile.
    pub profile: String,
    /// The product.
    pub product: String,
    /// Whether the journey ends here.
    pub is_journey: bool,
    /// What became of the last action.
    pub done: Option<Done>,
    /// The fields of the product's form.
    pub fields: Vec<FormField>,
    /// What somebody should know.
    pub warnings: Vec<String>,
    /// The access token has ended: what is handed over now opens nothing.
    pub is_over: bool,
    /// Where the credentials file goes.
    pub place: Option<String>,
    /// The shapes there are.
    pub formats: Vec<Choice>,
    /// Whether somebody must do something at a known time.
    pub has_reminder: bool,
}

/// A field of the product's form.
#[derive(Debug, Clone)]
pub struct FormField {
    /// Its label.
    pub label: String,
    /// The value, if it is no secret.
    pub text: Option<String>,
    /// What may be told of a secret: its length and its last four characters.
    pub shape: Option<String>,
    /// Why there is nothing to copy.
    pub why: String,
}

/// A single value that somebody asked to see.
#[derive(Debug, Template)]
#[template(path = "value.html")]
pub struct ValuePage {
    /// Around it.
    pub frame: Frame,
    /// The profile.
    pub profile: String,
    /// The field's label.
    pub label: String,
    /// The value.
    pub value: Secret,
}

/// A passphrase that is shown once.
#[derive(Debug, Template)]
#[template(path = "passphrase.html")]
pub struct PassphrasePage {
    /// Around it.
    pub frame: Frame,
    /// The profile.
    pub profile: String,
    /// The passphrase.
    pub passphrase: Secret,
}

impl ProofPage {
    pub(super) fn marks() -> Vec<Mark> {
        let mark = |what: &str, when: &str, seconds| Mark {
            what: what.into(),
            when: when.into(),
            seconds,
        };
        vec![
            mark(EN.proof_access, "in 30 minutes", 1_800),
            mark(EN.proof_refresh, "23 November 2027", 31_536_000),
        ]
    }
}

impl Page for ProofPage {
    const NAME: &'static str = "proof";

    fn samples() -> Vec<(&'static str, Self)> {
        let reading =
            |table: &str, verdict: &str| Reading { table: table.into(), verdict: verdict.into() };
        let end = |what: &str, when: &str, note, known| End {
            what: what.into(),
            when: when.into(),
            note,
            known,
        };
        let page = |warnings| Self {
            frame: Frame::on(Rail::Proof, EN.proof_title),
            trouble: None,
            user: "integration.user".into(),
            readings: vec![
                reading("kb_knowledge", "readable"),
                reading("kb_knowledge_base", "readable"),
            ],
            warnings,
            timeline: timeline(EN.proof_now, &Self::marks()),
            ends: vec![
                end(
                    EN.proof_access,
                    "23 November 2026, 16:30",
                    EN.proof_access_note,
                    EN.known_stated,
                ),
                end(
                    EN.proof_refresh,
                    "23 November 2027, 16:00",
                    EN.proof_refresh_note,
                    EN.known_derived,
                ),
            ],
        };
        let admin = "The tokens belong to an administrator: whoever has them may do everything.";
        let asleep = Self {
            frame: Frame::on(Rail::Proof, EN.proof_not_title),
            trouble: Some(Done::bad(
                "the instance is hibernating.",
                fix::samples().first().cloned(),
                "/explain/instance-asleep".to_owned(),
            )),
            readings: Vec::new(),
            ..page(Vec::new())
        };
        vec![("good", page(Vec::new())), ("admin", page(vec![admin.into()])), ("asleep", asleep)]
    }
}

impl Page for HandOverPage {
    const NAME: &'static str = "hand-over";

    fn samples() -> Vec<(&'static str, Self)> {
        let field = |label: &str, text: Option<&str>, shape: Option<&str>| FormField {
            label: label.into(),
            text: text.map(str::to_owned),
            shape: shape.map(str::to_owned),
            why: String::new(),
        };
        let fields = vec![
            field("Instance URL", Some("https://classics.service-now.com"), None),
            field("Client ID", Some("0123456789abcdef0123456789abcdef"), None),
            field("Client Secret", None, Some("32 characters, ends with 9f2a")),
            field("Access Token", None, Some("86 characters, ends with Qx7A")),
            field("Refresh Token", None, Some("86 characters, ends with 0dLw")),
        ];
        let format =
            |name: &str| Choice { name: name.into(), title: name.into(), about: String::new() };
        let page = |is_journey, done| Self {
            frame: if is_journey {
                Frame::on(Rail::HandOver, EN.hand_over_title)
            } else {
                Frame::new(EN.hand_over_title)
            },
            profile: "classics".into(),
            product: "NiCE CXone Knowledge Hub".into(),
            is_journey,
            done,
            fields: fields.clone(),
            warnings: vec![EN.hand_over_spent.into()],
            is_over: false,
            place: Some("/home/ada/Desktop/servicenow_credentials.txt".into()),
            formats: vec![format("credentials-file"), format("json"), format("dotenv")],
            has_reminder: is_journey,
        };
        let text = format!("{} /home/ada/servicenow_credentials.txt", EN.hand_over_saved);
        let saved = Done::good(text);
        let over = Self { is_over: true, ..page(false, None) };
        vec![
            ("knowledge-hub", page(true, None)),
            ("saved", page(false, Some(saved))),
            ("over", over),
        ]
    }
}

impl Page for ValuePage {
    const NAME: &'static str = "value";

    fn samples() -> Vec<(&'static str, Self)> {
        let frame = Frame::new(EN.hand_over_shown_title);
        let (profile, label) = ("classics".into(), "Access Token".into());
        vec![("usual", Self { frame, profile, label, value: Secret::new("sample-of-a-token") })]
    }
}

impl Page for PassphrasePage {
    const NAME: &'static str = "passphrase";

    fn samples() -> Vec<(&'static str, Self)> {
        let frame = Frame::new(EN.passphrase_title);
        let passphrase = Secret::new("sample-of-a-passphrase-in-words");
        vec![("usual", Self { frame, profile: "classics".into(), passphrase })]
    }
}

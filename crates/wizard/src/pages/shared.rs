//! What several pages show.

use crate::texts::Texts;

/// What is wrong with a field of a form that comes back.
#[derive(Debug, Clone, Default)]
pub struct Wrong(Option<(&'static str, String)>);

impl Wrong {
    /// This field, with a sentence.
    pub fn field(name: &'static str, text: impl Into<String>) -> Self {
        Self(Some((name, text.into())))
    }

    /// Whether it is this one.
    pub fn is(&self, name: &str) -> bool {
        self.0.as_ref().is_some_and(|(own, _)| *own == name)
    }

    /// The sentence about this one.
    pub fn of(&self, name: &str) -> &str {
        self.0.as_ref().filter(|(own, _)| *own == name).map_or("", |(_, text)| text)
    }
}

/// Something to choose.
#[derive(Debug, Clone)]
pub struct Choice {
    /// What is sent.
    pub name: String,
    /// What it is called.
    pub title: String,
    /// A sentence about it.
    pub about: String,
}

/// What went wrong, with the way to its page.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// What.
    pub text: String,
    /// The code of its diagnosis.
    pub code: Option<&'static str>,
}

/// A step of a road, or a line of a report.
#[derive(Debug, Clone)]
pub struct Finding {
    /// `pass`, `warn`, `fail` or `unknown`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// What was seen.
    pub text: String,
}

impl Finding {
    /// What stands in front of it.
    pub fn sign(&self) -> &'static str {
        match self.kind {
            "pass" => "✓",
            "fail" => "✗",
            "warn" => "!",
            _ => "?",
        }
    }

    /// The kind in words.
    pub fn word(&self, t: &Texts) -> &'static str {
        match self.kind {
            "pass" => t.doctor_pass,
            "fail" => t.doctor_fail,
            "warn" => t.doctor_warn,
            _ => t.doctor_unknown,
        }
    }

    pub(super) fn samples() -> Vec<Self> {
        let finding =
            |kind, name: &str, text: &str| Self { kind, name: name.into(), text: text.into() };
        vec![
            finding("pass", "name", "classics.service-now.com"),
            finding("pass", "TLS", "a certificate of DigiCert, valid for 83 days"),
            finding("warn", "clock", "this computer's clock is 40 s ahead"),
            finding("fail", "instance awake", "a page says \"Instance Hibernating page\""),
            finding("unknown", "client known", "not looked at: the instance sleeps"),
        ]
    }

    pub(super) fn picture(findings: &[Self]) -> String {
        let kinds: Vec<(&str, &str)> =
            findings.iter().map(|finding| (finding.name.as_str(), finding.kind)).collect();
        crate::draw::road(&kinds)
    }
}

//! How a failure looks: what, why, what next, and a code to look up. Always in this order.

use std::error::Error as StdError;
use std::fmt::Write as _;
use std::io;

use snowtoken::core::diagnosis::{Code, Diagnose, Hint, Outcome};
use snowtoken::core::printable::Printable;
use snowtoken::core::profile::ProfileName;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// With a diagnosis of its own.
    #[error("{error}")]
    Diagnosed {
        /// What happened.
        error: Box<dyn Diagnose + Send + Sync>,
        /// The profile it was about, so that hints can name it.
        profile: Option<ProfileName>,
        /// What is said before the catalogue's hints.
        first: Vec<Hint>,
        /// What is said after them.
        last: Vec<Hint>,
    },
    /// The command's own words for an entry of the catalogue.
    #[error("{text}")]
    Told {
        /// What happened.
        text: String,
        /// The entry.
        code: Code,
        /// The profile it was about, so that hints can name it.
        profile: Option<ProfileName>,
        /// What is said before the catalogue's hints.
        first: Vec<Hint>,
        /// What is said after them.
        last: Vec<Hint>,
    },
    /// stdout could not be written.
    #[error("the output could not be written")]
    Output(#[source] io::Error),
}

impl<E: Diagnose + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Diagnosed {
            error: Box::new(error),
            profile: None,
            first: Vec::new(),
            last: Vec::new(),
        }
    }
}

impl Failure {
    /// A failure told in the command's own words.
    pub(crate) fn told(code: Code, text: impl Into<String>) -> Self {
        Self::Told { text: text.into(), code, profile: None, first: Vec::new(), last: Vec::new() }
    }

    /// Something that cannot be.
    pub(crate) fn bug(text: &str) -> Self {
        Self::told(Code::Bug, text)
    }

    /// Adds a hint before the others.
    #[must_use]
    pub(crate) fn with_hint(mut self, hint: Hint) -> Self {
        match &mut self {
            Self::Diagnosed { first, .. } | Self::Told { first, .. } => first.push(hint),
            Self::Output(_) => {}
        }
        self
    }

    /// Adds a hint after the others.
    #[must_use]
    pub(crate) fn with_note(mut self, text: impl Into<String>) -> Self {
        match &mut self {
            Self::Diagnosed { last, .. } | Self::Told { last, .. } => last.push(Hint::note(text)),
            Self::Output(_) => {}
        }
        self
    }

    /// Names the profile in the hints.
    #[must_use]
    pub(crate) fn about(mut self, name: &ProfileName) -> Self {
        if let Self::Diagnosed { profile, .. } | Self::Told { profile, .. } = &mut self {
            profile.get_or_insert_with(|| name.clone());
        }
        self
    }

    /// The exit code's meaning.
    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Self::Diagnosed { error, .. } => error.outcome(),
            Self::Told { code, .. } => code.entry().outcome,
            Self::Output(_) => Code::OutputFailed.entry().outcome,
        }
    }

    /// The stable code, where there is one.
    pub(crate) fn code(&self) -> Option<Code> {
        match self {
            Self::Diagnosed { error, .. } => Some(error.code()),
            Self::Told { code, .. } => Some(*code),
            // Whoever stopped reading is told nothing.
            Self::Output(error) => {
                (error.kind() != io::ErrorKind::BrokenPipe).then_some(Code::OutputFailed)
            }
        }
    }

    /// What to do first.
    pub(crate) fn first_hint(&self) -> Option<String> {
        self.hints().first().map(|hint| one_line(&hint.to_string()))
    }

    fn hints(&self) -> Vec<Hint> {
        let (first, rest, last, profile) = match self {
            Self::Diagnosed { error, profile, first, last } => {
                (first, error.hints(), last.as_slice(), profile.as_ref())
            }
            Self::Told { code, profile, first, last, .. } => {
                (first, code.entry().hints(), last.as_slice(), profile.as_ref())
            }
            Self::Output(_) => return Code::OutputFailed.entry().hints(),
        };
        let all = first.iter().cloned().chain(rest).chain(last.iter().cloned());
        let mut hints: Vec<Hint> = Vec::new();
        for hint in all.map(|hint| name_profile(hint, profile)) {
            if !hints.contains(&hint) {
                hints.push(hint);
            }
        }
        hints
    }

    /// The text for stderr.
    pub(crate) fn text(&self, colour: bool) -> String {
        let (bold, plain) = if colour { ("\u{1b}[1;31m", "\u{1b}[0m") } else { ("", "") };
        let mut text = format!("{bold}error:{plain} {}\n", one_line(&self.to_string()));
        for cause in self.causes() {
            let _ = writeln!(text, "  caused by: {}", one_line(&cause));
        }
        for hint in self.hints() {
            let _ = writeln!(text, "hint: {}", one_line(&hint.to_string()));
        }
        if let Some(code) = self.code() {
            let _ = writeln!(text, "code: {code} (`snowtoken explain {code}`)");
        }
        text
    }

    fn causes(&self) -> Vec<String> {
        let mut causes: Vec<String> = Vec::new();
        let mut source: Option<&dyn StdError> = match self {
            Self::Diagnosed { error, .. } => error.source(),
            Self::Told { .. } => None,
            Self::Output(error) => Some(error),
        };
        while let Some(cause) = source {
            let text = cause.to_string();
            // Wrappers that only pass on would say everything twice.
            if causes.last() != Some(&text) && text != self.to_string() {
                causes.push(text);
            }
            source = cause.source();
        }
        causes
    }
}

/// Messages hold foreign text only through `Printable`; a path or a system's message may still
/// bring a line break or an escape.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            let _ = write!(line, "{}", Printable(character.encode_utf8(&mut [0; 4])));
        } else {
            line.push(character);
        }
    }
    line
}

/// `snowtoken login` becomes `snowtoken login dev`.
/// A word as a shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=/.,:@+".contains(c);
    if word.chars().all(is_plain) && !word.is_empty() {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

fn name_profile(hint: Hint, profile: Option<&ProfileName>) -> Hint {
    match (hint, profile) {
        (Hint::Run { command, why }, Some(profile)) => {
            let mut words = command.splitn(3, ' ');
            let (program, verb, rest) = (words.next(), words.next(), words.next());
            let command = match (program, verb) {
                (
                    Some("snowtoken"),
                    Some(
                        verb @ ("login" | "refresh" | "revoke" | "deliver" | "token" | "verify"
                        | "setup"),
                    ),
                ) => {
                    let rest = rest.map_or_else(String::new, |rest| format!(" {rest}"));
                    format!("snowtoken {verb} {profile}{rest}")
                }
                _ => command,
            };
            Hint::Run { command, why }
        }
        (hint, _) => hint,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_of_our_own_words_name_the_profile() {
        let failure = Failure::told(Code::DeadlineNear, "x");
        let text = failure.about(&ProfileName::parse("dev").unwrap()).text(false);
        assert!(text.contains("`snowtoken login dev`"), "{text}");
        let failure: Failure = snowtoken::Error::BeingRevoked("dev".to_owned()).into();
        let text = failure.about(&ProfileName::parse("dev").unwrap()).text(false);
        assert!(
            text.contains("`snowtoken revoke dev`") && text.contains("being-revoked"),
            "{text}"
        );
    }

    #[test]
    fn a_failure_reads_in_the_documented_order() {
        let failure: Failure = snowtoken::Error::NotLoggedIn("dev".to_owned()).into();
        let text = failure.about(&ProfileName::parse("dev").unwrap()).text(false);
        assert_eq!(
            text,
            "error: there are no tokens for profile \"dev\"\n\
             hint: gets them: run `snowtoken login dev`\n\
             code: not-logged-in (`snowtoken explain not-logged-in`)\n"
        );
    }

    #[test]
    fn control_characters_never_reach_the_terminal() {
        let failure = Failure::told(Code::Bug, "a\u{1b}]0;x\nb");
        assert!(failure.text(false).starts_with("error: a\\u{1b}]0;x\\u{a}b\n"));
    }
}

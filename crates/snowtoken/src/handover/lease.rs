//! Who owns a profile, as far as this machine knows: its own record, and what its audit says about
//! hand-overs.

use jiff::Timestamp;
use snowtoken_store::envelope::{Header, Lease};
use snowtoken_store::{AuditEntry, Record, RecordState};

/// An export that was begun and did not finish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// When it was begun.
    pub at: Timestamp,
    /// Where it was to write.
    pub place: String,
}

/// What the audit knows of one hand-over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct History {
    /// This machine gave up by it.
    pub exported: Option<Timestamp>,
    /// This machine took over by it.
    pub imported: Option<Timestamp>,
}

/// Whether a sealed file may be taken over here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing speaks against it.
    New,
    /// It comes from this machine, and nothing has happened here since.
    TakesBack,
    /// It was taken over here before.
    UsedBefore(Timestamp),
    /// It comes from this machine, which has handed the profile over once more since then.
    Superseded(Timestamp),
    /// This machine has tokens that live.
    LivesHere,
    /// This machine has tokens whose revocation is not finished.
    BeingRevoked,
}

/// Judges what a file's header says by what is stored under the name it is to have.
pub fn judge(
    header: &Header,
    record: Option<&Record>,
    history: History,
    now: Timestamp,
) -> Verdict {
    if let Some(at) = history.imported {
        return Verdict::UsedBefore(at);
    }
    match record.map(|record| record.state) {
        None if history.exported.is_some() => Verdict::TakesBack,
        Some(RecordState::HandedOver { at }) if at == header.created => Verdict::TakesBack,
        Some(RecordState::HandedOver { at }) if history.exported.is_some() => {
            Verdict::Superseded(at)
        }
        Some(RecordState::Held) if record.is_some_and(|record| lives(record, now)) => {
            Verdict::LivesHere
        }
        Some(RecordState::RevocationPending { .. }) => Verdict::BeingRevoked,
        _ => Verdict::New,
    }
}

fn lives(record: &Record, now: Timestamp) -> bool {
    record.tokens.refresh_token.is_some() || record.tokens.access_expires_at.at > now
}

/// What the rows of the audit, oldest first, say about a hand-over. A profile may have had another
/// name then.
pub fn history(rows: &[AuditEntry], lease: Lease) -> History {
    let words = detail(lease, "");
    let mut history = History::default();
    for row in rows.iter().filter(|row| row.detail.starts_with(&words)) {
        let done = (row.outcome == "done").then_some(row.at);
        match row.event.as_str() {
            "export" => history.exported = done.or(history.exported),
            // The last one counts: a refused one was taken back.
            "import" => history.imported = done,
            _ => {}
        }
    }
    history
}

/// The last export of a profile, if the rows of its audit, oldest first, do not say how it ended.
pub(super) fn unfinished(rows: &[AuditEntry]) -> Option<Unfinished> {
    let last = rows.iter().rfind(|row| row.event == "export")?;
    let place = last.detail.splitn(3, ' ').nth(2).unwrap_or_default().to_owned();
    (last.outcome == "begun").then_some(Unfinished { at: last.at, place })
}

/// How a row of the audit names a hand-over.
pub(super) fn detail(lease: Lease, place: &str) -> String {
    format!("lease {lease} {place}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use snowtoken_core::keeper::Progress;
    use snowtoken_core::ledger::Facts;
    use snowtoken_core::profile::ProfileName;
    use snowtoken_core::secret::Secret;
    use snowtoken_core::token_set::{Deadline, Generation, KnownBy, TokenSet};
    use snowtoken_store::Binding;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn header() -> Header {
        let lease = Lease::parse(&"0a".repeat(16)).unwrap();
        Header { profile: ProfileName::parse("dev").unwrap(), created: at(100), lease }
    }

    fn row(event: &str, outcome: &str, second: i64) -> AuditEntry {
        AuditEntry {
            at: at(second),
            profile: header().profile,
            event: event.to_owned(),
            outcome: outcome.to_owned(),
            detail: detail(header().lease, "/tmp/a b.snowtoken"),
        }
    }

    fn record(state: RecordState, has_refresh_token: bool) -> Record {
        let end = Deadline { at: at(500), known_by: KnownBy::Stated };
        Record {
            generation: Generation(1),
            binding: Binding { instance: "https://a".to_owned(), client_id: "id".to_owned() },
            tokens: TokenSet {
                access_token: Secret::new("at"),
                refresh_token: has_refresh_token.then(|| Secret::new("rt")),
                authorization_code: None,
                scope: None,
                issued_at: at(0),
                granted_at: at(0),
                access_expires_at: end,
                refresh_expires_at: None,
            },
            user: None,
            state,
            progress: Progress::default(),
            facts: Facts::default(),
        }
    }

    #[test]
    fn every_case_has_its_verdict() {
        use RecordState::{HandedOver, Held, Rejected, RevocationPending};
        let nothing = History::default();
        let exported = History { exported: Some(at(100)), imported: None };
        let imported = History { exported: None, imported: Some(at(200)) };
        let cases = [
            (None, nothing, Verdict::New),
            (None, exported, Verdict::TakesBack),
            (None, imported, Verdict::UsedBefore(at(200))),
            (Some(Held), nothing, Verdict::LivesHere),
            (Some(Held), exported, Verdict::LivesHere),
            (Some(Held), imported, Verdict::UsedBefore(at(200))),
            (Some(Rejected { at: at(1) }), nothing, Verdict::New),
            (Some(RevocationPending { since: at(1) }), nothing, Verdict::BeingRevoked),
            // The lease of this very file, even if the audit was lost.
            (Some(HandedOver { at: at(100) }), exported, Verdict::TakesBack),
            (Some(HandedOver { at: at(100) }), nothing, Verdict::TakesBack),
            // Another hand-over came after it; or another machine gives back what it got later.
            (Some(HandedOver { at: at(300) }), exported, Verdict::Superseded(at(300))),
            (Some(HandedOver { at: at(90) }), nothing, Verdict::New),
            (Some(HandedOver { at: at(300) }), imported, Verdict::UsedBefore(at(200))),
        ];
        for (state, history, expected) in cases {
            let record = state.map(|state| record(state, true));
            let verdict = judge(&header(), record.as_ref(), history, at(400));
            assert_eq!(verdict, expected, "{state:?} {history:?}");
        }
        let without = record(Held, false);
        assert_eq!(judge(&header(), Some(&without), nothing, at(400)), Verdict::LivesHere);
        assert_eq!(judge(&header(), Some(&without), nothing, at(500)), Verdict::New);
    }

    #[test]
    fn the_audit_tells_what_happened_to_a_lease() {
        let lease = header().lease;
        let mut rows = vec![row("refresh", "done", 1), row("export", "begun", 2)];
        assert_eq!(history(&rows, lease), History::default());
        let place = "/tmp/a b.snowtoken".to_owned();
        assert_eq!(unfinished(&rows), Some(Unfinished { at: at(2), place }));
        rows.push(row("export", "done", 3));
        assert_eq!(unfinished(&rows), None);
        rows.push(row("import", "done", 4));
        let both = History { exported: Some(at(3)), imported: Some(at(4)) };
        assert_eq!(history(&rows, lease), both);
        rows.push(row("import", "refused", 5));
        assert_eq!(history(&rows, lease), History { imported: None, ..both });
        assert_eq!(history(&rows, Lease::parse(&"0b".repeat(16)).unwrap()), History::default());
    }
}

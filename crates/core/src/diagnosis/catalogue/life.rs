//! A token's life after the login, and its end.

macro_rules! life_entries {
    ([$next:ident $($then:ident)*] $($before:tt)*) => { $next! { [$($then)*] $($before)*

    UserMismatch = "user-mismatch", "another user signed in", You, LoginNeeded {
        cause: "The token belongs to another user than the expected one.",
        proof: "The instance named the token's owner; the tokens were not stored.",
        fixes: [Note("sign out of the instance in the browser (\"Not You?\" on the consent page), then log in again")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    NotLoggedIn = "not-logged-in", "there are no tokens for this profile", You, LoginNeeded {
        cause: "Nobody has logged in yet, or the tokens were revoked or forgotten.",
        proof: "The store holds none.",
        fixes: [Run("snowtoken login", "gets them")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    NoRefreshToken = "no-refresh-token", "the access token has ended and there is no refresh token", You, LoginNeeded {
        cause: "The instance gave none, or what was imported held none.",
        proof: "The token set has no refresh token.",
        fixes: [Run("snowtoken login", "gets a new token set")],
        who: "you",
        signs: [],
        rehearsal: Test("what_is_missing_is_said_without_asking_the_instance"),
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    TokenTooShort = "token-too-short", "the instance does not give a longer-lived token now", Instance, TryLater {
        cause: "While an access token lives ServiceNow may hand out the same one again; a longer one comes only after it has ended, or with a longer lifespan on the client.",
        proof: "The refresh brought no token that lives long enough.",
        fixes: [Note("ask for less with --min-valid, or raise Access Token Lifespan on the client")],
        who: "wait, or your ServiceNow administrator",
        signs: [],
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    RevocationUnproven = "revocation-unproven", "the instance did not revoke the tokens", Instance, Failed {
        cause: "Its answer said so, or a call with the token still succeeds.",
        proof: "A call after the revocation was not refused.",
        fixes: [Visit("System OAuth > Manage Tokens", "revoke them there"),
            Run("snowtoken revoke", "tries again")],
        who: "you, then your ServiceNow administrator",
        signs: [],
        rehearsal: Knobs(&["revoke.effect=ignored"]),
        source: "RFC 7009 §2.2; ServiceNow as documented and observed, docs/quirks.md",
    }
    RevocationPending = "revocation-pending", "the tokens could not be revoked yet", Network, TryLater {
        cause: "The instance could not be asked.",
        proof: "The tokens are kept for the next try; they are not handed out any more.",
        fixes: [Run("snowtoken revoke", "tries again")],
        who: "wait",
        signs: [],
        rehearsal: Knobs(&["revoke.status=503"]),
        source: "RFC 7009 §2.2.1",
    }
    BeingRevoked = "being-revoked", "a revocation is under way", You, LoginNeeded {
        cause: "Somebody asked for the revocation of these tokens, and it is not proved yet.",
        proof: "The store says so; tokens that are being revoked are handed out to nobody.",
        fixes: [Run("snowtoken revoke", "finishes the revocation"),
            Run("snowtoken login", "gets new tokens")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    HandedOver = "handed-over", "another machine keeps these tokens now", You, LoginNeeded {
        cause: "The profile was handed over to another machine; two that refresh the same tokens would end each other's session.",
        proof: "The store says when; nothing was sent.",
        fixes: [Note("use the machine that took over, or the tokens it delivers"),
            Note("if nobody has imported its sealed file: `snowtoken profile import FILE` here takes it back"),
            Run("snowtoken login", "gets tokens for this machine; one client and user share one pair, so revoke on one machine only")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    DeadlineNear = "deadline-near", "a deadline is near or past", You, Deadline {
        cause: "A refresh token ends inside the time asked for, or nobody knows when it ends.",
        proof: "The ledger has its end, and says how it is known.",
        fixes: [Run("snowtoken login", "a new consent starts a new lifespan")],
        who: "the user who signs in",
        signs: [],
        source: "a rule of snowtoken",
    }

    } };
}

//! What is stored, and what the stored token opens.

use super::*;

#[test]
fn the_client_secret() {
    let without_tokens = |answer| {
        move |_: &mut Subject, standing: &mut Option<Standing>, seen: &mut Evidence| {
            (*standing, seen.token) = (None, Some(Ok(answer)));
        }
    };
    check(Step::ClientSecret, "pass", |_, _, _| {});
    check(Step::ClientSecret, "unknown:not-asked", |_, standing, _| {
        standing.as_mut().unwrap().access_end.at = after(-1);
    });
    check(Step::ClientSecret, "unknown:not-asked", |_, standing, _| {
        standing.as_mut().unwrap().last_failure = Some((after(-5), Code::TokenRefused));
    });
    check(Step::ClientSecret, "pass", |_, standing, _| {
        let standing = standing.as_mut().unwrap();
        (standing.access_end.at, standing.refreshed) = (after(-1), Some(Ok(())));
    });
    check(Step::ClientSecret, "fail:input-needed", |_, standing, _| {
        let standing = standing.as_mut().unwrap();
        (standing.access_end.at, standing.has_secret) = (after(-1), false);
    });
    check(Step::ClientSecret, "fail:client-refused", without_tokens(TokenAnswer::ClientRefused));
    check(Step::ClientSecret, "pass", without_tokens(TokenAnswer::ClientAccepted));
    check(Step::ClientSecret, "unknown:not-told", without_tokens(TokenAnswer::NoIntegrationUser));
    check(Step::ClientSecret, "unknown:not-asked", without_tokens(TokenAnswer::Refused));
    let public = |is_public| {
        move |subject: &mut Subject, _: &mut Option<Standing>, seen: &mut Evidence| {
            subject.authentication = AuthenticationMethod::None;
            seen.record = Some(WholeRecord { public: is_public, ..WholeRecord::default() });
        }
    };
    check(Step::ClientSecret, "unknown:not-here", public(None));
    check(Step::ClientSecret, "fail:client-refused", public(Some(false)));
}

#[test]
fn the_scope() {
    let granted = |scope: Option<&'static str>| {
        move |_: &mut Subject, standing: &mut Option<Standing>, _: &mut Evidence| {
            standing.as_mut().unwrap().scope = scope.map(str::to_owned);
        }
    };
    check(Step::Scope, "pass", granted(Some("email useraccount more")));
    check(Step::Scope, "pass", granted(Some("useraccount")));
    check(Step::Scope, "fail:scope-refused", granted(Some("email")));
    check(Step::Scope, "pass", granted(None));
    check(Step::Scope, "unknown:not-told", |subject, standing, _| {
        (subject.scope, standing.as_mut().unwrap().scope) = (None, None);
    });
    check(Step::Scope, "unknown:not-asked", |_, standing, _| *standing = None);
}

#[test]
fn the_grant() {
    let record = |grant: &'static str| {
        move |_: &mut Subject, _: &mut Option<Standing>, seen: &mut Evidence| {
            seen.record = Some(WholeRecord { grant: Some(grant.into()), ..WholeRecord::default() });
        }
    };
    check(Step::Grant, "pass", record("authz_code"));
    check(Step::Grant, "pass", record("multiple"));
    check(Step::Grant, "fail:client-refused", record("client_credential"));
    check(Step::Grant, "pass", |_, _, _| {});
    check(Step::Grant, "unknown:not-asked", |_, standing, _| *standing = None);
    let itself = |answer| {
        move |subject: &mut Subject, standing: &mut Option<Standing>, seen: &mut Evidence| {
            subject.grant = Grant::ClientCredentials;
            (*standing, seen.token) = (None, Some(Ok(answer)));
        }
    };
    check(Step::Grant, "unknown:not-told", itself(TokenAnswer::Refused));
    check(Step::Grant, "fail:application-user-missing", itself(TokenAnswer::NoIntegrationUser));
    let signs = |subject: &mut Subject, standing: &mut Option<Standing>, _: &mut Evidence| {
        (subject.grant, *standing) = (Grant::JwtBearer, None);
    };
    check(Step::Grant, "unknown:not-asked", signs);
    check(Step::Grant, "pass", |subject, _, seen| {
        subject.grant = Grant::JwtBearer;
        seen.record = Some(WholeRecord { grant: Some("jwt".into()), ..WholeRecord::default() });
    });
}

#[test]
fn the_refresh_token() {
    let with = |change: fn(&mut Standing)| {
        move |_: &mut Subject, standing: &mut Option<Standing>, _: &mut Evidence| {
            change(standing.as_mut().unwrap());
        }
    };
    check(Step::RefreshToken, "unknown:not-asked", |_, _, _| {});
    check(Step::RefreshToken, "unknown:not-asked", |_, standing, _| *standing = None);
    check(Step::RefreshToken, "pass", with(|s| s.refreshed = Some(Ok(()))));
    check(
        Step::RefreshToken,
        "fail:token-refused",
        with(|s| s.refreshed = Some(Err(Silence { code: Code::TokenRefused, text: "no".into() }))),
    );
    check(Step::RefreshToken, "fail:token-refused", with(|s| s.state = State::Rejected(now())));
    check(Step::RefreshToken, "fail:being-revoked", with(|s| s.state = State::BeingRevoked));
    check(Step::RefreshToken, "fail:handed-over", with(|s| s.state = State::HandedOver));
    check(Step::RefreshToken, "fail:no-refresh-token", with(|s| s.has_refresh_token = false));
    check(
        Step::RefreshToken,
        "fail:instance-busy",
        with(|s| s.last_failure = Some((now(), Code::InstanceBusy))),
    );
    check(
        Step::RefreshToken,
        "fail:token-refused",
        with(|s| s.refresh_end = Some(Deadline { at: now(), known_by: KnownBy::Derived })),
    );
    check(Step::RefreshToken, "unknown:not-here", |subject, standing, _| {
        subject.grant = Grant::ClientCredentials;
        standing.as_mut().unwrap().has_refresh_token = false;
    });
}

#[test]
fn the_api_and_the_tables() {
    let api = |answer: Result<ApiVerdict, ApiError>| {
        |_: &mut Subject, _: &mut Option<Standing>, seen: &mut Evidence| seen.api = Some(Ok(answer))
    };
    check(Step::Api, "pass", api(Ok(ApiVerdict::Records(0))));
    check(Step::Api, "unknown:not-told", api(Ok(ApiVerdict::NotThere)));
    check(Step::Api, "fail:api-restricted", api(Err(ApiError::Restricted(None))));
    check(Step::Api, "fail:api-scope-missing", api(Err(ApiError::ScopeMissing(None))));
    check(Step::Api, "fail:token-not-accepted", api(Err(ApiError::NotAccepted(None))));
    check(Step::Api, "unknown:not-asked", |_, _, seen| seen.api = None);
    check(Step::Api, "fail:timed-out", |_, _, seen| seen.api = Some(Err(silence(Code::TimedOut))));
    check(Step::Tables, "unknown:blocked", api(Err(ApiError::Restricted(None))));
    let table = |answer: Asked<Result<ApiVerdict, ApiError>>| {
        |_: &mut Subject, _: &mut Option<Standing>, seen: &mut Evidence| {
            seen.tables.push(("kb_knowledge_base".to_owned(), answer));
        }
    };
    check(Step::Tables, "pass", table(Ok(Ok(ApiVerdict::Records(1)))));
    check(Step::Tables, "unknown:not-told", table(Ok(Ok(ApiVerdict::Records(0)))));
    check(Step::Tables, "fail:api-forbidden", table(Ok(Err(ApiError::Forbidden(None)))));
    check(Step::Tables, "fail:timed-out", table(Err(silence(Code::TimedOut))));
    check(Step::Tables, "unknown:not-asked", |_, _, seen| seen.tables.clear());
    check(Step::Tables, "unknown:not-here", |subject, _, _| {
        subject.tables = Some(Vec::new());
    });
    check(Step::Tables, "unknown:not-here", |subject, _, _| subject.tables = None);
}

#[test]
fn the_deadlines() {
    let end = |days: i64| {
        move |_: &mut Subject, standing: &mut Option<Standing>, _: &mut Evidence| {
            let at = after(days * 86_400);
            standing.as_mut().unwrap().refresh_end =
                Some(Deadline { at, known_by: KnownBy::Stated });
        }
    };
    check(Step::Deadlines, "pass", end(15));
    check(Step::Deadlines, "warn", end(13));
    check(Step::Deadlines, "fail:deadline-near", end(0));
    check(Step::Deadlines, "unknown:not-told", |_, standing, _| {
        standing.as_mut().unwrap().refresh_end = None;
    });
    check(Step::Deadlines, "unknown:not-asked", |_, standing, _| *standing = None);
    check(Step::Deadlines, "unknown:not-here", |_, standing, _| {
        standing.as_mut().unwrap().state = State::Rejected(after(0));
    });
}

//! A client made over the Table API, beside the pretend registry.

use http::Method;
use snowtoken_core::diagnosis::{Code, Diagnose as _};
use snowtoken_core::oauth::authorization::{AuthorizationRequest, Entropy};
use snowtoken_core::oauth::client::{Client, ClientAuthentication, ClientId};
use snowtoken_core::oauth::redirect::RedirectUri;
use snowtoken_core::oauth::{Request, Scope};
use snowtoken_core::profile::Grant;
use snowtoken_core::secret::Secret;
use snowtoken_core::servicenow;
use snowtoken_core::setup::ClientPlan;
use snowtoken_core::setup::apply::{
    Apply, ApplyError, Authority, Fate, Found, FoundClient, Item, Orders, Search,
};
use snowtoken_core::setup::probe::{PlaceVerdict, judge_place, try_place};
use snowtoken_stand_in::{Behaviour, Instance, User};

use crate::browser;
use crate::world::{plain, sealed, start};

const ID: &str = "0123456789abcdef0123456789abcdef";
const SECRET: &str = "Canary4711Canary4711Canary4711xx";

fn instance(knobs: &[&str]) -> Instance {
    let mut behaviour = Behaviour::default();
    for knob in knobs {
        behaviour.assign(knob).unwrap();
    }
    Instance::with(behaviour, 7, Vec::new(), User::defaults())
}

fn address() -> servicenow::Instance {
    servicenow::Instance::parse("classics").unwrap()
}

fn authority(user_name: &str) -> Authority {
    Authority::Basic { user_name: user_name.to_owned(), password: Secret::new("snow") }
}

fn plan() -> ClientPlan {
    ClientPlan {
        name: "snowtoken test".to_owned(),
        client_id: Some(ClientId::parse(ID).unwrap()),
        grant: Grant::AuthorizationCode,
        redirect_uris: vec![RedirectUri::parse("https://a.example/cb").unwrap()],
        access_token_lifespan: 1_800,
        refresh_token_lifespan: 31_536_000,
        code_lifespan: 60,
        scopes: vec!["useraccount".to_owned(), "kb_read".to_owned()],
        user: None,
    }
}

/// An administrator at work, who may be called away after some answers.
struct Desk {
    there: Instance,
    user: &'static str,
    answers_left: usize,
    sent: Vec<(Method, String)>,
    /// The secret that the instance is known to have taken.
    secret_was_set: bool,
}

impl Desk {
    fn at(there: Instance) -> Self {
        Self {
            there,
            user: "admin",
            answers_left: usize::MAX,
            sent: Vec::new(),
            secret_was_set: false,
        }
    }

    fn send(&mut self, request: Request) -> Option<snowtoken_core::oauth::Response> {
        assert!(self.sent.len() < 100, "a loop");
        self.sent.push((request.method().clone(), request.uri().path().to_owned()));
        let answer = sealed(self.there.handle(start(), plain(request)));
        self.answers_left = self.answers_left.checked_sub(1)?;
        Some(answer)
    }

    fn search(&mut self, plan: &ClientPlan) -> Result<Option<Found>, ApplyError> {
        let mut search = Search::new(address(), authority(self.user), plan);
        while let Some(request) = search.poll_request() {
            let Some(answer) = self.send(request) else { return Ok(None) };
            search.handle_response(&answer)?;
        }
        Ok(Some(search.found().unwrap().clone()))
    }

    fn drive(&mut self, apply: &mut Apply) -> Result<(), ApplyError> {
        while let Some(request) = apply.poll_request() {
            let Some(answer) = self.send(request) else { return Ok(()) };
            apply.handle_response(&answer)?;
            self.secret_was_set |= apply.take_secret_was_set();
        }
        Ok(())
    }

    /// Looks, then makes or mends, as the command does.
    fn run(&mut self, plan: &ClientPlan, orders: Orders) -> Result<Vec<Item>, ApplyError> {
        Ok(self.work(plan, orders)?.map(|apply| apply.items().to_vec()).unwrap_or_default())
    }

    fn work(&mut self, plan: &ClientPlan, orders: Orders) -> Result<Option<Apply>, ApplyError> {
        let mut apply = match self.search(plan)? {
            None => return Ok(None),
            Some(Found::Nothing) => {
                let made = (ClientId::parse(ID).unwrap(), Secret::new(SECRET));
                Apply::create(address(), authority(self.user), plan.clone(), made, orders)
            }
            Some(Found::Client(found)) => {
                let secret = (!self.secret_was_set).then(|| Secret::new(SECRET));
                let what = (&found, secret);
                Apply::mend(address(), authority(self.user), plan.clone(), what, orders)
            }
        };
        self.drive(&mut apply)?;
        Ok(Some(apply))
    }

    fn writes(&self) -> usize {
        self.sent.iter().filter(|(method, _)| method != Method::GET).count()
    }

    /// A person consents with all scopes of the plan, and the code is exchanged.
    fn logs_in(&mut self, plan: &ClientPlan) -> Result<String, String> {
        let client = Client {
            id: ClientId::parse(ID).unwrap(),
            authentication: ClientAuthentication::Post(Secret::new(SECRET)),
        };
        let request = AuthorizationRequest {
            endpoints: address().endpoints(),
            client_id: client.id.clone(),
            redirect_uri: plan.redirect_uris[0].clone(),
            scope: Scope::parse(&plan.scopes.join(" ")).ok(),
        };
        let (url, expect) = request.begin(&Entropy::from_bytes([5; 64]));
        let redirect = browser::consent(&mut self.there, start(), &url, "authorize")?;
        let code = expect.examine(&redirect).map_err(|error| error.to_string())?;
        let (request, expect) = expect.redeem(code, &client);
        let answer = sealed(self.there.handle(start(), plain(request)));
        let response = expect.receive(answer).map_err(|error| error.to_string())?;
        Ok(response.scope.unwrap_or_default())
    }
}

fn fate<'a>(items: &'a [Item], what: &str) -> &'a Fate {
    let found = items.iter().find(|item| item.what.starts_with(what));
    &found.unwrap_or_else(|| panic!("no {what}: {items:#?}")).fate
}

fn is_as_it_was(item: &Item) -> bool {
    matches!(item.fate, Fate::AsItWas(_) | Fate::Skipped(_))
}

#[test]
fn every_release_gets_a_client_that_works() {
    let releases: [&[&str]; 5] = [
        &[],
        &["registry.release=xanadu", "registry.auth_scopes=absent"],
        &["scope.table=oauth_entity_auth_scope_mapping"],
        &["entity.profile=missing", "entity.secret_input=needs-display-value"],
        &["entity.secret_read_back=masked"],
    ];
    for knobs in releases {
        let mut desk = Desk::at(instance(knobs));
        let items = desk.run(&plan(), Orders::default()).unwrap();
        assert_eq!(fate(&items, "Client 0123"), &Fate::Made, "{knobs:?}");
        assert!(desk.secret_was_set);
        assert!(
            !items.iter().any(|item| matches!(item.fate, Fate::CouldNot { .. })),
            "{knobs:?} {items:#?}"
        );
        assert_eq!(desk.logs_in(&plan()).unwrap(), "useraccount kb_read", "{knobs:?}");
        let text = format!("{items:?}");
        assert!(!text.contains("Canary") && !text.contains("snow\""), "{text}");

        let writes = desk.writes();
        let again = desk.run(&plan(), Orders::default()).unwrap();
        assert_eq!(desk.writes(), writes, "a second run writes nothing: {again:#?}");
        assert!(again.iter().all(is_as_it_was), "{again:#?}");
    }
}

#[test]
fn tables_that_are_not_there_are_skipped_and_told() {
    let mut desk = Desk::at(instance(&["registry.auth_scopes=absent"]));
    let items = desk.run(&plan(), Orders::default()).unwrap();
    assert!(matches!(fate(&items, "Scopes (sys_auth_scope)"), Fate::Skipped(_)), "{items:#?}");
    assert_eq!(fate(&items, "Scope kb_read (oauth_entity_scope)"), &Fate::Made);
}

#[test]
fn a_client_is_mended_and_nothing_of_it_is_taken_away() {
    let mut desk = Desk::at(instance(&[]));
    desk.run(&plan(), Orders::default()).unwrap();
    let mut client = desk.there.client(ID).unwrap().clone();
    client.redirect_urls = vec!["https://other.example/x".to_owned()];
    client.access_token_lifespan = 600;
    client.refresh_token_lifespan = 99_999_999;
    client.scope_restriction_status = "restricted".to_owned();
    client.inbound_grant_type = "client_credential".to_owned();
    client.scopes.push("theirs".to_owned());
    desk.there.put_client(client);
    let items = desk.run(&plan(), Orders::default()).unwrap();
    let changed = |from: &str, to: &str| Fate::Changed { from: from.into(), to: to.into() };
    assert_eq!(
        fate(&items, "Redirect URL"),
        &changed("https://other.example/x", "https://other.example/x,https://a.example/cb")
    );
    assert_eq!(fate(&items, "Access Token Lifespan"), &changed("600", "1800"));
    assert!(matches!(fate(&items, "Refresh Token Lifespan"), Fate::AsItWas(Some(_))));
    assert_eq!(fate(&items, "Inbound grant type"), &changed("client_credential", "multiple"));
    let client = desk.there.client(ID).unwrap();
    assert!(client.scopes.contains(&"theirs".to_owned()));
    assert_eq!(client.scope_restriction_status, "unrestricted");
    assert_eq!(client.client_secret, SECRET, "the secret is left alone");
    let exact = Orders { exact_lifespans: true, ..Orders::default() };
    let items = desk.run(&plan(), exact).unwrap();
    assert_eq!(fate(&items, "Refresh Token Lifespan"), &changed("99999999", "31536000"));
}

/// A client that others made may serve others.
#[test]
fn what_somebody_else_switched_off_or_narrowed_is_left_and_told() {
    let mut desk = Desk::at(instance(&[]));
    desk.secret_was_set = true;
    desk.there.put_client(snowtoken_stand_in::Client {
        client_id: ID.to_owned(),
        name: "Theirs".to_owned(),
        active: false,
        scope_restriction_status: "restricted".to_owned(),
        inbound_grant_type: "jwt".to_owned(),
        ..snowtoken_stand_in::Client::default()
    });
    let items = desk.run(&plan(), Orders::default()).unwrap();
    let what = ["Active", "Allow access only to APIs in selected scope", "Inbound grant type"];
    for what in what {
        assert!(matches!(fate(&items, what), Fate::CouldNot { .. }), "{what}");
    }
    let client = desk.there.client(ID).unwrap();
    assert!(!client.active && client.inbound_grant_type == "jwt");
    assert_eq!(client.scope_restriction_status, "restricted");
    assert!(client.redirect_urls.contains(&"https://a.example/cb".to_owned()));
}

/// Whoever is interrupted looks first the next time, and does what is left.
#[test]
fn a_run_that_ends_after_any_answer_is_finished_by_the_next() {
    let mut whole = Desk::at(instance(&[]));
    whole.run(&plan(), Orders::default()).unwrap();
    let wanted = whole.there.client(ID).unwrap().clone();
    for answers in 0..whole.sent.len() {
        let mut desk = Desk::at(instance(&[]));
        desk.answers_left = answers;
        let _ = desk.run(&plan(), Orders::default()).unwrap();
        desk.answers_left = usize::MAX;
        desk.run(&plan(), Orders::default()).unwrap();
        let made = desk.there.client(ID).unwrap().clone();
        assert_eq!((&made.scopes, &made.auth_scopes), (&wanted.scopes, &wanted.auth_scopes));
        assert_eq!(made.client_secret, SECRET, "after {answers} answers");
        assert_eq!(desk.there.clients().len(), 1);
        desk.logs_in(&plan()).unwrap();
        let writes = desk.writes();
        desk.run(&plan(), Orders::default()).unwrap();
        assert_eq!(desk.writes(), writes, "after {answers} answers");
    }
}

#[test]
fn a_dry_run_writes_nothing_and_names_every_request_that_would() {
    let dry = Orders { dry_run: true, ..Orders::default() };
    let mut desk = Desk::at(instance(&[]));
    let apply = desk.work(&plan(), dry).unwrap().unwrap();
    assert_eq!(desk.writes(), 0);
    assert!(desk.there.clients().is_empty());
    let planned: Vec<_> = apply.planned().to_vec();
    assert!(!format!("{planned:?}").contains("Canary"), "{planned:#?}");
    assert_eq!(planned[1].body["client_secret"], "********");
    let mut real = Desk::at(instance(&[]));
    real.run(&plan(), Orders::default()).unwrap();
    assert_eq!(planned.len(), real.writes(), "{planned:#?} {:#?}", real.sent);
    // Of one that is as it should be nothing would be sent.
    real.secret_was_set = true;
    assert!(real.work(&plan(), dry).unwrap().unwrap().planned().is_empty());
}

#[test]
fn a_name_that_is_taken_is_told_as_such() {
    let mut desk = Desk::at(instance(&[]));
    let mut other = plan();
    other.client_id = None;
    desk.run(&other, Orders::default()).unwrap();
    let theirs = ClientId::parse("another").unwrap();
    let wish = ClientPlan { client_id: Some(theirs), ..plan() };
    let error = desk.search(&wish).unwrap_err();
    assert_eq!(error.code(), Code::ClientTaken, "{error}");
    // By name alone it is found, whoever made it.
    let Some(Found::Client(FoundClient { client_id, .. })) = desk.search(&other).unwrap() else {
        panic!("not found");
    };
    assert_eq!(client_id.as_str(), ID);
}

/// An instance may have a rule that overwrites it: a client whose ID is not known here is of no use.
#[test]
fn an_id_that_the_instance_chose_itself_is_noticed() {
    let mut desk = Desk::at(instance(&[]));
    let body = br#"{"result":{"sys_id":"0123456789abcdef0123456789abcdef","client_id":"theirs"}}"#
        .to_vec();
    let answer = http::Response::builder().status(201).body(body).unwrap();
    let found = desk.search(&plan()).unwrap();
    assert!(matches!(found, Some(Found::Nothing)));
    desk.there.script("/api/now/table/oauth_entity", answer);
    let made = (ClientId::parse(ID).unwrap(), Secret::new(SECRET));
    let mut apply = Apply::create(address(), authority("admin"), plan(), made, Orders::default());
    let error = desk.drive(&mut apply).unwrap_err();
    assert_eq!(error, ApplyError::OtherId("theirs".to_owned()));
}

/// Something that answers everything well is no instance: nothing more is sent to it.
#[test]
fn an_answer_without_the_clients_record_ends_the_work_before_anything_else_is_sent() {
    let bodies = [
        (r#"{"result":[]}"#, "no record"),
        (r#"{"result":[{"sys_id":"0123456789abcdef0123456789abcdef"}]}"#, "no record"),
        (r#"{"result":{}}"#, "a record without its key"),
        (r#"{"result":{"sys_id":"","client_id":"x"}}"#, "a record without its key"),
        (r#"{"result":{"sys_id":"../../x","client_id":"x"}}"#, "a record without its key"),
        (
            r#"{"result":{"sys_id":"0123456789abcdef0123456789abcdef"}}"#,
            "a record without its client ID",
        ),
    ];
    for (body, said) in bodies {
        let mut desk = Desk::at(instance(&[]));
        assert!(matches!(desk.search(&plan()).unwrap(), Some(Found::Nothing)));
        let answer = http::Response::builder().status(200).body(body.as_bytes().to_vec()).unwrap();
        desk.there.script("/api/now/table/oauth_entity", answer);
        let made = (ClientId::parse(ID).unwrap(), Secret::new(SECRET));
        let (address, by) = (address(), authority("admin"));
        let mut apply = Apply::create(address, by, plan(), made, Orders::default());
        let error = desk.drive(&mut apply).unwrap_err();
        assert_eq!(error.code(), Code::ApiUnexpected, "{body}");
        assert!(error.to_string().contains(said), "{body}: {error}");
        assert!(apply.items().is_empty(), "{body}: {:?}", apply.items());
    }
}

#[test]
fn a_client_that_is_found_without_a_key_is_not_worked_on() {
    let mut desk = Desk::at(instance(&[]));
    for key in ["", "1", "../../x"] {
        let row = format!(
            r#"{{"result":[{{"sys_id":"{key}","client_id":"{ID}","name":"{}"}}]}}"#,
            plan().name
        );
        let answer = http::Response::builder().status(200).body(row.into_bytes()).unwrap();
        desk.there.script("/api/now/table/oauth_entity", answer);
        let error = desk.search(&plan()).unwrap_err();
        assert_eq!(error.code(), Code::ApiUnexpected, "{key}: {error}");
    }
}

#[test]
fn several_clients_of_one_name_are_not_chosen_from() {
    let mut desk = Desk::at(instance(&[]));
    for id in ["one", "two"] {
        desk.there.put_client(snowtoken_stand_in::Client {
            client_id: id.to_owned(),
            name: "snowtoken test".to_owned(),
            ..snowtoken_stand_in::Client::default()
        });
    }
    let error = desk.search(&ClientPlan { client_id: None, ..plan() }).unwrap_err();
    assert!(error.to_string().starts_with("2 clients have the name"), "{error}");
    let one = ClientPlan { client_id: Some(ClientId::parse("one").unwrap()), ..plan() };
    assert!(matches!(desk.search(&one).unwrap(), Some(Found::Client(_))));
}

#[test]
fn a_user_without_the_role_is_told_which() {
    let failure = |knobs: &[&str], user: &'static str| {
        let mut desk = Desk::at(instance(knobs));
        desk.user = user;
        desk.run(&plan(), Orders::default()).unwrap_err()
    };
    assert_eq!(failure(&[], "abel.tuter").code(), Code::AdminRoleMissing);
    assert_eq!(failure(&[], "nobody").code(), Code::AdminNotAccepted);
    assert_eq!(failure(&[], "locked.user").code(), Code::AdminNotAccepted);
    let error = failure(&["registry.write_role=security_admin"], "admin");
    assert_eq!(error.code(), Code::AdminRoleMissing);
    assert!(error.to_string().contains("may not write"), "{error}");
    assert_eq!(failure(&["api.rate_limit=3"], "admin").code(), Code::RateLimited);
    assert_eq!(failure(&["fault.kind=asleep"], "admin").code(), Code::InstanceAsleep);
}

#[test]
fn a_client_for_itself_needs_a_user_and_a_switch() {
    let wish = |user: Option<&str>| ClientPlan {
        grant: Grant::ClientCredentials,
        redirect_uris: Vec::new(),
        user: user.map(str::to_owned),
        ..plan()
    };
    let mut desk = Desk::at(instance(&[]));
    let items = desk.run(&wish(None), Orders::default()).unwrap();
    assert!(matches!(fate(&items, "OAuth Application User"), Fate::CouldNot { .. }));
    assert!(matches!(fate(&items, "glide.oauth.inbound"), Fate::CouldNot { .. }));
    let items = desk.run(&wish(Some("nobody")), Orders::default()).unwrap();
    assert!(matches!(fate(&items, "OAuth Application User"), Fate::CouldNot { .. }));
    let on = Orders { enable_client_credentials: true, ..Orders::default() };
    let items = desk.run(&wish(Some("abel.tuter")), on).unwrap();
    assert_eq!(fate(&items, "OAuth Application User"), &Fate::Made);
    assert_eq!(desk.there.client(ID).unwrap().user, "abel.tuter");
    assert_eq!(desk.there.behaviour().get("client_credentials.enabled"), Some("on"));
    let writes = desk.writes();
    desk.run(&wish(Some("abel.tuter")), on).unwrap();
    assert_eq!(desk.writes(), writes);
}

#[test]
fn the_authorization_endpoint_tells_whether_it_knows_the_place() {
    let mut desk = Desk::at(instance(&[]));
    desk.run(&plan(), Orders::default()).unwrap();
    let mut judged = |id: &str, uri: &str| {
        let id = ClientId::parse(id).unwrap();
        let request = try_place(&address(), &id, &RedirectUri::parse(uri).unwrap(), "a-state");
        judge_place(&sealed(desk.there.handle(start(), plain(request))))
    };
    assert_eq!(judged(ID, "https://a.example/cb"), PlaceVerdict::Taken);
    assert_eq!(judged(ID, "https://a.example/cb/"), PlaceVerdict::RedirectUriUnknown);
    assert_eq!(judged("x", "https://a.example/cb"), PlaceVerdict::ClientUnknown);
}

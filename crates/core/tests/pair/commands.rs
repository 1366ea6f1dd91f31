//! What the shell tells the keeper, and answers that come too late for it.

use http::Response;
use snowtoken_core::keeper::{Command, Event, TokenState, Why};
use snowtoken_core::secret::Secret;
use snowtoken_core::token_set::{Deadline, KnownBy, TokenSet};

use crate::world::{DAY, World, plain, sealed, seconds};

/// An adopted token set, as another process would have stored it.
fn newer(world: &World, refresh_token: &str) -> TokenSet {
    let end = world.clock() + seconds(1_799);
    TokenSet {
        access_token: Secret::new("adopted"),
        refresh_token: Some(Secret::new(refresh_token)),
        issued_at: world.clock(),
        access_expires_at: Deadline { at: end, known_by: KnownBy::Stated },
        ..world.tokens()
    }
}

#[test]
fn late_answer() {
    let mut world = World::new(&["refresh.token=rotate", "refresh.access=new-each-time"]);
    world.keeper.handle_command(world.clock(), Command::Refresh);
    let (generation, request) = world.keeper.poll_request().unwrap();
    let answer = world.instance.handle(world.truth, plain(request));
    assert_eq!(answer.status(), 200);
    world.command(Command::Adopt(Box::new(newer(&world, "newer"))));
    world.keeper.handle_response(world.clock(), generation, Ok(sealed(answer)));
    world.settle();
    assert_eq!((world.refresh_token(), world.names()), ("newer".to_owned(), vec![]));
    assert_eq!(world.tokens().access_token, Secret::new("adopted"));
    world.command(Command::Refresh);
    assert_eq!(world.sent.last().unwrap().1, "newer", "the older one is never sent again");
}

/// The late one comes while the answer to another request is awaited: it is not taken for that.
#[test]
fn late_answer_to_an_earlier_request() {
    let mut world = World::new(&["refresh.access=new-each-time"]);
    world.keeper.handle_command(world.clock(), Command::Refresh);
    let (early, request) = world.keeper.poll_request().unwrap();
    let late = world.instance.handle(world.truth, plain(request));
    let current = world.refresh_token();
    world.command(Command::Adopt(Box::new(newer(&world, &current))));
    world.keeper.handle_command(world.clock(), Command::Refresh);
    let (generation, request) = world.keeper.poll_request().unwrap();
    world.keeper.handle_response(world.clock(), early, Ok(sealed(late)));
    assert!(matches!(world.keeper.state(), TokenState::Refreshing { .. }), "still waiting");
    assert_eq!(world.tokens().access_token, Secret::new("adopted"));
    let answer = world.instance.handle(world.truth, plain(request));
    world.keeper.handle_response(world.clock(), generation, Ok(sealed(answer)));
    world.settle();
    assert_eq!(world.names(), ["refreshed: new token, same again"]);
    assert_eq!(Some(world.tokens().access_token.expose()), world.view().access_token.as_deref());
}

#[test]
fn adopting_what_another_process_stored() {
    let mut world = World::new(&[]);
    let mut other = World::new(&[]);
    let token = other.refresh_token();
    other.command(Command::Refresh);
    let stored = TokenSet { access_token: Secret::new("theirs"), ..newer(&world, &token) };
    world.run(seconds(100));
    world.command(Command::Adopt(Box::new(stored.clone())));
    assert_eq!((world.tokens(), world.names()), (stored, vec![]), "nothing new to be stored");
    let (due, why) = world.keeper.poll_timeout().unwrap();
    assert_eq!(
        (due, why),
        (world.tokens().access_expires_at.at - seconds(60), Why::AccessTokenEnds)
    );
    // After one refusal the shell reads the store and finds that somebody was faster.
    world.instance.set("fault.kind", "flapping-refresh").unwrap();
    world.road = Box::new(|_, _, _, _| {
        Ok(Response::builder().status(401).body(br#"{"error":"invalid_grant"}"#.to_vec()).unwrap())
    });
    world.command(Command::Refresh);
    assert_eq!(world.names(), ["refused once"]);
    world.command(Command::Adopt(Box::new(newer(&world, "rotated by them"))));
    world.run(seconds(60));
    assert_eq!((world.sent.len(), world.refresh_token()), (1, "rotated by them".to_owned()));
    world.command(Command::Refresh);
    assert_eq!(world.count("refused once"), 2, "counted anew: the refusal was about the old one");
    assert_eq!(world.count("rejected"), 0);
}

#[test]
fn forgetting_while_a_refresh_is_under_way() {
    let mut world = World::new(&["refresh.access=new-each-time"]);
    world.keeper.handle_command(world.clock(), Command::Refresh);
    let (generation, request) = world.keeper.poll_request().unwrap();
    world.command(Command::Forget);
    let answer = world.instance.handle(world.truth, plain(request));
    world.keeper.handle_response(world.clock(), generation, Ok(sealed(answer)));
    // It changes nothing, and says what is to be revoked.
    let Some(Event::CameTooLate { access_token, .. }) = world.keeper.poll_event() else {
        panic!("what lives is not named");
    };
    let views = world.instance.tokens(world.truth);
    assert_eq!(views[0].access_token.as_deref(), Some(access_token.expose()));
    world.run(DAY);
    assert!(matches!(world.keeper.state(), TokenState::Absent));
    assert_eq!((world.names(), world.sent.len()), (vec![], 0));
}

/// Asked again and again by a person, the instance is asked exactly that often.
#[test]
fn a_command_always_asks_once() {
    let mut world = World::new(&["expires_in.reissued=remaining"]);
    for n in 1..=10 {
        world.command(Command::Refresh);
        assert_eq!(world.sent.len(), n);
        assert_eq!(world.names().last(), Some(&"refreshed: same token, same again"));
    }
    world.run(seconds(1_700));
    assert_eq!(world.sent.len(), 10, "and nothing by itself while the token lives");
}

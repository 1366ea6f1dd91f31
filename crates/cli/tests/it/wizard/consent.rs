//! Allow: pressed, denied, too late, elsewhere; at the pretend instance and at somebody else's server.

use serde_json::json;

use super::{Hands, ID, NAME, SECRET, Walk};
use crate::support::foreign::{Foreign, Kind, Options};
use crate::support::instance::Instance as _;

#[test]
fn denied_too_late_or_from_another_window_each_has_its_page_and_leads_on_to_the_end() {
    for scripts in [true, false] {
        let walk = Walk::new(scripts);
        walk.register(ID, SECRET);
        let steps = [
            "where", "exists", "client", "denied", "late", "another", "allow", "proof", "handOver",
            "done",
        ];
        let report = walk.to_the_end(&steps);
        let says = |title: &str, words: &str| {
            let page = report["mishaps"][title].as_str().unwrap();
            assert!(page.contains(words), "{title}: {page}");
        };
        says("Allow was not pressed", "Nothing was stored, and nothing was lost.");
        // By this machine's clock it was in time: that the instance's clock ran is not to be seen.
        says("ServiceNow refused the code", "Look at ID and secret first.");
        says("That address belongs to another window", "open ServiceNow from here");
        // A denial and somebody else's address cost no request; the late code cost one.
        let asked = walk.instance.token_requests();
        let codes: Vec<_> = asked.iter().filter_map(|request| request.field("code")).collect();
        assert_eq!(codes.len(), 2, "{asked:#?}");
    }
}

/// The browser's clock moves by hand; the instance's own does not.
#[test]
fn a_page_counts_what_the_code_has_left_and_one_that_was_left_open_sends_nothing() {
    let walk = Walk::new(true);
    walk.register(ID, SECRET);
    let report =
        walk.killed_after(&["where", "exists", "leftOpen", "client", "countdown", "proof"]);
    assert_eq!(report["open"], json!({ "early": false, "late": 0, "sent": [] }));
    let count = &report["count"];
    assert_eq!(
        (&count["before"], &count["late"], &count["after"]),
        (&json!(false), &json!(false), &json!(false))
    );
    let seconds = |name: &str| count[name].as_u64().unwrap();
    assert!((55..=60).contains(&seconds("first")), "{count}");
    assert!((30..=40).contains(&seconds("second")), "{count}");
}

#[test]
fn a_page_that_was_left_open_sends_nothing_without_any_script_too() {
    let walk = Walk::new(false);
    let report = walk.killed_after(&["where", "exists", "leftOpenBare"]);
    let wanted = json!({ "early": false, "usable": true, "late": 0, "sent": [] });
    assert_eq!(report["bare"], wanted);
}

#[test]
fn a_secret_leaves_the_clipboard_wherever_somebody_is_by_then() {
    let walk = Walk::new(true);
    walk.register(ID, SECRET);
    let steps = ["where", "exists", "client", "allow", "proof", "clipboard"];
    let report = walk.killed_after(&steps);
    let token = walk.sandbox.run(&["token", NAME]).ok().token();
    assert_eq!(report["clipboard"], json!([SECRET, SECRET, token, "", SECRET, ""]));
}

#[test]
fn an_instance_that_takes_its_time_is_waited_for_on_a_page_that_says_so() {
    for scripts in [true, false] {
        let walk = Walk::new(scripts);
        walk.register(ID, SECRET);
        for knob in ["fault.path=/oauth_token.do", "fault.delay=5000", "fault.kind=slow"] {
            walk.instance.set(knob);
        }
        walk.killed_after(&["where", "exists", "client", "slowly", "proof"]);
    }
}

/// Nothing has to be asked for twice because this machine was in the way.
#[test]
fn tokens_that_cannot_be_stored_are_kept_until_they_can() {
    let walk = Walk::new(true);
    walk.register(ID, SECRET);
    let steps = ["where", "exists", "client", "unstored", "proof", "handOver", "done"];
    let report = walk.to_the_end(&steps);
    let page = report["unstored"].as_str().unwrap();
    assert!(page.contains("they are in memory here, and nowhere else"), "{page}");
    let file = report["downloads"]["unstored"]["text"].as_str().unwrap();
    let file: serde_json::Value = serde_json::from_str(file).unwrap();
    let token = walk.sandbox.run(&["token", NAME]).ok().token();
    assert!(file.to_string().contains(&token), "{file:#}");
    let exchanges = walk.instance.token_requests();
    let codes = exchanges.iter().filter(|request| request.field("code").is_some());
    assert_eq!(codes.count(), 1, "{exchanges:#?}");
}

/// An instance that cannot prove the tokens just now has given them all the same.
#[test]
fn tokens_that_cannot_be_proved_now_are_kept_and_tried_again() {
    let walk = Walk::new(true);
    walk.register(ID, SECRET);
    walk.instance.set("fault.path=/api/now/ui/user/current_user");
    walk.instance.set("fault.kind=unavailable");
    let report = walk.killed_after(&["where", "exists", "client", "allow", "notProved"]);
    assert!(report["notProved"].as_str().unwrap().contains("503"), "{report:#}");
    walk.instance.set("fault.kind=none");
    walk.killed_after(&["resume", "proof", "handOver"]);
    let token = walk.sandbox.run(&["token", NAME]).ok().token();
    assert!(walk.instance.is_alive(&token));
}

#[test]
fn a_server_that_nobody_here_wrote_gives_tokens_to_the_wizard_too() {
    asks_a_foreign_server(&Walk::new(true));
}

#[test]
fn a_server_that_nobody_here_wrote_gives_them_without_any_script_too() {
    asks_a_foreign_server(&Walk::new(false));
}

#[test]
fn a_server_that_nobody_here_wrote_gives_them_to_the_keyboard_too() {
    asks_a_foreign_server(&Walk::with(Hands::Keyboard));
}

fn asks_a_foreign_server(walk: &Walk) {
    let options = Options {
        client_id: ID.to_owned(),
        client_secret: SECRET.to_owned(),
        ..Options::default()
    };
    let server = Foreign::start(Kind::OidcProvider, options);
    let wizard = walk.wizard();
    let steps = ["where", "exists", "client", "allow", "proof", "handOver", "done"];
    let report = walk.go_at(&server, &wizard, &steps);
    wizard.finish().ok();
    let token = walk.sandbox.run(&["token", NAME]).ok().token();
    assert!(server.is_alive(&token));
    assert_eq!(walk.sandbox.credential("Access Token"), token);
    assert_eq!(walk.sandbox.credential("Client Secret"), SECRET);
    assert_eq!(report["shown"]["Access Token"], token);
    walk.sandbox.run(&["deliver", NAME, "--check"]).ok();
    // It tells who its user is, and no role or criterion of a ServiceNow instance.
    let proof = report["proof"].as_str().unwrap();
    assert!(proof.contains("admin"), "{proof}");
}

#[test]
fn what_comes_back_to_this_machine_needs_no_paste_and_the_page_goes_on_by_itself() {
    for scripts in [true, false] {
        let walk = Walk::coming_back(scripts);
        let wizard = walk.wizard();
        let steps = [
            "where",
            "way",
            "apply",
            "made",
            "leftAllow",
            "exists",
            "kept",
            "denied",
            "allow",
            "proof",
            "handOver",
            "done",
        ];
        let report = walk.go(&wizard, &steps);
        wizard.finish().ok();
        let token = walk.sandbox.run(&["token", NAME]).ok().token();
        assert!(walk.instance.is_alive(&token));
        assert_eq!(report["shown"]["Access Token"], token);
        let page = report["mishaps"]["Allow was not pressed"].as_str().unwrap();
        assert!(page.contains("Nothing was stored, and nothing was lost."), "{page}");
    }
}

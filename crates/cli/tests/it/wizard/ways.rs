//! The ways to a client and from there to the end.

use serde_json::{Value, json};

use super::{ALL, Hands, ID, SECRET, Walk};
use crate::support::instance::console_uri;

#[test]
fn a_person_with_nothing_has_a_client_tokens_and_the_credentials_file_at_the_end() {
    let walk = Walk::new(true);
    let steps = [
        "where", "way", "refused", "apply", "made", "allow", "proof", "handOver", "bundle", "done",
    ];
    let report = walk.to_the_end(&steps);
    assert!(!report["alert"].as_str().unwrap().is_empty());
    let sealed = report["downloads"]["bundle"]["text"].as_str().unwrap();
    assert!(sealed.starts_with("-----BEGIN AGE ENCRYPTED FILE-----"), "{sealed}");
    assert_eq!(report["passphrase"].as_str().unwrap().split('-').count(), 6);
}

#[test]
fn the_keyboard_alone_leads_to_the_credentials_file_and_every_stop_shows_itself() {
    let walk = Walk::with(Hands::Keyboard);
    let report = walk.to_the_end(&ALL);
    assert!(report["stops"].as_array().unwrap().len() > 60, "{:#}", report["stops"]);
}

#[test]
fn a_finger_on_a_small_screen_leads_there_too() {
    let walk = Walk::with(Hands::Finger);
    walk.to_the_end(&ALL);
}

#[test]
fn it_works_without_any_script() {
    let walk = Walk::new(false);
    walk.to_the_end(&ALL);
}

#[test]
fn somebody_pastes_the_script_and_goes_on() {
    pastes_the_script(&Walk::new(true));
}

#[test]
fn somebody_pastes_the_script_and_goes_on_without_any_script_in_the_pages() {
    pastes_the_script(&Walk::new(false));
}

#[test]
fn somebody_pastes_the_script_by_the_keyboard_alone() {
    pastes_the_script(&Walk::with(Hands::Keyboard));
}

fn pastes_the_script(walk: &Walk) {
    let report = walk.killed_after(&["where", "script"]);
    let script = report["downloads"]["script"]["text"].as_str().unwrap();
    if walk.scripts {
        assert_eq!(report["copied"]["script"], script, "what is copied is what is downloaded");
    }
    let (_, rest) = script.split_once("var wanted = ").unwrap();
    let wanted: Value = serde_json::from_str(rest.split_once(";\n").unwrap().0).unwrap();
    let text = |name: &str| wanted[name].as_str().unwrap().to_owned();
    assert!(!report["sources"].as_str().unwrap().contains(&text("client_secret")));
    walk.register(&text("client_id"), &text("client_secret"));
    let steps = ["resume", "scripted", "allow", "proof", "handOver", "done"];
    walk.to_the_end(&steps);
}

#[test]
fn somebody_does_every_click_and_types_what_came_of_it() {
    does_every_click(&Walk::new(true));
}

#[test]
fn somebody_does_every_click_without_any_script_and_types_what_came_of_it() {
    does_every_click(&Walk::new(false));
}

#[test]
fn somebody_does_every_click_by_the_keyboard_alone() {
    does_every_click(&Walk::with(Hands::Keyboard));
}

fn does_every_click(walk: &Walk) {
    walk.register(ID, SECRET);
    let steps = ["where", "clicks", "client", "allow", "proof", "handOver", "done"];
    let report = walk.to_the_end(&steps);
    assert!(report["ticks"].as_u64().unwrap() >= 4, "{}", report["ticks"]);
    let values = report["values"].as_array().unwrap();
    assert!(values.contains(&console_uri("us-west-2").into()), "{values:#?}");
    // Each button copies the value that it stands beside, and nothing around it.
    let copies =
        if walk.scripts && walk.hands != Hands::Keyboard { &report["values"] } else { &json!([]) };
    assert_eq!(&report["copies"], copies);
}

#[test]
fn what_is_wrong_with_an_id_or_a_secret_is_said_while_it_is_typed_and_by_the_wizard_itself() {
    for scripts in [true, false] {
        let walk = Walk::new(scripts);
        walk.register(ID, SECRET);
        let report = walk.killed_after(&["where", "exists", "wrongClient", "client", "allow"]);
        // Without a script the page still says what was wrong before.
        let mut before = json!([]);
        for (what, field, says) in [
            ("blank", "Client ID", "There is a blank in it: was something copied along?"),
            (
                "blank at the end",
                "Client secret",
                "There is a blank in it: was something copied along?",
            ),
            ("url", "Client ID", "This looks like an address, not like an ID."),
            ("same", "Client secret", "This is the client ID once more."),
        ] {
            let typed = &report["typed"][what];
            let at_once = if scripts { json!([says]) } else { before };
            assert_eq!(typed["atOnce"], at_once, "{what}");
            assert_eq!(typed["after"], json!([says]), "{what}");
            assert_eq!(typed["wrong"], json!([field]), "{what}: a screen reader hears of it");
            assert_eq!(typed["secret"], "", "{what}: the secret is typed anew");
            before = json!([says]);
        }
        let sources = report["sources"].as_str().unwrap();
        assert!(!sources.contains(SECRET), "what was typed in secret is on a page");
    }
}

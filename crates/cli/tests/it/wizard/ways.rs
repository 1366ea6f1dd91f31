//! The ways to a client and from there to the end.

use serde_json::{Value, json};

use super::{ALL, Hands, ID, SECRET, Walk};
use crate::support::instance::console_uri;

#[test]
fn a_person_with_nothing_has_a_client_tokens_and_the_credentials_file_at_the_end() {
    let walk = Walk::new(true);
    let wizard = walk.wizard();
    let steps = [
        "where", "way", "refused", "apply", "made", "allow", "proof", "handOver", "bundle", "done",
    ];
    let report = walk.go(&wizard, &steps);
    wizard.finish().ok();
    walk.judge(&report);
    assert!(!report["alert"].as_str().unwrap().is_empty());
    let sealed = report["downloads"]["bundle"]["text"].as_str().unwrap();
    assert!(sealed.starts_with("-----BEGIN AGE ENCRYPTED FILE-----"), "{sealed}");
    assert_eq!(report["passphrase"].as_str().unwrap().split('-').count(), 6);
}

#[test]
fn the_keyboard_alone_leads_to_the_credentials_file_and_every_stop_shows_itself() {
    let walk = Walk::with(Hands::Keyboard);
    let wizard = walk.wizard();
    let report = walk.go(&wizard, &ALL);
    wizard.finish().ok();
    walk.judge(&report);
    assert!(report["stops"].as_array().unwrap().len() > 60, "{:#}", report["stops"]);
}

#[test]
fn a_finger_on_a_small_screen_leads_there_too() {
    let walk = Walk::with(Hands::Finger);
    let wizard = walk.wizard();
    let report = walk.go(&wizard, &ALL);
    wizard.finish().ok();
    walk.judge(&report);
}

#[test]
fn it_works_without_any_script() {
    let walk = Walk::new(false);
    let wizard = walk.wizard();
    let report = walk.go(&wizard, &ALL);
    wizard.finish().ok();
    walk.judge(&report);
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
    let wizard = walk.wizard();
    let report = walk.go(&wizard, &["where", "script"]);
    wizard.kill();
    let script = report["downloads"]["script"]["text"].as_str().unwrap();
    if walk.scripts {
        assert_eq!(report["copied"]["script"], script, "what is copied is what is downloaded");
    }
    let (_, rest) = script.split_once("var wanted = ").unwrap();
    let wanted: Value = serde_json::from_str(rest.split_once(";\n").unwrap().0).unwrap();
    let text = |name: &str| wanted[name].as_str().unwrap().to_owned();
    assert!(!report["sources"].as_str().unwrap().contains(&text("client_secret")));
    walk.register(&text("client_id"), &text("client_secret"));
    let wizard = walk.wizard();
    let steps = ["resume", "scripted", "allow", "proof", "handOver", "done"];
    let report = walk.go(&wizard, &steps);
    wizard.finish().ok();
    walk.judge(&report);
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
    let wizard = walk.wizard();
    let steps = ["where", "clicks", "client", "allow", "proof", "handOver", "done"];
    let report = walk.go(&wizard, &steps);
    wizard.finish().ok();
    walk.judge(&report);
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
        let wizard = walk.wizard();
        let report = walk.go(&wizard, &["where", "exists", "wrongClient", "client", "allow"]);
        wizard.kill();
        for (what, says) in [
            ("blank", "There is a blank in it"),
            ("blank at the end", "There is a blank in it"),
            ("url", "This looks like an address"),
            ("same", "This is the client ID once more."),
        ] {
            let typed = &report["typed"][what];
            let said = |when: &str| typed[when].to_string().contains(says);
            // Without a script the page still says what was wrong before.
            assert!(said("atOnce") || !scripts, "{what}: {typed:#}");
            assert!(said("after"), "{what}: {typed:#}");
            assert_eq!(typed["secret"], "", "{what}: the secret is typed anew");
        }
        let sources = report["sources"].as_str().unwrap();
        assert!(!sources.contains(SECRET), "what was typed in secret is on a page");
    }
}

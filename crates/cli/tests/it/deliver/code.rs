//! A code that was used is worth nothing, and nobody is told otherwise.

use super::{deliver, logged_in_without_blanks as logged_in};
use crate::support::instance::PROFILE;

#[test]
fn shapes_that_need_a_fresh_code_refuse_a_used_one_and_say_what_helps() {
    let (_instance, sandbox) = logged_in();
    let grant = sandbox.run(&deliver(&["--format", "json"])).ok().json();
    let used = grant["auth_code_used_at"].as_str().unwrap();
    sandbox.file("t", "{{auth_code}}");
    for (more, command) in [
        (&["--format", "appflow", "--variant", "code"][..], "--code-only --format appflow`"),
        (
            &["--format", "appflow", "--variant", "update-code"],
            "--code-only --format appflow --variant update`",
        ),
        (&["--template", "t"], "--code-only`"),
        (&["--field", "auth_code"], "--code-only`"),
    ] {
        let (outcome, code) = sandbox.run(&deliver(more)).failed_with(&[4]);
        assert_eq!(code.as_deref(), Some("code-used"));
        assert!(outcome.stderr.contains(&format!("was used {used}")), "{outcome:#?}");
        let hint = format!("run `snowtoken login {PROFILE} {command}");
        assert!(outcome.stderr.contains(&hint), "{outcome:#?}");
    }
}

#[test]
fn without_any_login_it_is_said_where_codes_come_from() {
    let (_instance, sandbox) = logged_in();
    sandbox.run(&["logout", PROFILE]).ok();
    let arguments = deliver(&["--format", "appflow", "--variant", "code"]);
    let (outcome, code) = sandbox.run(&arguments).failed_with(&[4]);
    assert_eq!(code.as_deref(), Some("code-used"));
    assert!(outcome.stderr.contains("error: this shape needs a fresh code\n"), "{outcome:#?}");
    let hint = format!("run `snowtoken login {PROFILE} --code-only --format appflow`");
    assert!(outcome.stderr.contains(&hint), "{outcome:#?}");
}

#[test]
fn wherever_a_used_code_stands_it_is_called_used() {
    let (_instance, sandbox) = logged_in();
    let json = sandbox.run(&deliver(&["--format", "json"])).ok().json();
    let (code, used) =
        (json["auth_code"].as_str().unwrap(), json["auth_code_used_at"].as_str().unwrap());
    let file = sandbox.run(&deliver(&[])).ok().stdout;
    assert!(file.contains(&format!("Auth Code: {code}\n")));
    assert!(
        file.contains("# The auth code has been used;")
            && file.contains(&format!("# It was used {used}.\n"))
    );
    let form = sandbox.run(&deliver(&["--format", "form"])).ok().stdout;
    assert!(form.contains(&format!("USED {used}: nobody can use it again")), "{form}");
    let field = sandbox.run(&deliver(&["--field", "Auth Code"])).ok();
    assert_eq!(field.stdout, code);
    assert!(field.stderr.contains("nobody can use it again"), "{field:#?}");
    // No other shape has it at all.
    for format in ["shell", "appflow", "vault", "kubernetes", "1password", "snowflake-sql"] {
        let text = sandbox.run(&deliver(&["--format", format])).code;
        let said = sandbox.run(&deliver(&["--format", format])).said();
        assert!(text.is_some() && !said.contains(code), "{format}: {said}");
    }
}

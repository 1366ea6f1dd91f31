//! The tasks of this workspace: `cargo xtask test`, `ci`, `tidy`, `reference`, `gallery`,
//! `setup`, `bench`.
//!
//! It is not a build system: cargo builds. It installs what the tests need, runs every check in
//! one fixed order, and counts.

mod bench;
mod checks;
mod gallery;
mod reference;
mod run;
mod setup;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <task>

  setup   install what the tests need; quick when it is all there
  tidy    check the invariants of the house that are visible in its text
  reference [--check]
          write docs/reference from what the program says about itself; or tell whether it is current
  gallery write every page of the wizard with every sample into target/gallery
  test    setup, then every check and test, closed by `N passed, N failed`
  ci      the same, and the work tree must be clean afterwards
  bench [--build] [--peers] [--only PART] [--write]
          what the product costs, beside others; written to docs/performance.md if so wished
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["setup"] => report(setup::all()),
        ["tidy"] => report(tidy::check()),
        ["reference"] => report(reference::write()),
        ["reference", "--check"] => report(reference::check()),
        ["gallery"] => report(gallery::write()),
        ["test"] => checks::all(checks::Tree::MayBeDirty),
        ["ci"] => checks::all(checks::Tree::MustBeClean),
        ["bench", switches @ ..] => bench::run(switches),
        _ => {
            run::complain(USAGE);
            return ExitCode::from(2);
        }
    };
    if done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn report(outcome: Result<(), String>) -> bool {
    match outcome {
        Ok(()) => true,
        Err(why) => {
            run::complain(&format!("error: {why}"));
            false
        }
    }
}

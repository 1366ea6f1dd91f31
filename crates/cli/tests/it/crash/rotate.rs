//! `setup --rotate-secret` killed at its system calls: at no moment is there no client secret that
//! works, and the same command goes on from wherever it was.

use super::{Scene, counts, report, strace};
use crate::support::instance::{Instance as _, PROFILE, log_in_with};

/// The calls after which something outside the process is different.
const TELLING: [&str; 14] = [
    "pwrite64",
    "write",
    "writev",
    "sendto",
    "recvfrom",
    "read",
    "fsync",
    "fdatasync",
    "rename",
    "renameat2",
    "unlink",
    "ftruncate",
    "fcntl",
    "connect",
];

#[test]
fn a_rotation_killed_at_any_call_keeps_a_secret_that_works_and_is_finished_by_the_next_run() {
    let scene = Scene::new(&[]);
    log_in_with(&scene.sandbox, &scene.instance, &[]).ok();
    scene.instance.employ("boss", "a password", &["admin"]);
    let password = scene.sandbox.file("password", "a password\n").display().to_string();
    let rotate = ["setup", PROFILE, "--rotate-secret", "--admin-user", "boss"];
    let rotate = [rotate.as_slice(), &["--admin-password-file", &password]].concat();
    let mut points = strace::points(&scene.trace(&rotate));
    points.retain(|point| TELLING.contains(&point.call.as_str()));
    let (mut killed, mut set, mut met) = (0, 0, 0);
    for point in points.iter().rev().step_by(counts(points.len().div_ceil(36), 1)) {
        let secret = || scene.instance.registered()[0].client_secret.clone();
        let before = secret();
        met += 1;
        let outcome = scene.killed_at(point, &rotate);
        killed += usize::from(outcome.code.is_none());
        set += usize::from(secret() != before && outcome.code.is_none());
        let refreshed = scene.sandbox.run(&["refresh", PROFILE]);
        assert_eq!(refreshed.code, Some(0), "{point:?}: {outcome:#?} then {refreshed:#?}");
        let again = scene.sandbox.run(&rotate);
        assert_eq!(again.code, Some(0), "{point:?}: {outcome:#?} then {again:#?}");
        assert_eq!(scene.sandbox.credential("Client Secret"), secret(), "{point:?}");
        scene.sandbox.run(&["refresh", PROFILE]).ok();
        let token = scene.sandbox.run(&["token", PROFILE]).ok().token();
        assert!(scene.instance.is_alive(&token), "{point:?}");
    }
    report(format!("rotation: {met} places, {killed} killed, {set} with the new secret set"));
    assert!(killed * 10 >= met * 8, "{killed} of {met}");
    assert!(set > 0, "never killed after the secret was set");
}

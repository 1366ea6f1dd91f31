//! Files that are written for people: killed or refused at any call, they are the old ones or the new
//! ones, whole, and nothing is left beside them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::strace::{self, Call, Point};
use super::{Scene, counts, report};
use crate::support::instance::PROFILE;
use crate::support::process::Running;

/// What is delivered, into a folder of its own.
struct Delivery {
    scene: Scene,
    folder: PathBuf,
    file: PathBuf,
}

impl Delivery {
    fn new() -> Self {
        let scene = Scene::logged_in(&["refresh.access=new-each-time"]);
        let folder = scene.sandbox.path("delivered");
        fs::create_dir(&folder).unwrap();
        let file = folder.join("credentials.txt");
        Self { scene, folder, file }
    }

    fn arguments(&self) -> [String; 4] {
        ["deliver", PROFILE, "--output", self.file.to_str().unwrap()].map(str::to_owned)
    }

    /// An old file to be replaced, and other tokens to replace it with.
    fn before(&self) -> String {
        self.scene.sandbox.run(&self.arguments()).ok();
        self.scene.sandbox.run(&["refresh", PROFILE]).ok();
        fs::read_to_string(&self.file).unwrap()
    }

    fn inject(&self, inject: &str) -> Option<i32> {
        let arguments = self.arguments();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (command, log) = self.scene.strace(&["-e", inject], &arguments);
        let outcome = Running::start(command).finish();
        let _ = fs::remove_file(log);
        outcome.code
    }

    /// The old text or the new one, and after the next delivery nothing but the file.
    fn assert_whole(&self, old: &str, context: &str) -> bool {
        let text = fs::read_to_string(&self.file).unwrap();
        let mode = fs::metadata(&self.file).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode, 0o600, "{context}");
        self.scene.sandbox.run(&self.arguments()).ok();
        let new = fs::read_to_string(&self.file).unwrap();
        assert!(text == old || same_but_created(&text, &new), "{context}: {text}");
        let names: Vec<_> =
            fs::read_dir(&self.folder).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, ["credentials.txt"], "{context}");
        text == old
    }

    /// From the first look at the folder to the end of the program.
    fn points(&self) -> Vec<Point> {
        let arguments = self.arguments();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let calls = self.scene.trace(&arguments);
        let is_there = |call: &Call| call.name != "execve" && call.text.contains("/delivered");
        let first = calls.iter().position(is_there).unwrap();
        strace::points(&calls[first..])
    }
}

/// The second line says when it was made.
fn same_but_created(one: &str, other: &str) -> bool {
    let rest = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.contains("Created")).map(str::to_owned).collect()
    };
    rest(one) == rest(other)
}

#[test]
fn g8_a_delivery_killed_at_any_call_leaves_the_old_file_or_the_new_one() {
    let delivery = Delivery::new();
    delivery.before();
    let points = delivery.points();
    let (mut killed, mut old_kept) = (0, 0);
    // The file comes first; the note of it in the store is met elsewhere too.
    let (early, late) = points.split_at(40.min(points.len()));
    for point in early.iter().chain(late.iter().step_by(counts(10, 1))) {
        let old = delivery.before();
        killed += usize::from(delivery.inject(&point.inject("signal=KILL")).is_none());
        old_kept += usize::from(delivery.assert_whole(&old, &format!("{point:?}")));
    }
    report(format!("delivery: {} places, {killed} killed, {old_kept} old", points.len()));
    assert!(killed > 40 && old_kept > 5 && old_kept < killed, "{killed} killed, {old_kept} old");
}

#[test]
fn g9_a_delivery_that_is_refused_says_so_and_leaves_the_old_file() {
    let delivery = Delivery::new();
    delivery.before();
    let calls = ["openat", "write", "fsync", "linkat", "renameat", "flock"];
    let errnos = ["ENOSPC", "EDQUOT", "EIO", "EROFS", "EACCES"];
    let places: Vec<Point> = delivery.points_of(&calls);
    let mut told = 0;
    for (index, point) in places.iter().enumerate() {
        for errno in (0..counts(1, 5)).map(|n| errnos[(index + n) % 5]) {
            let old = delivery.before();
            let code = delivery.inject(&point.inject(&format!("error={errno}")));
            let is_old = delivery.assert_whole(&old, &format!("{point:?} {errno}"));
            assert!(code != Some(0) || !is_old, "{point:?} {errno}: it said it was written");
            told += usize::from(code != Some(0));
        }
    }
    report(format!("delivery: {} places, {told} told", places.len()));
    assert!(told > 4, "{told} of {}", places.len());
}

impl Delivery {
    fn points_of(&self, names: &[&str]) -> Vec<Point> {
        let arguments = self.arguments();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let calls = self.scene.trace(&arguments);
        let is_meant =
            |call: &&Call| names.contains(&call.name.as_str()) && call.text.contains("/delivered");
        strace::points(calls.iter().filter(is_meant))
    }
}

#[test]
fn g8_a_change_of_the_configuration_killed_at_any_call_leaves_one_that_can_be_read() {
    let scene = Scene::logged_in(&[]);
    let config = scene.sandbox.keep().join("config.toml");
    let set = |n: usize| {
        let wanted = format!("{}d", 100 + n % 2);
        ["profile", "set", PROFILE, "--refresh-token-lifespan", &wanted].map(str::to_owned)
    };
    let refs = |arguments: &[String]| -> Vec<String> { arguments.to_vec() };
    let texts = [0, 1].map(|n| {
        scene.sandbox.run(&refs(&set(n))).ok();
        fs::read_to_string(&config).unwrap()
    });
    let arguments = set(0);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let calls = scene.trace(&arguments);
    let first = calls.iter().position(|call| call.is_about("config.toml")).unwrap();
    let points = strace::points(&calls[first..]);
    let mut killed = 0;
    for (n, point) in points.iter().enumerate().step_by(counts(3, 1)) {
        let arguments = set(n / counts(3, 1));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (command, _log) = scene.strace(&["-e", &point.inject("signal=KILL")], &arguments);
        killed += usize::from(Running::start(command).finish().code.is_none());
        scene.assert_tidy(&format!("{point:?}"));
        let text = fs::read_to_string(&config).unwrap();
        assert!(texts.contains(&text), "{point:?}: {text}");
        scene.sandbox.run(&["token", PROFILE]).ok();
    }
    report(format!("configuration: {} places, {killed} killed", points.len()));
    assert!(killed > 10, "{killed} of {}", points.len());
}

//! V9: opening a URL runs one program with one argument, and tells it none of our variables.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use snowtoken::browser::{Browser as _, SystemBrowser};
use url::Url;

use crate::support::child;

/// 200 texts that want to be options, commands or more than one argument.
fn hostile() -> Vec<String> {
    let parts = [
        "$(touch pwned)",
        "`touch pwned`",
        "; touch pwned",
        "| touch pwned",
        "&& touch pwned",
        "\" touch pwned \"",
        "' touch pwned '",
        "%20--private",
        " --incognito",
        "-new-window",
        "\\\\host\\share",
        "%0atouch",
        "\ntouch",
        "\r\ntouch",
        "${IFS}touch",
        "%s %u %U",
        "*?[a]{b,c}",
        "~root",
        "!!",
        "<in >out",
        "\u{202e}gpj.exe",
        "%00",
        "&calc",
        "^&calc",
        "#fragment",
    ];
    let forms: [fn(&str) -> String; 8] = [
        |part| format!("https://acme.example/oauth_auth.do?state={part}"),
        |part| format!("https://acme.example/{part}"),
        |part| format!("https://acme.example/?{part}={part}"),
        |part| format!("https://acme.example/#{part}"),
        |part| format!("https://acme.example/oauth_auth.do?a=b&redirect_uri={part}&x=y z"),
        |part| format!("http://127.0.0.1:8080/?{part}"),
        |part| format!("http://localhost/{part}{part}"),
        |part| format!("https://acme.example/?a='{part}'\"{part}\""),
    ];
    let all = |form: fn(&str) -> String| parts.iter().map(move |part| form(part));
    forms.into_iter().flat_map(all).collect()
}

/// A program that notes how it was called, one file for each call.
fn opener(folder: &Path) {
    let script = format!(
        "#!/bin/sh\nout='{0}/calls/'$$\n{{ printf '%s\\0' \"$#\" \"$0\" \"$@\"; env; }} > \"$out.tmp\"\nmv \"$out.tmp\" \"$out.call\"\n",
        folder.display()
    );
    let path = folder.join("bin/xdg-open");
    std::fs::create_dir_all(folder.join("bin")).unwrap();
    std::fs::create_dir_all(folder.join("calls")).unwrap();
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
}

fn calls(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder.join("calls")).unwrap().map(Result::unwrap);
    let done = files.filter(|file| file.path().extension().is_some_and(|e| e == "call"));
    done.map(|file| std::fs::read_to_string(file.path()).unwrap()).collect()
}

#[test]
fn v9_the_opener_gets_exactly_the_url_and_none_of_our_variables() {
    let urls: Vec<Url> = hostile().iter().map(|text| Url::parse(text).unwrap()).collect();
    if child::told().is_some() {
        for url in &urls {
            SystemBrowser.open(url).unwrap();
        }
        for text in ["file:///etc/passwd", "http://8.8.8.8/", "javascript:alert(1)", "data:,x"] {
            let error = SystemBrowser.open(&Url::parse(text).unwrap()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}");
        }
        return;
    }
    assert_eq!(urls.len(), 200);
    let folder = tempfile::tempdir().unwrap();
    opener(folder.path());
    let path = format!(
        "{}:{}",
        folder.path().join("bin").display(),
        std::env::var("PATH").unwrap_or_default()
    );
    child::run(
        "browser::v9_the_opener_gets_exactly_the_url_and_none_of_our_variables",
        "",
        &[
            ("PATH", &path),
            ("SNOWTOKEN_CLIENT_SECRET", "canary-secret"),
            ("SNOWTOKEN_HOME", "canary-home"),
            ("SNOWTOKEN_", "canary-empty"),
            ("KEPT", "kept"),
        ],
    );
    let end = Instant::now() + Duration::from_secs(20);
    while calls(folder.path()).len() < urls.len() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut opened = BTreeSet::new();
    for call in calls(folder.path()) {
        assert!(!call.contains("canary") && !call.contains("SNOWTOKEN_"), "{call}");
        assert!(call.contains("KEPT=kept\n"), "{call}");
        let arguments: Vec<&str> = call.split('\0').collect();
        assert_eq!(arguments[0], "1", "exactly one argument: {call}");
        assert!(arguments[1].ends_with("/xdg-open"), "{call}");
        assert!(arguments[2].starts_with("http"), "{call}");
        opened.insert(arguments[2].to_owned());
    }
    let expected: BTreeSet<String> = urls.iter().map(Url::to_string).collect();
    assert_eq!(opened, expected);
    assert_eq!(calls(folder.path()).len(), urls.len());
}

/// No opener at all is an error, not a panic.
#[test]
fn v9_without_any_opener_the_failure_is_told() {
    if child::told().is_some() {
        let url = Url::parse("https://acme.example/").unwrap();
        assert_eq!(SystemBrowser.open(&url).unwrap_err().kind(), ErrorKind::NotFound);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    child::run(
        "browser::v9_without_any_opener_the_failure_is_told",
        "",
        &[("PATH", folder.path().to_str().unwrap())],
    );
}

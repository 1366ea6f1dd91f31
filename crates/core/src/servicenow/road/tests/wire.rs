//! Proxy, name, connection, certificate.

use super::*;

#[test]
fn the_proxy() {
    let route = |route: Route, tunnel| {
        move |_: &mut Subject, _: &mut Option<Standing>, seen: &mut Evidence| {
            let line = seen.line.as_mut().unwrap();
            (line.route, line.tunnel) = (route, tunnel);
            (line.addresses, line.connection) = (None, None);
        }
    };
    let proxy = || Route::Proxy { place: "p:1".into(), variable: "HTTPS_PROXY" };
    let closed = |status| Some(Err(Tunnel { status, silence: silence(Code::ProxyFailed) }));
    for why in [Direct::ThisMachine, Direct::Excepted, Direct::NoneNamed] {
        check(Step::Proxy, "pass", route(Route::Direct(why), None));
    }
    check(Step::Proxy, "pass", route(proxy(), Some(Ok(()))));
    check(Step::Proxy, "unknown:not-told", route(proxy(), None));
    check(Step::Proxy, "unknown:not-told", |_, _, seen| seen.line = None);
    check(
        Step::Proxy,
        "fail:proxy-failed",
        route(Route::Unusable(silence(Code::ProxyFailed)), None),
    );
    check(Step::Address, "unknown:not-here", route(proxy(), Some(Ok(()))));
    check(Step::Connection, "unknown:not-here", route(proxy(), Some(Ok(()))));
    for (status, hint) in [
        (Some(407), "name and a password"),
        (Some(403), "forbids"),
        (Some(502), "cannot reach"),
        (None, "compare host and port"),
        (Some(500), "NO_PROXY"),
    ] {
        let mut seen = all_good();
        route(proxy(), closed(status))(&mut subject(), &mut None, &mut seen);
        let Verdict::Fail(fault) = verdict(&subject(), None, &seen, Step::Proxy) else { panic!() };
        assert!(fault.hints()[0].to_string().contains(hint), "{status:?}: {:?}", fault.hints());
    }
}

#[test]
fn name_and_connection() {
    check(Step::Address, "unknown:not-told", |_, _, seen| seen.line = None);
    check(Step::Connection, "fail:connect-failed", |_, _, seen| {
        seen.line.as_mut().unwrap().connection = Some(Err(silence(Code::ConnectFailed)));
    });
    check(Step::Connection, "unknown:not-told", |_, _, seen| {
        seen.line.as_mut().unwrap().connection = None;
    });
}

/// Certificates that the tests of the certificate's reader made; here it is who issued them.
#[test]
fn the_certificate() {
    use base64::Engine as _;
    let text: String = include_str!("../certificate.b64").split_whitespace().collect();
    let inspection = base64::engine::general_purpose::STANDARD.decode(text).unwrap();
    let plain = {
        // The same with another word of the same length in its names.
        let mut bytes = inspection.clone();
        let word = b"Inspection";
        while let Some(at) = bytes.windows(word.len()).position(|window| window == word) {
            bytes[at..at + word.len()].copy_from_slice(b"Department");
        }
        bytes
    };
    let shown = |chain: &[u8], distrust| {
        let chain = vec![chain.to_vec()];
        let untrusted = Untrusted { distrust, silence: silence(Code::TlsFailed), chain };
        move |_: &mut Subject, _: &mut Option<Standing>, seen: &mut Evidence| {
            seen.line.as_mut().unwrap().encryption = Some(Err(untrusted));
        }
    };
    let own = |change: Change| {
        move |subject: &mut Subject, standing: &mut Option<Standing>, seen: &mut Evidence| {
            subject.instance = Instance::parse("snow.acme.example").unwrap();
            change(subject, standing, seen);
        }
    };
    check(Step::Certificate, "fail:tls-inspected", shown(&inspection, Distrust::UnknownIssuer));
    // Nobody but public authorities vouches for ServiceNow's own hosts.
    check(Step::Certificate, "fail:tls-inspected", shown(&plain, Distrust::UnknownIssuer));
    check(
        Step::Certificate,
        "fail:tls-failed",
        own(Box::new(shown(&plain, Distrust::UnknownIssuer))),
    );
    check(
        Step::Certificate,
        "fail:tls-inspected",
        own(Box::new(shown(&inspection, Distrust::UnknownIssuer))),
    );
    for distrust in [Distrust::Ended, Distrust::NotBegun, Distrust::OtherHost, Distrust::Other] {
        check(Step::Certificate, "fail:tls-failed", shown(&inspection, distrust));
        check(Step::Certificate, "fail:tls-failed", shown(b"no certificate", distrust));
    }
    let trusted = |chain: &[u8]| {
        let encryption = Encryption { version: "TLS 1.3", chain: vec![chain.to_vec()] };
        move |_: &mut Subject, _: &mut Option<Standing>, seen: &mut Evidence| {
            seen.line.as_mut().unwrap().encryption = Some(Ok(encryption));
        }
    };
    check(Step::Certificate, "warn", trusted(&inspection));
    check(Step::Certificate, "warn", trusted(&plain));
    check(Step::Certificate, "warn", own(Box::new(trusted(&inspection))));
    check(Step::Certificate, "pass", own(Box::new(trusted(&plain))));
    check(Step::Certificate, "pass", trusted(b"no certificate"));
    check(Step::Certificate, "unknown:not-here", |subject, _, seen| {
        subject.instance = Instance::parse("http://127.0.0.1:1").unwrap();
        seen.line.as_mut().unwrap().encryption = None;
    });
    check(Step::Certificate, "unknown:not-told", |_, _, seen| {
        seen.line.as_mut().unwrap().encryption = None;
    });
}

#[test]
fn a_certificate_that_is_for_others_names_them_and_who_issued_it_is_shown() {
    use base64::Engine as _;
    let text: String = include_str!("../certificate.b64").split_whitespace().collect();
    let der = base64::engine::general_purpose::STANDARD.decode(text).unwrap();
    let told = |distrust| {
        let mut seen = all_good();
        let chain = vec![der.clone()];
        seen.line.as_mut().unwrap().encryption =
            Some(Err(Untrusted { distrust, silence: silence(Code::TlsFailed), chain }));
        match verdict(&subject(), None, &seen, Step::Certificate) {
            Verdict::Fail(fault) => fault.to_string(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        told(Distrust::OtherHost),
        "the certificate is for classics.service-now.com, *.acme.example, and not for classics.service-now.com"
    );
    assert!(told(Distrust::Ended).ends_with("ended on 2051-01-02"));
    assert!(told(Distrust::NotBegun).ends_with("begins on 2026-01-02"));
    assert!(told(Distrust::UnknownIssuer).contains("\"Acme Inspection Root\" of \"Acme Corp\""));
}

//! Faults, as far as the instance itself decides them; what they do to a connection is in
//! `sockets.rs`.

use http::Request;
use snowtoken_stand_in::Fault;
use snowtoken_stand_in::fault::{End, KINDS};

use crate::bench::{Bench, GENERIC};

const TOKEN: &str = "/oauth_token.do";

#[test]
fn a_sleeping_instance_answers_200_and_html_on_every_path() {
    let mut bench = Bench::new(&[("fault.kind", "asleep")]);
    for path in
        ["/", TOKEN, "/api/now/table/kb_knowledge", "/oauth_auth.do", "/oauth_revoke_token.do"]
    {
        let got = bench.post(path, &[]);
        assert_eq!(got.status, 200);
        assert!(got.body.contains("<title>Instance Hibernating page</title>"));
        assert!(got.header("content-type").unwrap().starts_with("text/html"));
    }
    assert!(bench.instance.syslog().is_empty(), "nothing was done");
}

#[test]
fn faults_that_stand_before_the_instance() {
    let cases = [
        ("offline", 503, "Your instance is currently offline"),
        ("bad-gateway", 502, "502 Bad Gateway"),
        ("unavailable", 503, "503 Service Unavailable"),
        ("login-page", 200, "Sign in to your organization"),
        ("login-redirect", 302, ""),
        ("offline-page", 200, "Your instance is currently offline"),
        ("address-refused", 403, "Security restricted: Access restricted"),
        ("not-found", 404, "Page not found"),
        ("moved", 302, ""),
        ("refused", 401, GENERIC),
    ];
    for (kind, status, text) in cases {
        let mut bench = Bench::new(&[]);
        let code = bench.code(&[]);
        bench.instance.set("fault.kind", kind).unwrap();
        let got = bench.exchange(&code, &[]);
        assert_eq!(got.status, status, "{kind}");
        assert!(got.body.contains(text), "{kind}");
        bench.instance.set("fault.kind", "none").unwrap();
        assert_eq!(bench.exchange(&code, &[]).status, 200, "{kind}: the code is still good");
    }
}

#[test]
fn an_unavailable_instance_says_when_to_come_back_or_not() {
    for (seconds, header) in [("7", Some("7")), ("0", None)] {
        let mut bench = Bench::new(&[("fault.kind", "unavailable"), ("retry_after", seconds)]);
        assert_eq!(bench.post(TOKEN, &[]).header("retry-after"), header);
    }
}

#[test]
fn faults_that_lose_an_answer_after_the_work() {
    for kind in ["bad-gateway-after", "truncated-json", "huge-body"] {
        let mut bench = Bench::new(&[("fault.size", "5000")]);
        let code = bench.code(&[]);
        bench.instance.set("fault.kind", kind).unwrap();
        let got = bench.exchange(&code, &[]);
        match kind {
            "huge-body" => assert_eq!((got.status, got.body.len()), (200, 5_000)),
            "truncated-json" => {
                assert!(
                    got.body.starts_with('{')
                        && serde_json::from_str::<serde_json::Value>(&got.body).is_err()
                );
            }
            _ => assert_eq!(got.status, 502),
        }
        bench.instance.set("fault.kind", "none").unwrap();
        bench.exchange(&code, &[]).is(401, GENERIC);
    }
}

#[test]
fn faults_of_the_connection_are_announced() {
    let network = |kind: &str| {
        let mut bench =
            Bench::new(&[("fault.kind", kind), ("fault.byte", "20"), ("fault.delay", "5")]);
        let request = Request::get("/").body(Vec::new()).unwrap();
        bench.instance.answer(bench.now, request).network
    };
    for (kind, end) in [("cut", End::Close), ("reset", End::Reset), ("stall", End::Stall)] {
        assert_eq!((network(kind).limit, network(kind).end), (Some(20), end), "{kind}");
    }
    assert_eq!(network("slow").delay.as_millis(), 5);
    assert_eq!(network("drip").drip.map(|pause| pause.as_millis()), Some(5));
}

#[test]
fn every_third_refresh_flaps() {
    let mut bench = Bench::new(&[("fault.kind", "flapping-refresh")]);
    let refresh = bench.grant().text("refresh_token");
    let statuses: Vec<u16> = (0..6).map(|_| bench.refresh(&refresh, &[]).status).collect();
    assert_eq!(statuses, [200, 200, 401, 200, 200, 401]);
    bench.refresh(&refresh, &[]);
    bench.refresh(&refresh, &[]);
    bench.refresh(&refresh, &[]).is(401, GENERIC);
}

#[test]
fn a_fault_keeps_to_its_path_and_its_count() {
    let mut bench = Bench::new(&[
        ("fault.kind", "unavailable"),
        ("fault.path", TOKEN),
        ("fault.from", "2"),
        ("fault.times", "1"),
    ]);
    assert_eq!(bench.post("/", &[]).status, 200);
    let statuses: Vec<u16> = (0..3).map(|_| bench.post(TOKEN, &[]).status).collect();
    assert_eq!(statuses, [401, 503, 401]);
}

#[test]
fn random_faults_come_from_the_seed() {
    let run = || {
        let mut bench = Bench::new(&[("fault.kind", "random"), ("fault.probability", "40")]);
        for _ in 0..50 {
            bench.post("/", &[]);
        }
        bench.instance.transactions().into_iter().map(|line| line.fault).collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
    let met: Vec<String> = run().into_iter().flatten().collect();
    assert!((8..33).contains(&met.len()), "{}", met.len());
    assert!(met.iter().all(|kind| KINDS.contains(&kind.as_str()) && kind != "random"));
}

#[test]
fn faults_can_be_added_and_removed() {
    let mut bench = Bench::new(&[]);
    bench.instance.add_fault(Fault { path: TOKEN.into(), ..Fault::new("bad-gateway").unwrap() });
    assert_eq!(bench.post(TOKEN, &[]).status, 502);
    assert_eq!(bench.instance.faults().len(), 1);
    bench.instance.clear_faults();
    assert_eq!(bench.post(TOKEN, &[]).status, 401);
    assert!(Fault::new("nonsense").is_none());
}

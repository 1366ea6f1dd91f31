use super::*;

fn aging() -> Aging {
    Aging::after(Duration::from_mins(30))
}

fn token() -> Secret {
    Secret::new("token-of-forms")
}

fn header(answer: Answer, name: HeaderName) -> String {
    answer.into_response().headers()[name].to_str().unwrap().to_owned()
}

#[test]
fn the_token_is_put_into_our_forms_and_nowhere_else() {
    let ours = format!(
        "<body data-csrf=\"{CSRF_MARK}\" data-idle=\"{IDLE_MARK}\"><noscript><style>{AGE_MARK}</style></noscript><input type=\"hidden\" name=\"csrf\" value=\"{CSRF_MARK}\">"
    );
    let foreign = format!(
        "<a href=\"https://{CSRF_MARK}.example/?{CSRF_MARK}\">{CSRF_MARK}</a>\
         <input name=\"client_id\" value=\"{CSRF_MARK}\">name=&#34;csrf&#34; value=&#34;{CSRF_MARK}&#34; data-idle=&#34;{IDLE_MARK}&#34; &#60;noscript&#62;&#60;style&#62;{AGE_MARK}&#60;"
    );
    let page = filled(&format!("{ours}{foreign}{ours}"), &token(), &aging());
    let page = String::from_utf8(page.to_vec()).unwrap();
    let ours = ours.replace(CSRF_MARK, "token-of-forms").replace(IDLE_MARK, "1800");
    let ours = ours.replace(AGE_MARK, &aging().style);
    assert_eq!(page, format!("{ours}{foreign}{ours}"));
}

/// The pages have the mark only where the token is put.
#[test]
fn no_page_of_the_gallery_keeps_a_mark() {
    for (name, html) in crate::pages::gallery() {
        let page = String::from_utf8(filled(&html, &token(), &aging()).to_vec()).unwrap();
        for mark in [CSRF_MARK, IDLE_MARK, AGE_MARK] {
            assert!(!page.contains(mark), "{name}: {mark}");
        }
        assert!(page.contains("token-of-forms"), "{name}");
    }
}

/// V8.
#[test]
fn v8_a_redirect_never_leads_elsewhere() {
    for path in [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "evil",
        "",
        "/a\r\nset-cookie: x=y",
        "/a b",
        "/\t/evil.example",
    ] {
        let answer = Answer::of(Reply::To(path.to_owned()), &token(), &aging());
        assert_eq!(header(answer, header::LOCATION), "/", "{path:?}");
    }
    for path in ["/", "/journey", "/profile/prod-eu?done=1#top", "/a%2Fb"] {
        let answer = Answer::of(Reply::To(path.to_owned()), &token(), &aging());
        assert_eq!(header(answer, header::LOCATION), path);
    }
}

#[test]
fn a_file_is_saved_whatever_its_name() {
    for (name, saved) in [
        ("setup.sh", "setup.sh"),
        ("../../.bashrc", "-..-.bashrc"),
        ("a\"; filename=\"b", "a---filename--b"),
        ("a\r\nb", "a--b"),
        ("ä", "-"),
    ] {
        let file =
            Reply::File { name: name.into(), kind: "text/plain", bytes: Zeroizing::default() };
        let said = header(Answer::of(file, &token(), &aging()), header::CONTENT_DISPOSITION);
        assert_eq!(said, format!("attachment; filename=\"{saved}\""), "{name:?}");
    }
}

//! `setup --checklist`: each form whole, what differs between releases and products, and that no text
//! of a person or a target file gets out of its place.

#![expect(clippy::unwrap_used, reason = "a test that meets what it did not expect ends there")]
#![expect(clippy::disallowed_methods, reason = "what is expected is in files")]

use std::path::Path;

use proptest::prelude::*;
use snowtoken_core::oauth::redirect::RedirectUri;
use snowtoken_core::profile::Grant;
use snowtoken_core::servicenow::Instance;
use snowtoken_core::setup::ClientPlan;
use snowtoken_core::setup::checklist::{Checklist, ChecklistWish, Known, Release};
use snowtoken_core::target::{
    AlsoRegister, Class, Confidence, Field, InstanceForm, Limits, Regions, Target, Value,
};

const CONSOLE: &str = "https://us-west-2.console.aws.amazon.com/appflow/oauth";
const SCOPES: [&str; 5] = ["useraccount", "openid", "profile", "email", "offline_access"];
const RELEASES: [Option<Release>; 5] = [
    None,
    Some(Release::Xanadu),
    Some(Release::Yokohama),
    Some(Release::Zurich),
    Some(Release::Australia),
];

fn target(class: Class) -> Target {
    let field = |label: &str, value| Field { label: label.to_owned(), value };
    Target {
        name: "hub".into(),
        title: "Knowledge Hub (knowledge source)".into(),
        class,
        redirect_uri: None,
        redirect_uri_from: None,
        also_register: vec![AlsoRegister {
            region: None,
            redirect_uri: "https://console.aws.amazon.com/appflow/oauth".into(),
            reason: "the console's older spelling".into(),
        }],
        regions: Regions::default(),
        scope: SCOPES.join(" "),
        access_token_lifespan: None,
        refresh_token_lifespan: None,
        fields: vec![
            field("Instance URL", Value::Instance),
            field("Client ID", Value::ClientId),
            field("Token URL", Value::TokenUrl),
        ],
        credentials_file: false,
        formats: Vec::new(),
        limits: Limits::default(),
        instance: InstanceForm::Url,
        tables: vec!["kb_knowledge".into()],
        domains: Vec::new(),
        user_advice: Vec::new(),
        roles: vec!["knowledge".into()],
        notes: vec!["One client for each product.".into()],
        confidence: Confidence::PartlyDocumented,
        sources: vec!["a page".into()],
    }
}

fn plan() -> ClientPlan {
    ClientPlan {
        name: "Knowledge Hub".into(),
        client_id: None,
        grant: Grant::AuthorizationCode,
        redirect_uris: [CONSOLE, "https://console.aws.amazon.com/appflow/oauth"]
            .map(|uri| RedirectUri::parse(uri).unwrap())
            .to_vec(),
        access_token_lifespan: 7_200,
        refresh_token_lifespan: 31_536_000,
        code_lifespan: 60,
        scopes: SCOPES.map(str::to_owned).to_vec(),
        user: Some("svc.knowledge".into()),
    }
}

fn list_of(plan: &ClientPlan, target: &Target, release: Option<Release>) -> Checklist {
    Checklist::new(&ChecklistWish {
        plan,
        target,
        instance: Some(&Instance::parse("classics").unwrap()),
        release,
        login: (target.class == Class::Tokens)
            .then_some("snowtoken login classics --instance classics"),
        script: Some("snowtoken setup classics --background-script"),
    })
}

fn usual(release: Option<Release>) -> Checklist {
    list_of(&plan(), &target(Class::Tokens), release)
}

/// Compares with the file of that name; `SNOWTOKEN_WRITE_EXPECTED=1` writes it.
#[track_caller]
fn assert_expected(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expected/checklist").join(name);
    if std::env::var_os("SNOWTOKEN_WRITE_EXPECTED").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == text, "{name} is another now; look at it, then SNOWTOKEN_WRITE_EXPECTED=1");
}

#[test]
fn each_form_is_what_was_looked_at() {
    assert_expected("unknown-release.txt", &usual(None).text(80));
    assert_expected("unknown-release.md", &usual(None).markdown());
    assert_expected("unknown-release.html", &usual(None).html());
    assert_expected("xanadu.txt", &usual(Some(Release::Xanadu)).text(80));
    assert_expected("yokohama.txt", &usual(Some(Release::Yokohama)).text(80));
    assert_expected("zurich.txt", &usual(Some(Release::Zurich)).text(80));
    assert_expected("australia.txt", &usual(Some(Release::Australia)).text(80));
}

#[test]
fn each_release_has_its_screens_in_its_order() {
    let screens = |release| -> Vec<String> {
        let all = usual(release).sections;
        all.iter().map(|one| one.title.clone()).filter(|title| title.contains("client")).collect()
    };
    let (newer, classic) =
        ("The client, on the new screen", "Or: the client, on the classic screen");
    assert_eq!(screens(None), [newer, classic]);
    assert_eq!(screens(Some(Release::Zurich)), [newer, classic]);
    assert_eq!(screens(Some(Release::Australia)), [newer, classic]);
    assert_eq!(
        screens(Some(Release::Yokohama)),
        ["The client, on the classic screen", "Or: the client, on the new screen"]
    );
    assert_eq!(screens(Some(Release::Xanadu)), ["The client"]);
    for (release, prefixed) in [
        (Release::Xanadu, false),
        (Release::Yokohama, false),
        (Release::Zurich, true),
        (Release::Australia, true),
    ] {
        let text = usual(Some(release)).text(100);
        assert_eq!(text.contains("\"[Deprecated UI] Create an OAuth API"), prefixed, "{release:?}");
    }
}

#[test]
fn every_value_of_the_vendors_page_stands_alone_on_its_line() {
    for release in RELEASES {
        let list = usual(release);
        for width in [40, 80, 100, 10_000] {
            let text = list.text(width);
            let values = ["Knowledge Hub", CONSOLE, "7200", "31536000", "svc.knowledge"];
            for value in values.iter().chain(&SCOPES) {
                assert!(text.lines().any(|line| line == *value), "{value}, {release:?}, {width}");
            }
        }
        let markdown = list.markdown();
        assert!(markdown.contains(&format!("\n  ```text\n  {CONSOLE}\n  ```\n")));
        assert!(list.html().contains(&format!("<pre class=\"value\">{CONSOLE}</pre>")));
    }
}

#[test]
fn lines_for_people_keep_to_the_width() {
    for width in [64, 72, 80] {
        let text = usual(None).text(width);
        let list = usual(None);
        let steps = list.sections.iter().flat_map(|section| &section.steps);
        let values: Vec<String> = steps
            .flat_map(|step| {
                let values = step.values.iter().map(|value| value.text.clone());
                values.chain(step.links.iter().map(|link| link.url.to_string()))
            })
            .collect();
        for line in text.lines().filter(|line| !values.iter().any(|value| value == line)) {
            assert!(
                line.chars().count() <= width || line.starts_with("The OAuth client"),
                "{line}"
            );
        }
    }
}

#[test]
fn links_lead_to_the_persons_own_instance_and_say_how_sure_they_are() {
    let list = usual(None);
    let links: Vec<_> =
        list.sections.iter().flat_map(|s| &s.steps).flat_map(|step| &step.links).collect();
    assert!(links.len() > 8);
    for link in &links {
        assert_eq!(link.url.host_str(), Some("classics.service-now.com"), "{link:?}");
        assert_eq!(link.url.path(), "/nav_to.do");
    }
    let page = |label: &str| {
        let link = links.iter().find(|link| link.label == label).unwrap();
        let (_, page) = link.url.query_pairs().next().unwrap();
        (page.into_owned(), link.known)
    };
    assert_eq!(page("Application Registry"), ("oauth_entity_list.do".into(), Known::Documented));
    let (form, known) = page("the empty form, filled in");
    assert_eq!(known, Known::Inferred);
    // The page's own query, which the instance reads in its turn.
    let form = url::Url::parse("https://x.example/").unwrap().join(&form).unwrap();
    let query = form.query_pairs().find(|(name, _)| name == "sysparm_query").unwrap().1;
    assert_eq!(
        query,
        format!(
            "type=client^name=Knowledge Hub^redirect_url={CONSOLE},https://console.aws.amazon.com/appflow/oauth\
             ^access_token_lifespan=7200^refresh_token_lifespan=31536000"
        )
    );
    let without = Checklist::new(&ChecklistWish {
        plan: &plan(),
        target: &target(Class::Tokens),
        instance: None,
        release: None,
        login: None,
        script: None,
    });
    assert!(without.sections.iter().flat_map(|s| &s.steps).all(|step| step.links.is_empty()));
}

#[test]
fn a_name_that_would_change_a_query_is_left_out_of_it() {
    let mut plan = plan();
    plan.name = "a^active=false".into();
    let text = list_of(&plan, &target(Class::Tokens), None).text(80);
    let queries = text.lines().filter(|line| line.starts_with("https://classics"));
    assert!(queries.filter(|line| line.contains("false")).count() == 0, "{text}");
}

#[test]
fn each_class_of_product_gets_the_steps_that_fit() {
    for (class, has, has_not) in [
        (Class::Tokens, "snowtoken login classics", "OAuth Application User"),
        (Class::Client, "It gets its tokens itself", "snowtoken login classics"),
        (Class::ClientCredentials, "inbound.client.credential.grant_type.enabled", "Redirect URL"),
        (Class::Password, "ropc.grant_type.disabled", "Redirect URL"),
        (Class::JwtBearer, "JWT Verifier Map", "Redirect URL"),
    ] {
        let mut plan = plan();
        if class.grant() != Some(Grant::AuthorizationCode) {
            plan.redirect_uris.clear();
        }
        for release in RELEASES {
            let list = list_of(&plan, &target(class), release);
            let text = list.text(100).split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains(has), "{class:?} {release:?}: {text}");
            assert!(!text.contains(has_not), "{class:?} {release:?}: {text}");
        }
    }
}

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<script>alert(1)</script>".to_owned()),
        Just("\"><img src=x onerror=y>".to_owned()),
        Just("'".to_owned()),
        Just("&lt;".to_owned()),
        Just("```".to_owned()),
        Just("\n\n# x\n".to_owned()),
        Just("](javascript:x)".to_owned()),
        Just("**".to_owned()),
        Just("\u{1b}[31m".to_owned()),
        Just("\u{202e}".to_owned()),
        Just("\u{2028}".to_owned()),
        Just("<!-- ".to_owned()),
        any::<String>(),
    ];
    proptest::collection::vec(piece, 1..5).prop_map(|pieces| pieces.concat())
}

/// The tags of a page, in order.
fn tags(html: &str) -> Vec<&str> {
    html.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or_default()).collect()
}

/// Whether each fence of the Markdown is closed after one line, by as many backticks.
fn fences_close(markdown: &str) -> bool {
    let mut lines = markdown.lines();
    while let Some(line) = lines.next() {
        let Some(fence) = line.trim_start().strip_suffix("text").filter(|f| f.starts_with("```"))
        else {
            continue;
        };
        let (value, end) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        if value.trim() == fence || end.trim() != fence {
            return false;
        }
    }
    true
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_leaves_its_place(text in hostile()) {
        let (mut named, mut noted) = (plan(), target(Class::Tokens));
        // The links hold the name as well: there it is escaped in its own way.
        named.name.clone_from(&text);
        named.user = Some(text.clone());
        noted.notes = vec![text.clone()];
        noted.roles = vec![text.clone()];
        noted.title.clone_from(&text);
        let list = list_of(&named, &noted, None);
        // A link that a name spoils leads elsewhere, and says something else about itself.
        let plain = |tag: &&str| !tag.starts_with("a href") && !matches!(*tag, "i" | "/i");
        let html = list.html();
        let reference = usual(None).html();
        let (found, expected) = (tags(&html), tags(&reference));
        prop_assert!(found.into_iter().filter(plain).eq(expected.into_iter().filter(plain)));
        for shown in [list.text(80), list.markdown(), html] {
            prop_assert!(shown.chars().all(|c| c == '\n' || !c.is_control()));
            let reversed = shown.contains(['\u{202e}', '\u{2028}']);
            prop_assert!(!reversed);
        }
        prop_assert!(fences_close(&list.markdown()));
    }
}

//! A browser and a person, as far as a login needs them: cookies, redirects, two forms.

use http::Request;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use snowtoken_core::Timestamp;
use snowtoken_stand_in::Instance;
use url::form_urlencoded;

/// Opens the authorization URL, signs in and presses a button. Answers the URL outside the
/// instance that the person ends at, or the text of the page where the way ends.
pub(crate) fn consent(
    instance: &mut Instance,
    now: Timestamp,
    url: &url::Url,
    button: &str,
) -> Result<String, String> {
    let mut next = Go::Get(format!("{}?{}", url.path(), url.query().unwrap_or_default()));
    let mut session = None;
    for _ in 0..20 {
        let answer = instance.handle(now, next.request(session.as_deref()));
        session = cookie(&answer).or(session);
        if let Some(place) = answer.headers().get(LOCATION) {
            let place = place.to_str().unwrap().to_owned();
            if !place.starts_with('/') {
                return Ok(place);
            }
            next = Go::Get(place);
            continue;
        }
        let page = String::from_utf8(answer.into_body()).unwrap();
        next = fill_in(&page, button).ok_or(page)?;
    }
    Err("the redirects do not end".to_owned())
}

enum Go {
    Get(String),
    Post(String, String),
}

impl Go {
    fn request(self, session: Option<&str>) -> Request<Vec<u8>> {
        let (mut request, body) = match self {
            Self::Get(target) => (Request::get(target), String::new()),
            Self::Post(target, body) => (
                Request::post(target).header(CONTENT_TYPE, "application/x-www-form-urlencoded"),
                body,
            ),
        };
        if let Some(session) = session {
            request = request.header(COOKIE, format!("JSESSIONID={session}"));
        }
        request.body(body.into_bytes()).unwrap()
    }
}

fn cookie(answer: &http::Response<Vec<u8>>) -> Option<String> {
    let all = answer.headers().get_all(SET_COOKIE).iter();
    let mut texts = all.filter_map(|value| value.to_str().ok()?.strip_prefix("JSESSIONID="));
    Some(texts.next()?.split(';').next()?.to_owned())
}

/// The first form of the page, with everything hidden in it, the credentials and the button.
fn fill_in(page: &str, button: &str) -> Option<Go> {
    let form = &page[page.find("<form")?..];
    let form = &form[..form.find("</form")?];
    let mut fields: Vec<(String, String)> = form
        .split("<input")
        .skip(1)
        .filter(|tag| attribute(tag, "type").as_deref() == Some("hidden"))
        .filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value")?)))
        .collect();
    let mut add = |name: &str, value: &str| {
        if fields.iter().all(|(own, _)| own != name) {
            fields.push((name.to_owned(), value.to_owned()));
        }
    };
    if form.contains("user_password") {
        add("user_name", "abel.tuter");
        add("user_password", "snow");
        add("sys_action", "sysverb_login");
    } else {
        add("oauth_auth_check_action", button);
    }
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    Some(Go::Post(attribute(form, "action")?, body))
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    let text = &tag[start..];
    let text = &text[..text.find('"')?];
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    Some(text.replace("&#39;", "'").replace("&amp;", "&"))
}

//! As much HTML as the robot needs to read the pages of this crate.

/// The first form of a page.
pub(super) struct Form {
    pub(super) action: String,
    /// Hidden inputs, to be sent back as they are.
    pub(super) hidden: Vec<(String, String)>,
    names: Vec<String>,
}

impl Form {
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|own| own == name)
    }
}

pub(super) fn first(page: &str) -> Option<Form> {
    let start = page.find("<form")?;
    let rest = page.get(start..)?;
    let form = rest.get(..rest.find("</form>")?)?;
    let action = attribute(form.get(..form.find('>')?)?, "action")?;
    let mut hidden = Vec::new();
    let mut names = Vec::new();
    for input in form.split("<input").skip(1) {
        let tag = input.split('>').next().unwrap_or_default();
        let Some(name) = attribute(tag, "name") else {
            continue;
        };
        if attribute(tag, "type").as_deref() == Some("hidden") {
            hidden.push((name.clone(), attribute(tag, "value").unwrap_or_default()));
        }
        names.push(name);
    }
    Some(Form { action, hidden, names })
}

/// What a page says: its alert, else its first heading and paragraph.
pub(super) fn text(page: &str) -> String {
    let after = |from: &str| {
        let rest = page.get(page.find(from)?..)?;
        let inner = rest.get(rest.find('>')? + 1..)?;
        inner.get(..inner.find('<')?).map(unescape)
    };
    after("role=\"alert\"").or_else(|| after("<h1")).or_else(|| after("<title")).unwrap_or_default()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = format!(" {name}=\"");
    let rest = tag.get(tag.find(&start)? + start.len()..)?;
    rest.get(..rest.find('"')?).map(unescape)
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_with_its_entities() {
        let page = "<h1>Hi</h1><form method=\"post\" action=\"/a?b=1&amp;c=2\">\
                    <input type=\"hidden\" name=\"x\" value=\"&lt;&amp;amp;&gt;\">\
                    <input type=\"text\" name=\"y\"></form>";
        let form = first(page).unwrap();
        assert_eq!(form.action, "/a?b=1&c=2");
        assert_eq!(form.hidden, [("x".to_owned(), "<&amp;>".to_owned())]);
        assert!(form.has("y") && !form.has("z"));
        assert_eq!(text(page), "Hi");
    }
}

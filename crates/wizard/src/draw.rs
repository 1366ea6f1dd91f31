//! The drawings: inline SVG made of numbers and our own words. Foreign text is escaped.

use std::fmt::Write as _;

/// Text inside of SVG.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            control if control.is_control() => {}
            other => out.push(other),
        }
    }
    out
}

/// The end of a token on the timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// What ends.
    pub what: String,
    /// When, as it is said.
    pub when: String,
    /// How far from now, in seconds; never mind if it is past.
    pub seconds: i64,
}

/// Now on the left, ends to the right of it. The scale is not even: half an hour and a year are both
/// to be seen.
pub fn timeline(now: &str, marks: &[Mark]) -> String {
    const LEFT: f64 = 40.0;
    const RIGHT: f64 = 660.0;
    let place = |seconds: i64| {
        #[expect(clippy::cast_precision_loss, reason = "a place on a drawing")]
        let minutes = (seconds.max(0) as f64 / 60.0).min(1_576_800.0);
        // From a minute to three years.
        LEFT + (RIGHT - LEFT) * ((minutes + 1.0).ln() / 1_576_801_f64.ln())
    };
    let mut svg = format!(
        "<svg viewBox=\"0 0 720 150\" role=\"img\" aria-label=\"{}\">\
         <line x1=\"{LEFT}\" y1=\"75\" x2=\"700\" y2=\"75\" stroke=\"var(--line)\" stroke-width=\"4\" stroke-linecap=\"round\"/>",
        escaped(
            &marks.iter().map(|m| format!("{}: {}", m.what, m.when)).collect::<Vec<_>>().join(", ")
        )
    );
    let last = marks.iter().map(|mark| place(mark.seconds)).fold(LEFT, f64::max);
    let _ = write!(
        svg,
        "<line x1=\"{LEFT}\" y1=\"75\" x2=\"{last:.0}\" y2=\"75\" stroke=\"var(--good)\" stroke-width=\"4\" stroke-linecap=\"round\"/>\
         <circle cx=\"{LEFT}\" cy=\"75\" r=\"7\" fill=\"var(--brand)\"/>\
         <text x=\"{LEFT}\" y=\"112\" font-size=\"15\" text-anchor=\"middle\" fill=\"var(--soft)\">{}</text>",
        escaped(now)
    );
    for (number, mark) in marks.iter().enumerate() {
        let x = place(mark.seconds);
        let anchor = if x > 560.0 {
            "end"
        } else if x < 140.0 {
            "start"
        } else {
            "middle"
        };
        // One above the line, one below it: they cannot run into each other.
        let (what, when) = if number % 2 == 0 { (32, 52) } else { (108, 128) };
        let colour = if mark.seconds <= 0 { "var(--bad)" } else { "var(--good)" };
        let _ = write!(
            svg,
            "<circle cx=\"{x:.0}\" cy=\"75\" r=\"7\" fill=\"var(--card)\" stroke=\"{colour}\" stroke-width=\"4\"/>\
             <text x=\"{x:.0}\" y=\"{what}\" font-size=\"15\" font-weight=\"600\" text-anchor=\"{anchor}\" fill=\"var(--ink)\">{}</text>\
             <text x=\"{x:.0}\" y=\"{when}\" font-size=\"15\" text-anchor=\"{anchor}\" fill=\"var(--soft)\">{}</text>",
            escaped(&mark.what),
            escaped(&mark.when)
        );
    }
    svg.push_str("</svg>");
    svg
}

/// The road: a dot for each step, in its colour; the first that is in the way is large.
pub fn road(kinds: &[(&str, &str)]) -> String {
    if kinds.is_empty() {
        return String::new();
    }
    #[expect(clippy::cast_precision_loss, reason = "a place on a drawing")]
    let step = 680.0 / (kinds.len().max(2) - 1) as f64;
    let first_bad = kinds.iter().position(|(_, kind)| *kind == "fail");
    let said: Vec<String> = kinds.iter().map(|(name, kind)| format!("{name}: {kind}")).collect();
    let mut svg = format!(
        "<svg viewBox=\"0 0 720 56\" role=\"img\" aria-label=\"{}\">\
         <line x1=\"20\" y1=\"28\" x2=\"700\" y2=\"28\" stroke=\"var(--line)\" stroke-width=\"3\" stroke-linecap=\"round\"/>",
        escaped(&said.join(", "))
    );
    for (number, (_, kind)) in kinds.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "a place on a drawing")]
        let x = 20.0 + step * number as f64;
        let (colour, filled) = match *kind {
            "pass" => ("var(--good)", true),
            "fail" => ("var(--bad)", true),
            "warn" => ("var(--warn)", true),
            _ => ("var(--faint)", false),
        };
        let radius = if first_bad == Some(number) { 13 } else { 8 };
        let fill = if filled { colour } else { "var(--card)" };
        let _ = write!(
            svg,
            "<circle cx=\"{x:.0}\" cy=\"28\" r=\"{radius}\" fill=\"{fill}\" stroke=\"{colour}\" stroke-width=\"3\"/>"
        );
        if first_bad == Some(number) {
            let _ = write!(
                svg,
                "<text x=\"{x:.0}\" y=\"34\" font-size=\"17\" font-weight=\"700\" text-anchor=\"middle\" fill=\"var(--card)\">!</text>"
            );
        }
    }
    svg.push_str("</svg>");
    svg
}

/// A browser's address bar at the redirect URI, with what has to be in it.
pub fn address_bar(redirect_uri: &str) -> String {
    let short: String = redirect_uri.chars().take(56).collect();
    let cut = if short.len() < redirect_uri.len() { "…" } else { "" };
    format!(
        "<svg viewBox=\"0 0 720 84\" role=\"img\" aria-label=\"{0}?code=…&amp;state=…\">\
         <rect x=\"1\" y=\"1\" width=\"718\" height=\"82\" rx=\"10\" fill=\"var(--sunk)\" stroke=\"var(--line)\"/>\
         <circle cx=\"22\" cy=\"18\" r=\"5\" fill=\"var(--faint)\"/><circle cx=\"40\" cy=\"18\" r=\"5\" fill=\"var(--faint)\"/>\
         <circle cx=\"58\" cy=\"18\" r=\"5\" fill=\"var(--faint)\"/>\
         <rect x=\"14\" y=\"34\" width=\"692\" height=\"36\" rx=\"18\" fill=\"var(--card)\" stroke=\"var(--brand)\" stroke-width=\"2\"/>\
         <text x=\"32\" y=\"57\" font-size=\"14\" font-family=\"var(--mono)\" fill=\"var(--soft)\">{0}{cut}\
         <tspan fill=\"var(--ink)\" font-weight=\"700\">?code=…&amp;state=…</tspan></text></svg>",
        escaped(&short)
    )
}

/// A form with labelled fields, as it looks on the instance, one of them filled in.
pub fn form(title: &str, fields: &[(String, String)]) -> String {
    let height = 64 + 40 * fields.len();
    let mut svg = format!(
        "<svg viewBox=\"0 0 720 {height}\" role=\"img\" aria-label=\"{0}\">\
         <rect x=\"1\" y=\"1\" width=\"718\" height=\"{1}\" rx=\"10\" fill=\"var(--sunk)\" stroke=\"var(--line)\"/>\
         <rect x=\"1\" y=\"1\" width=\"718\" height=\"40\" rx=\"10\" fill=\"var(--brand-soft)\"/>\
         <text x=\"20\" y=\"27\" font-size=\"16\" font-weight=\"600\" fill=\"var(--ink)\">{0}</text>",
        escaped(title),
        height - 2
    );
    for (number, (label, value)) in fields.iter().enumerate() {
        let y = 54 + 40 * number;
        let short: String = value.chars().take(52).collect();
        let _ = write!(
            svg,
            "<text x=\"236\" y=\"{}\" font-size=\"14\" text-anchor=\"end\" fill=\"var(--soft)\">{}</text>\
             <rect x=\"250\" y=\"{y}\" width=\"450\" height=\"28\" rx=\"5\" fill=\"var(--card)\" stroke=\"var(--faint)\"/>\
             <text x=\"260\" y=\"{}\" font-size=\"13\" font-family=\"var(--mono)\" fill=\"var(--ink)\">{}</text>",
            y + 19,
            escaped(label),
            y + 19,
            escaped(&short)
        );
    }
    svg.push_str("</svg>");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w9_nothing_foreign_gets_out_of_its_text() {
        let hostile = "\"><script>alert(1)</script>&'";
        let mark = Mark { what: hostile.into(), when: hostile.into(), seconds: 1_800 };
        for svg in [
            timeline(hostile, &[mark]),
            road(&[(hostile, "fail")]),
            address_bar(hostile),
            form(hostile, &[(hostile.into(), hostile.into())]),
        ] {
            assert!(!svg.contains("<script"), "{svg}");
            assert!(!svg.contains("style="), "{svg}");
        }
    }
}

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

/// The room a drawing has: on a wide page, or on a telephone. One of both is shown, so that words keep
/// their size.
struct Room {
    class: &'static str,
    width: f64,
    text: f64,
    dot: f64,
}

const ROOMS: [Room; 2] = [
    Room { class: "wide", width: 720.0, text: 17.5, dot: 7.0 },
    Room { class: "narrow", width: 260.0, text: 13.0, dot: 5.0 },
];

/// Now on the left, ends to the right of it. The scale is not even: half an hour and a year are both
/// to be seen.
pub fn timeline(now: &str, marks: &[Mark]) -> String {
    ROOMS.iter().map(|room| room.timeline(now, marks)).collect()
}

/// The road: a dot for each step, in its colour; the first that is in the way is large.
pub fn road(kinds: &[(&str, &str)]) -> String {
    if kinds.is_empty() {
        return String::new();
    }
    ROOMS.iter().map(|room| room.road(kinds)).collect()
}

impl Room {
    fn timeline(&self, now: &str, marks: &[Mark]) -> String {
        let Self { class, width, text, dot } = self;
        let (left, right) = (width * 0.055, width * 0.915);
        let place = |seconds: i64| {
            #[expect(clippy::cast_precision_loss, reason = "a place on a drawing")]
            let minutes = (seconds.max(0) as f64 / 60.0).min(1_576_800.0);
            // From a minute to three years.
            left + (right - left) * ((minutes + 1.0).ln() / 1_576_801_f64.ln())
        };
        let said: Vec<String> = marks.iter().map(|m| format!("{}: {}", m.what, m.when)).collect();
        let last = marks.iter().map(|mark| place(mark.seconds)).fold(left, f64::max);
        let mut svg = format!(
            "<svg class=\"{class}\" viewBox=\"0 0 {width} 150\" role=\"img\" aria-label=\"{}\">\
             <line x1=\"{left:.0}\" y1=\"75\" x2=\"{:.0}\" y2=\"75\" stroke=\"var(--line)\" stroke-width=\"4\" stroke-linecap=\"round\"/>\
             <line x1=\"{left:.0}\" y1=\"75\" x2=\"{last:.0}\" y2=\"75\" stroke=\"var(--good)\" stroke-width=\"4\" stroke-linecap=\"round\"/>\
             <circle cx=\"{left:.0}\" cy=\"75\" r=\"{dot}\" fill=\"var(--brand)\"/>\
             <text x=\"{left:.0}\" y=\"112\" font-size=\"{text}\" text-anchor=\"middle\" fill=\"var(--soft)\">{}</text>",
            escaped(&said.join(", ")),
            width - left / 2.0,
            escaped(now)
        );
        for (number, mark) in marks.iter().enumerate() {
            let x = place(mark.seconds);
            let anchor = if x > width * 0.7 {
                "end"
            } else if x < width * 0.3 {
                "start"
            } else {
                "middle"
            };
            // One above the line, one below it: they cannot run into each other.
            let (what, when) = if number % 2 == 0 { (32, 52) } else { (108, 128) };
            let colour = if mark.seconds <= 0 { "var(--bad)" } else { "var(--good)" };
            let _ = write!(
                svg,
                "<circle cx=\"{x:.0}\" cy=\"75\" r=\"{dot}\" fill=\"var(--card)\" stroke=\"{colour}\" stroke-width=\"4\"/>\
                 <text x=\"{x:.0}\" y=\"{what}\" font-size=\"{text}\" font-weight=\"600\" text-anchor=\"{anchor}\" fill=\"var(--ink)\">{}</text>\
                 <text x=\"{x:.0}\" y=\"{when}\" font-size=\"{text}\" text-anchor=\"{anchor}\" fill=\"var(--soft)\">{}</text>",
                escaped(&mark.what),
                escaped(&mark.when)
            );
        }
        svg.push_str("</svg>");
        svg
    }

    fn road(&self, kinds: &[(&str, &str)]) -> String {
        let Self { class, width, text, dot } = self;
        let first_bad = kinds.iter().position(|(_, kind)| *kind == "fail");
        let said: Vec<String> =
            kinds.iter().map(|(name, kind)| format!("{name}: {kind}")).collect();
        let edge = 20.0;
        let mut svg = format!(
            "<svg class=\"road {class}\" viewBox=\"0 0 {width} 56\" role=\"img\" aria-label=\"{}\">\
             <line x1=\"{edge}\" y1=\"28\" x2=\"{}\" y2=\"28\" stroke=\"var(--line)\" stroke-width=\"3\" stroke-linecap=\"round\"/>",
            escaped(&said.join(", ")),
            width - edge
        );
        #[expect(clippy::cast_precision_loss, reason = "a place on a drawing")]
        let step = (width - 2.0 * edge) / (kinds.len().max(2) - 1) as f64;
        for (number, (_, kind)) in kinds.iter().enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "a place on a drawing")]
            let x = edge + step * number as f64;
            let (colour, filled) = match *kind {
                "pass" => ("var(--good)", true),
                "fail" => ("var(--bad)", true),
                "warn" => ("var(--warn)", true),
                _ => ("var(--faint)", false),
            };
            let is_first_bad = first_bad == Some(number);
            let radius = if is_first_bad { text * 0.85 } else { dot + 1.0 };
            let fill = if filled { colour } else { "var(--card)" };
            let _ = write!(
                svg,
                "<circle cx=\"{x:.0}\" cy=\"28\" r=\"{radius:.0}\" fill=\"{fill}\" stroke=\"{colour}\" stroke-width=\"3\"/>"
            );
            if is_first_bad {
                let _ = write!(
                    svg,
                    "<text x=\"{x:.0}\" y=\"34\" font-size=\"{}\" font-weight=\"700\" text-anchor=\"middle\" fill=\"var(--card)\">!</text>",
                    text + 1.0
                );
            }
        }
        svg.push_str("</svg>");
        svg
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w9_nothing_foreign_gets_out_of_its_text() {
        let hostile = "\"><script>alert(1)</script>&'";
        let mark = Mark { what: hostile.into(), when: hostile.into(), seconds: 1_800 };
        for svg in [timeline(hostile, &[mark]), road(&[(hostile, "fail")])] {
            assert!(!svg.contains("<script"), "{svg}");
            assert!(!svg.contains("style="), "{svg}");
        }
    }
}

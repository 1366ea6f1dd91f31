//! Figures, what is required of them, and how they are shown.

/// One figure beside another.
#[derive(Debug, Clone)]
pub(super) struct Row {
    figure: String,
    ours: String,
    beside: String,
    ratio: String,
    required: String,
    verdict: Verdict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Ok,
    Missed,
    /// It was measured; nothing is required of it.
    Told,
}

/// Rows that were measured together.
pub(super) struct Group {
    pub(super) name: &'static str,
    pub(super) machine: String,
    pub(super) rows: Vec<Row>,
}

impl Row {
    /// A figure that has a limit.
    pub(super) fn limited(figure: &str, value: f64, limit: f64, ours: String) -> Self {
        let verdict = if value <= limit { Verdict::Ok } else { Verdict::Missed };
        Self { verdict, ..Self::told(figure, ours) }.required(&format!("≤ {limit}"))
    }

    /// A figure that is only told.
    pub(super) fn told(figure: &str, ours: String) -> Self {
        let nothing = String::new;
        let (beside, ratio, required) = (nothing(), nothing(), nothing());
        Self { figure: figure.into(), ours, beside, ratio, required, verdict: Verdict::Told }
    }

    /// A figure that could not be had: that is a failure, whatever it would have been.
    pub(super) fn failed(figure: &str, why: &str) -> Self {
        let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
        let told = Self::told(figure, format!("not measured: {why}"));
        Self { verdict: Verdict::Missed, ..told }
    }

    /// What stands beside it, and the ratio of the two.
    pub(super) fn beside(mut self, what: String, ratio: f64) -> Self {
        self.beside = what;
        self.ratio = format!("{ratio:.2}");
        self
    }

    /// The words for its limit.
    pub(super) fn required(mut self, words: &str) -> Self {
        words.clone_into(&mut self.required);
        self
    }

    pub(super) fn is_missed(&self) -> bool {
        self.verdict == Verdict::Missed
    }

    fn cells(&self) -> [String; 6] {
        let verdict = match self.verdict {
            Verdict::Ok => "ok",
            Verdict::Missed => "MISSED",
            Verdict::Told => "",
        };
        let cell = |text: &str| text.replace('|', "\\|");
        [&self.figure, &self.ours, &self.beside, &self.ratio, &self.required, verdict].map(cell)
    }
}

/// A table for a page that is readable on a terminal as well.
pub(super) fn table<'r>(rows: impl Iterator<Item = &'r Row>) -> Vec<String> {
    let head = ["Figure", "snowtoken", "Beside it", "Ratio", "Required", ""].map(str::to_owned);
    let cells: Vec<[String; 6]> = std::iter::once(head).chain(rows.map(Row::cells)).collect();
    let mut widths = [3; 6];
    for row in &cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String; 6]| {
        let padded = row.iter().zip(widths).map(|(cell, width)| format!(" {cell:width$} "));
        format!("|{}|", padded.collect::<Vec<_>>().join("|"))
    };
    let rule = widths.map(|width| "-".repeat(width + 2)).join("|");
    let mut lines: Vec<String> = cells.iter().map(line).collect();
    lines.insert(1, format!("|{rule}|"));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_decides_and_a_failure_is_a_miss() {
        assert!(!Row::limited("a", 2.0, 2.0, String::new()).is_missed());
        assert!(Row::limited("a", 2.01, 2.0, String::new()).is_missed());
        assert!(Row::failed("a", "no\nnetwork").is_missed());
        assert!(!Row::told("a", String::new()).is_missed());
    }

    #[test]
    fn a_table_has_equal_lines() {
        let rows = [
            Row::limited("time", 1.5, 2.0, "3 ms".into()).beside("`cat`: 2 ms".into(), 1.5),
            Row::failed("peer", "it is\nnot there"),
        ];
        let lines = table(rows.iter());
        assert_eq!(lines.len(), 4);
        assert!(lines.iter().all(|line| line.chars().count() == lines[0].chars().count()));
        assert!(lines[2].contains("| 1.50 ") && lines[2].contains("≤ 2 "), "{}", lines[2]);
        assert!(lines[3].contains("it is not there") && lines[3].ends_with("MISSED |"));
    }
}

//! A report as Markdown and as JSON.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::cell::Cell;

/// One table of the report.
pub(super) struct Table {
    /// Its key in JSON, and its title.
    pub(super) name: &'static str,
    /// The keys of its columns.
    pub(super) columns: &'static [&'static str],
    /// Its rows, as long as that.
    pub(super) rows: Vec<Vec<Cell>>,
}

pub(super) fn markdown(tables: &[Table]) -> String {
    let mut text = String::from("# snowtoken doctor\n");
    for table in tables {
        let _ = write!(text, "\n## {}\n\n", table.name);
        if table.rows.is_empty() {
            text.push_str("none\n");
            continue;
        }
        let _ = writeln!(text, "| {} |", table.columns.join(" | ").replace('_', " "));
        let _ = writeln!(text, "|{}", "---|".repeat(table.columns.len()));
        for row in &table.rows {
            let cells: Vec<String> = row.iter().map(Cell::text).collect();
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
    }
    text
}

pub(super) fn json(tables: &[Table]) -> Value {
    let mut whole = Map::from_iter([("version".to_owned(), json!(1))]);
    for table in tables {
        let row = |row: &Vec<Cell>| {
            let cells = table.columns.iter().zip(row);
            Value::Object(cells.map(|(name, cell)| ((*name).to_owned(), cell.json())).collect())
        };
        whole.insert(table.name.to_owned(), table.rows.iter().map(row).collect());
    }
    Value::Object(whole)
}

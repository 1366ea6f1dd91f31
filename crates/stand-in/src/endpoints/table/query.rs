//! Encoded queries: conditions joined by `^`, and an order. Only the operators that clients of
//! this crate use are known; like the real thing, a condition that is not understood is dropped.

use crate::instance::Row;

const OPERATORS: [&str; 11] =
    ["!=", ">=", "<=", "=", ">", "<", "STARTSWITH", "LIKE", "CONTAINS", "ISNOTEMPTY", "ISEMPTY"];

/// The rows that fit the query, ordered. `me` is who `javascript:gs.getUserName()` means, or
/// `None` when the instance drops such conditions (§10).
pub(crate) fn select(mut rows: Vec<Row>, query: &str, me: Option<&str>) -> Vec<Row> {
    for part in query.split('^').filter(|part| !part.is_empty()) {
        if let Some(field) = part.strip_prefix("ORDERBYDESC") {
            rows.sort_by_key(|row| std::cmp::Reverse(text(row, field)));
        } else if let Some(field) = part.strip_prefix("ORDERBY") {
            rows.sort_by_key(|row| text(row, field));
        } else if let Some((field, operator, operand)) = split(part) {
            let Some(operand) = evaluated(operand, me) else {
                continue;
            };
            rows.retain(|row| {
                !row.contains_key(field) || holds(&text(row, field), operator, &operand)
            });
        }
    }
    rows
}

/// The fields of other tables that a query asks by, such as `peer.client_id`.
pub(crate) fn walks(query: &str) -> impl Iterator<Item = &str> {
    let fields = query.split('^').filter_map(|part| split(part).map(|(field, ..)| field));
    fields.filter(|field| field.contains('.'))
}

fn split(part: &str) -> Option<(&str, &'static str, &str)> {
    let end = part
        .find(|letter: char| !(letter.is_ascii_lowercase() || "_.0123456789".contains(letter)))?;
    let (field, rest) = part.split_at(end);
    if let Some(operand) = rest.strip_prefix("IN") {
        return Some((field, "IN", operand));
    }
    let operator = OPERATORS.into_iter().find(|operator| rest.starts_with(operator))?;
    Some((field, operator, rest.strip_prefix(operator)?))
}

fn evaluated(operand: &str, me: Option<&str>) -> Option<String> {
    if !operand.starts_with("javascript:") {
        return Some(operand.to_owned());
    }
    operand.contains("getUserName").then_some(me?.to_owned())
}

fn holds(own: &str, operator: &str, operand: &str) -> bool {
    match operator {
        "=" => own == operand,
        "!=" => own != operand,
        ">" => own > operand,
        "<" => own < operand,
        ">=" => own >= operand,
        "<=" => own <= operand,
        "STARTSWITH" => own.starts_with(operand),
        "IN" => operand.split(',').any(|one| one == own),
        "ISEMPTY" => own.is_empty(),
        "ISNOTEMPTY" => !own.is_empty(),
        _ => own.to_lowercase().contains(&operand.to_lowercase()),
    }
}

fn text(row: &Row, field: &str) -> String {
    row.get(field).and_then(|value| value.as_str()).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rows() -> Vec<Row> {
        ["b", "a", "c"]
            .iter()
            .map(|name| json!({"name": name, "kind": "x"}).as_object().unwrap().clone())
            .collect()
    }

    fn names(query: &str, me: Option<&str>) -> String {
        select(rows(), query, me).iter().map(|row| text(row, "name")).collect()
    }

    #[test]
    fn conditions_narrow_and_orders_sort() {
        assert_eq!(names("name=a", None), "a");
        assert_eq!(names("name!=a^ORDERBYDESCname", None), "cb");
        assert_eq!(names("nameINa,c^kind=x", None), "ac");
        assert_eq!(names("nameSTARTSWITHq", None), "");
        assert_eq!(names("name>=b^ORDERBYname", None), "bc");
    }

    #[test]
    fn what_is_not_understood_is_dropped() {
        assert_eq!(names("name=javascript:gs.getUserName()", None), "bac");
        assert_eq!(names("name=javascript:gs.getUserName()", Some("a")), "a");
        assert_eq!(names("nothing=1", None), "bac");
    }
}

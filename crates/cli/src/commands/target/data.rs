//! A target as JSON: everything that is known of it. Keys are added, never changed.

use serde_json::{Map, Value, json};
use snowtoken::core::target::Target;
use snowtoken::targets::{self, Targets};

pub(super) fn of(known: &Targets, target: &Target) -> Value {
    let mut limits: Map<String, Value> = target
        .limits
        .all()
        .iter()
        .map(|(name, limit)| ((*name).to_owned(), json!(limit)))
        .collect();
    limits.insert("no_white_space".to_owned(), json!(target.limits.no_white_space));
    let fields = target.fields.iter();
    let also = target.also_register.iter();
    let refused = target.regions.refused.iter();
    let origin = known.origin(target).map(|path| path.display().to_string());
    json!({
        "name": target.name,
        "title": target.title,
        "class": target.class.as_str(),
        "prepare_only": target.class.is_prepare_only(),
        "redirect_uri": target.redirect_uri,
        "redirect_uri_from": target.redirect_uri_from,
        "also_register": also.map(|also| json!({
            "region": also.region, "redirect_uri": also.redirect_uri, "reason": also.reason,
        })).collect::<Vec<_>>(),
        "regions": target.regions.list,
        "regions_refused": refused.map(|one| json!({
            "prefix": one.prefix, "reason": one.reason,
        })).collect::<Vec<_>>(),
        "scope": target.scope,
        "access_token_lifespan": target.access_token_lifespan,
        "refresh_token_lifespan": target.refresh_token_lifespan,
        "fields": fields.map(|field| json!({
            "label": field.label, "value": field.value.word(),
        })).collect::<Vec<_>>(),
        "credentials_file": target.credentials_file,
        "formats": target.formats,
        "limits": limits,
        "instance": target.instance.as_str(),
        "domains": target.domains,
        "tables": target.tables,
        "roles": target.roles,
        "user_advice": target.advice(),
        "notes": target.notes,
        "confidence": target.confidence.as_str(),
        "sources": target.sources,
        "own_file": origin.as_ref().filter(|path| !path.is_empty()),
        "stands_in": origin.is_some() && targets::is_built_in(&target.name),
    })
}

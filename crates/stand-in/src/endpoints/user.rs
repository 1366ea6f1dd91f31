//! `/api/now/ui/user/current_user`: who the token is (§10).

use serde_json::json;

use crate::behaviour as knob;
use crate::endpoints::api::{Caller, no_resource};
use crate::instance::Instance;
use crate::reply::{self, Reply};

pub(crate) fn current_user(instance: &Instance, caller: &Caller) -> Reply {
    match instance.behaviour.text(&knob::API_CURRENT_USER) {
        "no-resource" => return no_resource(),
        "missing" => {
            let mut answer = no_resource();
            *answer.status_mut() = http::StatusCode::NOT_FOUND;
            return answer;
        }
        _ => {}
    }
    let user = &caller.user;
    reply::api(
        200,
        &json!({"result": {
            "user_avatar": "",
            "user_sys_id": user.sys_id,
            "user_name": user.user_name,
            "user_display_name": user.name,
            "user_initials": user.initials(),
        }}),
    )
}

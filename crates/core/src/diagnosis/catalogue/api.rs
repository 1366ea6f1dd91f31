//! Calls with a token.

macro_rules! api_entries {
    ([$next:ident $($then:ident)*] $($before:tt)*) => { $next! { [$($then)*] $($before)*

    TokenNotAccepted = "token-not-accepted", "the instance does not accept the access token", Instance, LoginNeeded {
        cause: "It has ended or was revoked.",
        proof: "An API call was answered 401.",
        fixes: [Run("snowtoken refresh", "gets a new access token while the refresh token lives"),
            Run("snowtoken login", "a new consent")],
        who: "you",
        signs: ["user not authenticated", "required to provide auth information"],
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    ApiRestricted = "api-restricted", "the token is good, but the client may call no API", Instance, Failed {
        cause: "The client is securely scoped, the default of the newer form, or was made inside a scoped application.",
        proof: "403 `Access to unscoped api is not allowed`.",
        fixes: [Visit("Machine Identity Console > Inbound integrations > the client > Auth scope", "untick \"Allow access only to APIs in selected scope\", or choose the scope useraccount")],
        who: "your ServiceNow administrator",
        signs: ["access to unscoped api is not allowed"],
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    ApiScopeMissing = "api-scope-missing", "the API wants a scope that the client does not have", Instance, Failed {
        cause: "The API is linked to an auth scope.",
        proof: "403 `Missing required API access scope`.",
        fixes: [Visit("System OAuth > Application Registry > the client > Auth Scopes", "add the named scope or useraccount")],
        who: "your ServiceNow administrator",
        signs: ["missing required api access scope"],
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    ApiForbidden = "api-forbidden", "the user may not read this", Instance, Failed {
        cause: "A role or access rule is missing.",
        proof: "An API call was answered 403.",
        fixes: [Note("an administrator gives the user the roles that the target names; `snowtoken target show NAME` lists them")],
        who: "your ServiceNow administrator",
        signs: ["failed api level acl", "user not authorized", "insufficient rights"],
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    ApiUnexpected = "api-unexpected", "the instance answered the proving call in an unexpected way", Instance, Failed {
        cause: "Another program may stand in front of the API.",
        proof: "Neither a user nor one of the documented errors came back.",
        fixes: [Note("open the instance in a browser on this machine: what answers there answers us too")],
        who: "your ServiceNow administrator",
        signs: ["requested uri does not represent any resource", "invalid table"],
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }

    } };
}

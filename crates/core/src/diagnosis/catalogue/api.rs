//! Calls with a token.

macro_rules! api_entries {
    ([$next:ident $($then:ident)*] $($before:tt)*) => { $next! { [$($then)*] $($before)*

    TokenNotAccepted = "token-not-accepted", "the instance does not accept the access token", Instance, LoginNeeded {
        seen: "401 `User Not Authenticated`, `Required to provide Auth information`.",
        cause: "It has ended or was revoked.",
        proof: "An API call was answered 401.",
        fixes: [Run("snowtoken refresh", "gets a new access token while the refresh token lives"),
            Run("snowtoken login", "a new consent")],
        who: "you",
        signs: ["user not authenticated", "required to provide auth information", "~basic realm=\"service-now\""],
        rehearsal: Test("refusals_are_verdicts"),
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    ApiRestricted = "api-restricted", "the token is good, but the client may call no API", Instance, Failed {
        seen: "403 `Access to unscoped api is not allowed`.",
        cause: "The client is securely scoped, the default of the newer form, or was made inside a scoped application.",
        proof: "403 `Access to unscoped api is not allowed`.",
        fixes: [Visit("Machine Identity Console > Inbound integrations > the client > Auth scope", "untick \"Allow access only to APIs in selected scope\", or choose the scope useraccount")],
        who: "your ServiceNow administrator",
        signs: ["access to unscoped api is not allowed", "scope_restriction_status", "securely scoped", "glide.security.oauth_allow_unscoped_clients"],
        rehearsal: Knobs(&["api.scope_restriction=restricted"]),
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    ApiScopeMissing = "api-scope-missing", "the API wants a scope that the client does not have", Instance, Failed {
        seen: "403 `Missing required API access scope: …`.",
        cause: "The API is linked to an auth scope.",
        proof: "403 `Missing required API access scope`.",
        fixes: [Visit("System OAuth > Application Registry > the client > Auth Scopes", "add the named scope or useraccount")],
        who: "your ServiceNow administrator",
        signs: ["missing required api access scope", "glide.oauth.token.scope.useraccount"],
        rehearsal: Knobs(&["api.required_scope=knowledge_read", "client.auth_scopes=none"]),
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    ApiForbidden = "api-forbidden", "the user may not read this", Instance, Failed {
        seen: "403 `Insufficient rights to query records`, `User Not Authorized`.",
        cause: "A role or access rule is missing.",
        proof: "An API call was answered 403.",
        fixes: [Note("an administrator gives the user the roles that the target names; `snowtoken target show NAME` lists them")],
        who: "your ServiceNow administrator",
        signs: ["user not authorized", "insufficient rights", "operation against file"],
        rehearsal: Knobs(&["api.acl=refused", "api.current_user=missing"]),
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    ApiUnexpected = "api-unexpected", "the instance answered the proving call in an unexpected way", Instance, Failed {
        cause: "Another program may stand in front of the API.",
        proof: "Neither a user nor one of the documented errors came back.",
        fixes: [Note("open the instance in a browser on this machine: what answers there answers us too")],
        who: "your ServiceNow administrator",
        signs: [],
        source: "ServiceNow as documented and observed, docs/quirks.md",
    }
    NewTokenRefused = "new-token-refused", "the API refuses a token that the instance has just issued", Instance, Failed {
        seen: "The login succeeds and the first call is 401 `User Not Authenticated`.",
        cause: "Most often a REST API Access Policy: it protects the API and has no inbound authentication profile of type OAuth. A token alone is not enough then.",
        proof: "The token was seconds old when it was refused, so it has neither ended nor been revoked.",
        fixes: [Visit("System Web Services > API Access Policies > REST API Access Policies", "add an OAuth inbound authentication profile to the policy of the Table API"),
            Visit("System Logs > All", "an administrator sees there what was refused"),
            Run("snowtoken login --no-verify", "stores the tokens without the proving call")],
        who: "your ServiceNow administrator",
        signs: ["rest api access policy", "~api access policy", "inbound authentication profile", "glide.security.response.authenticate.header.auth_profile.first_scheme_only", "~enforce token restriction"],
        rehearsal: Knobs(&["api.policy=refused"]),
        source: "ServiceNow documentation: Create an API access policy; AWS documentation: Amazon Bedrock, ServiceNow",
    }
    ApiAclRefused = "api-acl-refused", "the user may not use this API at all", Instance, Failed {
        seen: "403 `Failed API level ACL Validation`.",
        cause: "An access rule protects the API itself, not the table; the user lacks its role, often snc_platform_rest_api_access.",
        proof: "The instance says so; each table is refused alike.",
        fixes: [Visit("User Administration > Users > the user > Roles", "add snc_platform_rest_api_access, or the role of the API's rule"),
            Run("snowtoken verify", "tries again with the same token: roles count at once")],
        who: "your ServiceNow administrator",
        signs: ["failed api level acl", "snc_platform_rest_api_access"],
        rehearsal: Knobs(&["api.acl=api-level"]),
        source: "ServiceNow as observed by others, docs/quirks.md",
    }
    RecordsHidden = "records-hidden", "the answer is empty although the token is good", Instance, Failed {
        seen: "200 with `{\"result\":[]}`, fewer records than there are, or records with empty fields.",
        cause: "Access rules and the Can Read user criteria of knowledge bases leave out silently what the token's user may not see. Empty fields want a rule for the table's fields (`table.*`).",
        proof: "An administrator sees records in the same table.",
        fixes: [Run("snowtoken verify", "says whose token it is and which tables show records"),
            Visit("Knowledge > Administration > Knowledge Bases > the base > Can Read", "add the user, or a criterion the user meets"),
            Note("give the user the roles that the consumer names: `snowtoken target show NAME`")],
        who: "your ServiceNow administrator",
        signs: ["\"result\":[]", "\"result\": []", "~user criteria", "no record to be seen", "fewer records than", "~empty result", "~empty list"],
        rehearsal: Never("an empty answer is no failure: `snowtoken rehearse --yes --knob api.acl=no-rows` shows it at step 4, and `empty-fields` the other kind"),
        source: "ServiceNow as observed by others, docs/quirks.md; Microsoft documentation: ServiceNow knowledge connector",
    }
    RecordNotFound = "record-not-found", "the record is absent or hidden", Instance, Failed {
        seen: "404 `No Record found`, `Record doesn't exist or ACL restricts the record retrieval`.",
        cause: "The sys_id is wrong, the record was deleted, or the token's user may not see it: the instance does not tell which.",
        proof: "It says so itself.",
        fixes: [Note("open the record in the browser as the token's user"),
            Run("snowtoken verify", "says whose token it is")],
        who: "you, then your ServiceNow administrator",
        signs: ["no record found", "record doesn't exist or acl restricts"],
        rehearsal: Never("snowtoken asks for no single record; the stand-in answers so to other programs"),
        source: "ServiceNow as observed by others, docs/quirks.md",
    }
    TableUnknown = "table-unknown", "the instance has no such table", Instance, Failed {
        seen: "400 `Invalid table kb_knowledge`.",
        cause: "The name is misspelt, the plugin that brings the table is not active, or the table is hidden from the user.",
        proof: "The instance says so.",
        fixes: [Visit("System Definition > Tables", "look for the name"),
            Visit("System Definition > Plugins", "activate what brings the table")],
        who: "your ServiceNow administrator",
        signs: ["invalid table"],
        rehearsal: Knobs(&["api.tables=none", "api.current_user=missing"]),
        source: "ServiceNow as observed by others, docs/quirks.md",
    }
    ApiPathUnknown = "api-path-unknown", "the instance has no such API", Instance, Failed {
        seen: "400 `Requested URI does not represent any resource`.",
        cause: "The path is misspelt, or the API's plugin is not active.",
        proof: "The instance says so.",
        fixes: [Visit("System Web Services > REST > REST API Explorer", "shows the paths there are"),
            Note("the Table API begins with /api/now/table/")],
        who: "whoever wrote the program, or your ServiceNow administrator",
        signs: ["requested uri does not represent any resource"],
        rehearsal: Knobs(&["api.current_user=no-resource"]),
        source: "ServiceNow as observed by others, docs/quirks.md",
    }
    TokenRowsHidden = "token-rows-hidden", "when the tokens end may not be read", Instance, Failed {
        seen: "403 or an empty list from the table oauth_credential; `status` says `derived` or that an end is not known.",
        cause: "Rows of issued tokens are protected: some instances show users their own, others need a rule.",
        proof: "The instance refuses the table, or shows nothing.",
        fixes: [Run("snowtoken profile set NAME --refresh-token-lifespan 365d", "states the lifespan that stands on the record: the end is counted from the consent"),
            Visit("System Security > Access Control (ACL)", "or a read rule on oauth_credential for the user's own rows")],
        who: "you, or your ServiceNow administrator",
        signs: ["~oauth_credential"],
        rehearsal: Never("it is no failure: the end is counted instead, as `snowtoken rehearse --yes --knob api.credentials=administrators` shows"),
        source: "ServiceNow community thread 2654068; ServiceNow documentation: Manage tokens",
    }

    } };
}

//! The client's record on the instance, and who may make it.

macro_rules! record_entries {
    ([$next:ident $($then:ident)*] $($before:tt)*) => { $next! { [$($then)*] $($before)*

    RoleNotElevated = "role-not-elevated", "the role to make a client is not active", Instance, Failed {
        seen: "There is no button New in the Application Registry, or the menu System OAuth is not there.",
        cause: "The administrator has not elevated to security_admin in this session, or has none of admin, oauth_admin and (newer console) mi_admin.",
        proof: "After Elevate role the button is there.",
        fixes: [Visit("the user menu > Elevate role", "tick security_admin; it lasts until the session ends"),
            Note("or ask an administrator for the role oauth_admin; for the Machine Identity Console mi_admin")],
        who: "your ServiceNow administrator",
        signs: ["~new button", "elevate role", "elevate to security_admin", "~security_admin", "~oauth_admin", "~mi_admin"],
        rehearsal: Never("it happens on a form of the instance, which the stand-in does not have"),
        source: "Microsoft documentation: ServiceNow connector, set-up; ServiceNow documentation: Machine Identity Console",
    }
    SecretNotKept = "secret-not-kept", "the record does not hold the secret that was written", Instance, Failed {
        seen: "A client that was made by API, script or import is refused with exactly the secret that was given to it.",
        cause: "The field is encrypted: the Table API keeps it only with sysparm_input_display_value=true, scripts need setDisplayValue, and an imported record is encrypted for another instance.",
        proof: "Typed into the form again, the same secret works.",
        fixes: [Visit("System OAuth > Application Registry > the client > Client Secret", "unlock the field, type the secret in, save"),
            Run("snowtoken login --client-secret-file FILE", "tries with it")],
        who: "your ServiceNow administrator",
        signs: ["sysparm_input_display_value", "setdisplayvalue", "~password2", "secret is malformed", "malformed secret"],
        rehearsal: Test("a_secret_may_need_the_display_value_flag"),
        source: "ServiceNow documentation: Table API; ServiceNow documentation: Configure the OAuth authentication method",
    }
    InstanceCloned = "instance-cloned", "another instance was cloned over this one", Instance, LoginNeeded {
        seen: "It worked until last night; now client ID or secret are unknown, the record is missing or looks like that of production.",
        cause: "A clone replaces the Application Registry and the issued tokens with those of its source.",
        proof: "System Clone > Clone History names the date.",
        fixes: [Visit("System OAuth > Application Registry", "make the client again, or enter the Redirect URL and secret again"),
            Run("snowtoken login --client-id ID --client-secret-file FILE", "new tokens for the new record"),
            Visit("System Clone > Clone Definition > Preserve Data", "for the next time: preserve oauth_entity and oauth_credential and what hangs on them")],
        who: "your ServiceNow administrator",
        signs: ["cloned over", "after a clone", "after the clone", "instance was cloned", "clone history", "prb1673691"],
        rehearsal: Never("a clone is another instance under the same name: to snowtoken it is `client-refused`"),
        source: "ServiceNow release notes: PRB1673691; ServiceNow as observed by others, docs/quirks.md",
    }
    UpgradeLostFields = "upgrade-lost-fields", "an upgrade emptied fields of the client's record", Instance, Failed {
        seen: "After a family upgrade the client answers strangely: grants refused, another token format; PRB1934567, PRB1926337.",
        cause: "inbound_grant_type, token_format or sub_claim are empty on records that were made before the upgrade.",
        proof: "The list view of oauth_entity shows empty columns.",
        fixes: [Visit("Machine Identity Console > Inbound integrations > the client", "choose the values again and save"),
            Note("mended by ServiceNow in Zurich Patch 4 and later")],
        who: "your ServiceNow administrator",
        signs: ["prb1934567", "prb1926337", "~inbound_grant_type", "~after the upgrade + token", "~after upgrade + oauth"],
        rehearsal: Never("how such a record answers is not known"),
        source: "ServiceNow release notes: Zurich, PRB1934567 and PRB1926337",
    }
    RecordMadeByInsert = "record-made-by-insert", "the client's record was made behind the form's back", Instance, Failed {
        seen: "The record looks right and does not work: no profile, no scopes, no secret.",
        cause: "It was inserted by a script or an import. Records made through the form get related records that a direct insert leaves out; one that was made in a scoped application is restricted to it.",
        proof: "The related lists of the record are empty.",
        fixes: [Visit("System OAuth > Application Registry > New", "make the client through the form, in the scope Global")],
        who: "your ServiceNow administrator",
        signs: ["~oauth_entity_profile", "inserted directly", "~direct insert"],
        rehearsal: Never("what is left out differs by release"),
        source: "AWS documentation: Amazon Bedrock, ServiceNow; ServiceNow as observed by others, docs/quirks.md",
    }

    } };
}

//! At the product that takes the tokens.

macro_rules! consumer_entries {
    ([$next:ident $($then:ident)*] $($before:tt)*) => { $next! { [$($then)*] $($before)*

    InstanceNameForm = "instance-name-form", "the consumer wants the instance in another form", You, Failed {
        seen: "The consumer says that it cannot reach or does not know the instance; its address has `service-now.com` twice, or a path twice.",
        cause: "Products ask for different things: the bare name (`classics`), the host, the https URL with or without a slash at its end.",
        proof: "`snowtoken deliver` prints the form that the target wants.",
        fixes: [Run("snowtoken target show NAME", "the form that this consumer takes"),
            Note("usual forms: classics; classics.service-now.com; https://classics.service-now.com")],
        who: "you",
        signs: ["service-now.com.service-now.com", "service-now.com/.service-now.com", "https://https://", "invalid instance url", "invalid instance name"],
        rehearsal: Never("it happens at the consumer"),
        source: "docs/reference/targets.md; AWS documentation: Amazon AppFlow, ServiceNow",
    }
    ConsumerCountsAnew = "consumer-counts-anew", "the consumer believes that the refresh token was prolonged", You, Deadline {
        seen: "A consumer shows a later end after each refresh and dies all the same, on the date that the first consent set.",
        cause: "ServiceNow answers a refresh with the same refresh token; the consumer takes it for a new one and starts its clock again.",
        proof: "The token in the answer is the one that was sent.",
        fixes: [Run("snowtoken status", "shows the true end; `--ics FILE` puts it into a calendar"),
            Run("snowtoken login", "a new consent before that day, then deliver again")],
        who: "the user who signs in",
        signs: ["kb1649654", "prb1768642", "cannot know refresh expiry", "refresh token expiry was extended", "refresh token was extended"],
        rehearsal: Never("it happens at the consumer; `snowtoken refresh` shows that the same refresh token comes back"),
        source: "ServiceNow KB0791140; ServiceNow KB1649654",
    }
    ConsumerUserChanged = "consumer-user-changed", "the consumer was connected by another user than before", You, Failed {
        seen: "After a new connection records are missing, or jobs that belonged to the first user fail.",
        cause: "Tokens carry the rights of whoever pressed Allow; some consumers also tie their settings to the first user.",
        proof: "`snowtoken login` warns when the user differs from the one before.",
        fixes: [Run("snowtoken login --expect-user NAME", "refuses tokens of anybody else"),
            Note("consent as the integration user each time, never as a person")],
        who: "the user who signs in",
        signs: ["connected by another user", "different user than before", "belongs to another user", "re-authorized by another"],
        rehearsal: Never("it happens at the consumer; for a login of ours it is `user-mismatch`"),
        source: "inferred from vendors' documentation, docs/reference/targets.md",
    }
    StaticAccessToken = "static-access-token", "an access token was pasted where a refresh token is needed", You, LoginNeeded {
        seen: "The consumer works for half an hour or an hour, then 401 for ever.",
        cause: "A field for a fixed token (Authorization header, bearer token) was filled with an access token. Nothing there can refresh it.",
        proof: "It stops after the Access Token Lifespan, 30 minutes by default.",
        fixes: [Note("choose the consumer's OAuth connection, which takes client ID, client secret and refresh token"),
            Run("snowtoken exec -- PROGRAM", "gives a program of your own a living token each time it starts"),
            Note("where only a fixed token is taken, it must be delivered again before it ends: `snowtoken keep` with a hook")],
        who: "you",
        signs: ["static access token", "stops working after 30 minutes", "stops after 30 minutes", "works for 30 minutes", "stops working after an hour", "dies after an hour", "expires after 30 minutes"],
        rehearsal: Never("it happens at the consumer"),
        source: "inferred from vendors' documentation, docs/reference/targets.md",
    }
    AppflowAuthcodeBlank = "appflow-authcode-blank", "AppFlow wants an auth code, or complete tokens", You, Failed {
        seen: "`AuthCode cannot be blank` when a connector profile is made in AWS.",
        cause: "With `oAuthRequest` AppFlow exchanges a code itself and needs `authCode` and `redirectUri`; with `accessToken` and `refreshToken` it needs none. The request has the first without a code, or an empty one.",
        proof: "The message is AppFlow's; the instance was not asked.",
        fixes: [Run("snowtoken deliver --format json", "access token and refresh token, to be given in place of `oAuthRequest`"),
            Note("leave `oAuthRequest` out completely when tokens are given; an auth code ends after 60 s and is no use in a template")],
        who: "you",
        signs: ["authcode cannot be blank", "auth code cannot be blank"],
        rehearsal: Never("it is an answer of AWS"),
        source: "AWS documentation: Amazon AppFlow API, ServiceNowConnectorProfileCredentials",
    }
    ConsumerConnectionFailed = "consumer-connection-failed", "the consumer cannot connect with what it was given", You, Failed {
        seen: "`ConnectorAuthenticationException`, `communication error from connector`, a connection shown as failed at the product that takes the tokens.",
        cause: "It was given tokens that have ended, were revoked or replaced since, or a code without tokens; or the instance refuses its calls (policy, scope, address).",
        proof: "`snowtoken verify` tells whether the tokens themselves are good from here.",
        fixes: [Run("snowtoken deliver --check", "says whether the copy that was handed over is still what is stored"),
            Run("snowtoken verify", "says whether the instance takes the token, and what it may read"),
            Note("in AWS: hand over access token and refresh token by UpdateConnectorProfile; a redirect URI alone is no credential"),
            Note("if all is well from here, the instance may not let the consumer's addresses in: `snowtoken explain address-refused`")],
        who: "you, then your ServiceNow administrator",
        signs: ["connectorauthenticationexception", "communication error from connector", "connector authentication failed"],
        rehearsal: Never("it is an answer of the consumer"),
        source: "AWS documentation: Amazon AppFlow API; inferred, docs/reference/targets.md",
    }
    CloudformationHidesError = "cloudformation-hides-error", "the template's error message hides the connector's", You, Failed {
        seen: "A stack fails at AWS::AppFlow::ConnectorProfile with a message that ends in the middle, or says that it is too long.",
        cause: "CloudFormation shows 1,024 characters of an error, and AppFlow's are longer: the cause stands behind the cut.",
        proof: "`aws appflow create-connector-profile` with the same values shows all of it.",
        fixes: [Run("snowtoken verify", "proves the tokens before the stack is made"),
            Note("make the connector profile once by `aws appflow create-connector-profile`, read the whole message, then go back to the template")],
        who: "you",
        signs: ["aws::appflow::connectorprofile", "resource handler returned message + appflow", "aws_appflow_connector_profile", "~connectorprofile + failed"],
        rehearsal: Never("it is an answer of AWS"),
        source: "AWS documentation: AWS CloudFormation, AWS::AppFlow::ConnectorProfile",
    }
    CxoneOtherConnector = "cxone-other-connector", "that is another ServiceNow connector of the same vendor", You, Failed {
        seen: "A form or page for ServiceNow in CXone that asks for a user name and password, or for an agent's desktop, and not for four tokens.",
        cause: "NiCE CXone has several connectors to ServiceNow. The one of Knowledge Hub reads articles and takes client ID, client secret, access token and refresh token; the others (agent desktop, Studio actions) do not.",
        proof: "Only the form of Knowledge Hub names an access token and a refresh token.",
        fixes: [Run("snowtoken target show nice-knowledge-hub", "the fields of the right form"),
            Note("in CXone, go to Knowledge Hub and its sources")],
        who: "you",
        signs: ["cxone agent for servicenow", "agent for servicenow", "~cxone + servicenow + studio", "~openframe"],
        rehearsal: Never("it is a form of another product"),
        source: "vendor's page, \"Generate ServiceNow OAuth Tokens\" and its neighbours",
    }

    } };
}

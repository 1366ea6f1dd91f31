"""What Amazon's own SDK says about regions and limits, from the data that comes with it: no network."""

import json

import botocore.session

session = botocore.session.get_session()


def largest(service, shape, member):
    members = session.get_service_model(service).shape_for(shape).members
    return members[member].metadata["max"]


def pattern(service, shape, member):
    return session.get_service_model(service).shape_for(shape).members[member].metadata["pattern"]


services = ["appflow", "customer-profiles", "wisdom", "qconnect", "glue", "quicksight"]
partitions = ["aws-us-gov", "aws-cn"]
client = "ServiceNowOAuthClientCredentialsConfig"
print(
    json.dumps(
        {
            "regions": {name: session.get_available_regions(name) for name in services},
            "elsewhere": [
                region
                for partition in partitions
                for region in session.get_available_regions("appflow", partition_name=partition)
            ],
            "limits": {
                "appflow": {
                    "instance": largest("appflow", "ServiceNowConnectorProfileProperties", "instanceUrl"),
                    "client_id": largest("appflow", "OAuth2Credentials", "clientId"),
                    "client_secret": largest("appflow", "OAuth2Credentials", "clientSecret"),
                    "access_token": largest("appflow", "OAuth2Credentials", "accessToken"),
                    "refresh_token": largest("appflow", "OAuth2Credentials", "refreshToken"),
                    "auth_code": largest("appflow", "ConnectorOAuthRequest", "authCode"),
                    "redirect_uri": largest("appflow", "ConnectorOAuthRequest", "redirectUri"),
                },
                "kendra": {"instance": largest("kendra", "ServiceNowConfiguration", "HostUrl")},
                "devops-agent": {
                    "instance": largest("devops-agent", "ServiceNowServiceDetails", "instanceUrl"),
                    "client_id": largest("devops-agent", client, "clientId"),
                    "client_secret": largest("devops-agent", client, "clientSecret"),
                },
            },
            "white_space": pattern("appflow", "OAuth2Credentials", "accessToken"),
            "fields": sorted(
                session.get_service_model("appflow").shape_for("OAuth2Credentials").members
            ),
        }
    )
)

"""Authlib's authorization server under Flask, at ServiceNow's paths."""

import json
import os
import re
import secrets
import sys
import threading
import time

# Authlib insists on https unless told otherwise; these tests stay on the loopback interface.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, TokenMixin, grants
from authlib.oauth2.rfc6749.errors import InvalidGrantError
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7523 import JWTBearerGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import Flask, Response, jsonify, request
from werkzeug.serving import make_server

CLIENT_ID = os.environ["CLIENT_ID"]
CLIENT_SECRET = os.environ["CLIENT_SECRET"]
REDIRECT_URIS = json.loads(os.environ["REDIRECT_URIS"])
LIFESPAN = int(os.environ.get("AT_TTL", "1799"))
ROTATE = os.environ.get("ROTATE") == "1"
PKCE = os.environ.get("PKCE") == "1"
PUBLIC_KEY = os.environ.get("PUBLIC_KEY")
METHODS = [os.environ.get("AUTH", "client_secret_post")]
TABLE = re.compile(r"(kb_\w+|sys_\w+|m2m_kb_\w+|user_criteria|cmn_\w+|core_company|oauth_\w+)\Z")
USER = {
    "user_sys_id": "6816f79cc0a8016401c5a33be04be441",
    "user_name": "admin",
    "user_display_name": "System Administrator",
}

say_lock = threading.Lock()


def say(what):
    """One line of JSON for each thing the test may want to know."""
    with say_lock:
        os.write(1, (json.dumps(what) + "\n").encode())


class Client(ClientMixin):
    def get_client_id(self):
        return CLIENT_ID

    def get_default_redirect_uri(self):
        return REDIRECT_URIS[0]

    def get_allowed_scope(self, scope):
        return scope or "useraccount"

    def check_redirect_uri(self, redirect_uri):
        return redirect_uri in REDIRECT_URIS

    def check_client_secret(self, client_secret):
        return secrets.compare_digest(client_secret.encode(), CLIENT_SECRET.encode())

    def check_endpoint_auth_method(self, method, endpoint):
        return method in METHODS

    def check_response_type(self, response_type):
        return response_type == "code"

    def check_grant_type(self, grant_type):
        own = (JWTBearerGrant.GRANT_TYPE, "client_credentials")
        return grant_type in ("authorization_code", "refresh_token", *own)


class Code(AuthorizationCodeMixin):
    def __init__(self, **fields):
        self.__dict__.update(fields)

    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return self.scope


class Token(TokenMixin):
    def __init__(self, fields):
        self.fields = fields
        self.issued = time.time()
        self.revoked = False

    def check_client(self, client):
        return True

    def get_scope(self):
        return self.fields.get("scope", "")

    def get_expires_in(self):
        return self.fields["expires_in"]

    def is_expired(self):
        return self.issued + self.get_expires_in() < time.time()

    def is_revoked(self):
        return self.revoked

    def get_user(self):
        return "admin"

    def get_client(self):
        return CLIENT


CLIENT = Client()
CODES = {}
TOKENS = []


class CodeGrant(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def save_authorization_code(self, code, req):
        payload = req.payload
        CODES[code] = Code(
            code=code,
            redirect_uri=payload.redirect_uri,
            scope=payload.scope,
            code_challenge=payload.data.get("code_challenge"),
            code_challenge_method=payload.data.get("code_challenge_method"),
        )

    def query_authorization_code(self, code, client):
        return CODES.get(code)

    def delete_authorization_code(self, authorization_code):
        CODES.pop(authorization_code.code, None)

    def authenticate_user(self, authorization_code):
        return "admin"


class RefreshGrant(grants.RefreshTokenGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    INCLUDE_NEW_REFRESH_TOKEN = ROTATE

    def authenticate_refresh_token(self, refresh_token):
        mine = (t for t in TOKENS if t.fields.get("refresh_token") == refresh_token)
        return next((t for t in mine if not t.revoked), None)

    def authenticate_user(self, refresh_token):
        return "admin"

    def revoke_old_credential(self, refresh_token):
        refresh_token.revoked = ROTATE


class OwnGrant(grants.ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS


class AssertionGrant(JWTBearerGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    SEEN = set()

    def validate_token_request(self):
        # Authlib believes the assertion alone; an instance wants the client's secret beside it.
        self.authenticate_token_endpoint_client()
        super().validate_token_request()

    def process_assertion_claims(self, assertion):
        claims = super().process_assertion_claims(assertion)
        name = claims.get("jti")
        if not name or name in self.SEEN:
            raise InvalidGrantError(description="jti is missing or was used before")
        self.SEEN.add(name)
        say({"claims": dict(claims)})
        return claims

    def resolve_issuer_client(self, issuer):
        return CLIENT if issuer == CLIENT_ID else None

    def resolve_client_public_key(self, client):
        return PUBLIC_KEY

    def get_audiences(self):
        return [CLIENT_ID]

    def authenticate_user(self, subject):
        return subject if subject == USER["user_name"] else None

    def has_granted_permission(self, client, user):
        return True


class Revocation(RevocationEndpoint):
    CLIENT_AUTH_METHODS = METHODS

    def query_token(self, token_string, token_type_hint):
        both = ("access_token", "refresh_token")
        return next((t for t in TOKENS if token_string in [t.fields.get(k) for k in both]), None)

    def revoke_token(self, token, req):
        token.revoked = True


app = Flask(__name__)
app.config.update(
    OAUTH2_REFRESH_TOKEN_GENERATOR=True,
    OAUTH2_TOKEN_EXPIRES_IN={
        "authorization_code": LIFESPAN,
        "refresh_token": LIFESPAN,
        "client_credentials": LIFESPAN,
        JWTBearerGrant.GRANT_TYPE: LIFESPAN,
    },
)
server = AuthorizationServer(
    app,
    query_client=lambda client_id: CLIENT if client_id == CLIENT_ID else None,
    save_token=lambda token, req: TOKENS.append(Token(dict(token))),
)
server.register_grant(CodeGrant, [CodeChallenge(required=PKCE)])
server.register_grant(RefreshGrant)
server.register_grant(OwnGrant)
server.register_grant(AssertionGrant)
server.register_endpoint(Revocation)


@app.before_request
def keep_body():
    # Read before the form is parsed: the raw body shows a parameter that is sent twice.
    request.environ["raw_body"] = request.get_data(cache=True, parse_form_data=False)


@app.after_request
def record(response):
    headers = [text for pair in request.headers for text in pair]
    target = request.full_path if request.query_string else request.path
    body = request.environ.get("raw_body", b"").decode("latin-1")
    fields = {"method": request.method, "target": target, "headers": headers}
    say({"request": {**fields, "body": body, "status": response.status_code}})
    return response


@app.get("/oauth_auth.do")
def authorize():
    # The person at this server consents by default; a test may add `allowed=false`.
    user = None if request.args.get("allowed") == "false" else "admin"
    grant = server.get_consent_grant(end_user="admin")
    return server.create_authorization_response(grant_user=user, grant=grant)


@app.post("/oauth_token.do")
def token():
    return server.create_token_response()


@app.post("/oauth_revoke_token.do")
def revoke():
    return server.create_endpoint_response("revocation")


def failure(status, message):
    return jsonify(error={"message": message, "detail": None}, status="failure"), status


def is_alive(header):
    kind, _, value = (header or "").partition(" ")
    mine = [t for t in TOKENS if t.fields["access_token"] == value]
    return kind.lower() == "bearer" and any(not t.revoked and not t.is_expired() for t in mine)


@app.get("/api/now/<path:path>")
def api(path):
    if not is_alive(request.headers.get("Authorization")):
        return failure(401, "User Not Authenticated")
    if path == "ui/user/current_user":
        return jsonify(result=USER)
    if path == "attachment":
        return jsonify(result=[])
    kind, _, rest = path.partition("/")
    table, _, sys_id = rest.partition("/")
    if kind not in ("table", "stats"):
        return failure(404, "Requested URI does not represent any resource")
    if not TABLE.match(table):
        return failure(400, f"Invalid table {table}")
    if kind == "stats":
        return jsonify(result={"stats": {"count": "1"}})
    row = {"sys_id": sys_id or USER["user_sys_id"], "user_name": "admin", "number": "KB0000001"}
    return jsonify(result=row if sys_id else [row])


def end_with_the_test():
    sys.stdin.buffer.read()
    os._exit(0)


threading.Thread(target=end_with_the_test, daemon=True).start()
key, cert = os.environ.get("TLS_KEY"), os.environ.get("TLS_CERT")
listener = make_server(
    "127.0.0.1",
    int(os.environ.get("PORT", "0")),
    app,
    threaded=True,
    ssl_context=(cert, key) if key else None,
)
say({"up": listener.server_port})
listener.serve_forever()

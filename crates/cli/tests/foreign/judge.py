"""Reads delivered texts with the programs and models of those who take them.

One question a line as JSON, {"kind": ..., "text": ..., ...}; one answer a line, {"found": ...} or
{"error": ...}.
"""

import base64
import io
import json
import re
import subprocess
import sys

import botocore.session
import botocore.validate
import dotenv
import jsonschema
import sqlglot
import yaml
from kubernetes import client as kubernetes_client

SERVICES = {}


def shape_of(service, operation):
    if service not in SERVICES:
        session = botocore.session.get_session()
        SERVICES[service] = session.get_service_model(service)
    return SERVICES[service].operation_model(operation).input_shape


def deep(value, shape, path=""):
    """What the service checks and botocore's own validator does not: patterns, enums, maxima."""
    if shape.type_name == "structure":
        for name, inner in value.items():
            deep(inner, shape.members[name], f"{path}.{name}")
    elif shape.type_name == "string":
        meta = shape.metadata
        if shape.enum and value not in shape.enum:
            raise ValueError(f"{path}: {value!r} is none of its values")
        if len(value) > meta.get("max", len(value)) or len(value) < meta.get("min", 0):
            raise ValueError(f"{path}: its length is {len(value)}")
        if "pattern" in meta and not re.fullmatch(meta["pattern"], value):
            raise ValueError(f"{path}: does not match {meta['pattern']}")


def aws(question):
    value = json.loads(question["text"])
    shape = shape_of(question["service"], question["operation"])
    report = botocore.validate.ParamValidator().validate(value, shape)
    if report.has_errors():
        raise ValueError(report.generate_report())
    deep(value, shape)
    return value


def kubernetes_secret(question):
    value = yaml.safe_load(question["text"])
    known = set(kubernetes_client.V1Secret.attribute_map.values())
    if set(value) - known:
        raise ValueError(f"unknown: {set(value) - known}")
    api = kubernetes_client.ApiClient()
    secret = api.deserialize(json.dumps(value), "V1Secret", "application/json")
    if secret.metadata.name != value["metadata"]["name"] or secret.type != "Opaque":
        raise ValueError("the model read something else")
    coded = secret.data or {}
    found = {name: base64.b64decode(text, validate=True).decode() for name, text in coded.items()}
    found.update(secret.string_data or {})
    for name, text in found.items():
        if not isinstance(text, str) or not re.fullmatch(r"[-._a-zA-Z0-9]+", name):
            raise ValueError(f"{name} is no text")
    return found


EXTERNAL = {
    "type": "object",
    "additionalProperties": False,
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "properties": {
        "apiVersion": {"const": "external-secrets.io/v1"},
        "kind": {"const": "ExternalSecret"},
        "metadata": {"type": "object", "required": ["name"]},
        "spec": {
            "type": "object",
            "additionalProperties": False,
            "required": ["secretStoreRef", "target", "dataFrom"],
            "properties": {
                "refreshInterval": {"type": "string", "pattern": r"^(\d+h)?(\d+m)?(\d+s)?$"},
                "secretStoreRef": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["name"],
                    "properties": {
                        "name": {"type": "string", "pattern": r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"},
                        "kind": {"enum": ["SecretStore", "ClusterSecretStore"]},
                    },
                },
                "target": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "name": {"type": "string"},
                        "creationPolicy": {"enum": ["Owner", "Orphan", "Merge", "None"]},
                    },
                },
                "dataFrom": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["extract"],
                        "properties": {"extract": {"type": "object", "required": ["key"]}},
                    },
                },
            },
        },
    },
}


def external_secret(question):
    value = yaml.safe_load(question["text"])
    jsonschema.validate(value, EXTERNAL)
    return value


def cloudformation(question):
    from cfnlint import api

    rules = api.ManualArgs(regions=[question["region"]])
    matches = api.lint(question["text"], config=rules)
    if matches:
        raise ValueError("; ".join(str(match) for match in matches))
    return json.loads(question["text"])


def python_dotenv(question):
    values = dotenv.dotenv_values(stream=io.StringIO(question["text"]))
    if None in values.values():
        raise ValueError("a line without a value")
    return values


def snowflake(question):
    tokens = sqlglot.tokenize(question["text"], read="snowflake")
    statements = sqlglot.parse(question["text"], read="snowflake")
    strings = [token.text for token in tokens if token.token_type.name == "STRING"]
    return {"strings": strings, "statements": len([one for one in statements if one])}


def shell(question):
    names = question["names"]
    script = question["text"] + "".join(f'\nprintf "%s\\0" "${name}"' for name in names)
    done = subprocess.run(
        [question["shell"], "-s"],
        input=script.encode(),
        capture_output=True,
        env={"PATH": question.get("path", "/usr/bin:/bin"), "HOME": "/nonexistent"},
        timeout=20,
    )
    if done.returncode or done.stderr:
        raise ValueError(f"{done.returncode}: {done.stderr.decode()}")
    return dict(zip(names, done.stdout.decode().split("\0")))


KINDS = {
    "json": lambda question: json.loads(question["text"]),
    "aws": aws,
    "kubernetes": kubernetes_secret,
    "external-secret": external_secret,
    "cloudformation": cloudformation,
    "dotenv": python_dotenv,
    "snowflake": snowflake,
    "shell": shell,
}

for line in sys.stdin:
    question = json.loads(line)
    try:
        answer = {"found": KINDS[question["kind"]](question)}
    except Exception as error:  # whatever a reader does not like
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)

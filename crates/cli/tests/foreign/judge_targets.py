"""What jsonschema makes of files of targets, read by Python's own TOML parser.

Standard input: {"schema": text, "files": [text, ...]}. Standard output: for each file the first
complaint, or null.
"""

import json
import sys
import tomllib

import jsonschema

task = json.load(sys.stdin)
schema = json.loads(task["schema"])
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)


def complaint(text):
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return f"no TOML: {error}"
    error = jsonschema.exceptions.best_match(validator.iter_errors(document))
    return None if error is None else f"{error.json_path}: {error.message}"


print(json.dumps([complaint(text) for text in task["files"]]))

"""Makes many profiles out of one that is logged in: fleet.py HOME PROFILE COUNT.

Every row of the one is repeated under other names, instances, users and ends, in no order, as they
would have come in over the years. What is sealed is noise of the same length: whoever reads the
fleet must not want to open it.
"""

import os
import random
import sqlite3
import sys

HOME, PROFILE, COUNT = sys.argv[1], sys.argv[2], int(sys.argv[3])
DAY = 86_400_000_000
dice = random.Random(4711)


def name(number):
    return f"customer-{number:06}"


def instance(number):
    return f"https://customer{number:06}.service-now.com"


def changed(column, value, number):
    if isinstance(value, bytes):
        return os.urandom(len(value))
    if column == "profile":
        return name(number)
    if column == "instance":
        return instance(number)
    if column == "user" and value is not None:
        return f"integration.user{number % 977}"
    if column == "access_expires_at" and isinstance(value, int):
        return value + dice.randrange(-600, 1200) * 1_000_000
    if column == "refresh_expires_at" and isinstance(value, int):
        return value - dice.randrange(360) * DAY
    return value


def grow(database):
    pieces = []
    for table in ("token_set", "standing", "client_secret"):
        columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        query = f"SELECT {','.join(columns)} FROM {table} WHERE profile = ?"
        rows = database.execute(query, [PROFILE]).fetchall()
        marks = ",".join("?" * len(columns))
        pieces.append((f"INSERT INTO {table} ({','.join(columns)}) VALUES ({marks})", columns, rows))
    numbers = list(range(COUNT))
    dice.shuffle(numbers)
    for number in numbers:
        for statement, columns, rows in pieces:
            for row in rows:
                values = [changed(column, value, number) for column, value in zip(columns, row)]
                database.execute(statement, values)
    for table in ("token_set", "standing", "client_secret"):
        database.execute(f"DELETE FROM {table} WHERE profile = ?", [PROFILE])


def configure(path):
    with open(path) as file:
        head, section = file.read().split(f"[profile.{PROFILE}]\n")
    settings = [line for line in section.splitlines() if line and not line.startswith("instance")]
    with open(path, "w") as file:
        file.write(head)
        for number in range(COUNT):
            lines = [f"[profile.{name(number)}]", f'instance = "{instance(number)}"', *settings]
            file.write("\n".join(lines) + "\n\n")


with sqlite3.connect(os.path.join(HOME, "store", "tokens.db")) as database:
    grow(database)
configure(os.path.join(HOME, "config.toml"))

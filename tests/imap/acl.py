#!/usr/bin/env python3
"""Tells what lists of rights mean to a server: acl.py PORT MAILDIR CASES LIST

The user is user@example.com with the password `secret`, in the groups `staff` and `crew`; the Maildir is the user's, LIST the
file that the server has for the mailboxes of all users, which is written here. Each line of CASES is `own list / list for all / what comes out`,
with `,` between the entries of a list. Prints the lines with what comes out now:

    rights (MYRIGHTS) [who has which (GETACL)]; how SELECT opens, and flags that can be kept; flags after STORE of all; what
    APPEND with all flags says, and with which flags; messages after EXPUNGE; what CREATE below, RENAME and DELETE say
"""
import os
import re
import socket
import sys

PATIENCE_S = 60
ALL = r"(\Answered \Flagged \Deleted \Seen \Draft kw)"


class Client:
    def __init__(self, port):
        self.link = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.input = self.link.makefile("rb")
        self.input.readline()
        assert self.ask("LOGIN user@example.com secret")[-1].startswith("OK")

    def ask(self, command):
        """The untagged responses without their stars, and the tagged one."""
        self.link.sendall(b"a " + command.encode().replace(b"~", b"\r\n") + b"\r\n")
        answers = []
        while True:
            line = self.input.readline().decode().rstrip("\r\n")
            assert line, "the server has gone"
            if line.startswith("a "):
                return answers + [line[2:]]
            if line.startswith("* "):
                answers.append(line[2:])


def short(reply):
    found = re.match(r"(OK|NO|BAD)(?: \[(NOPERM|NONEXISTENT|TRYCREATE|READ-ONLY|READ-WRITE)\])?", reply)
    return "-".join(part for part in found.groups() if part)


def found(answers, expression):
    return [hit.group(1) for hit in (re.search(expression, answer) for answer in answers) if hit]


def flags(answers):
    """Of all messages, each system flag by its letter."""
    told = found(answers, r"FETCH .*FLAGS \((.*?)\)")
    letters = [sorted(re.sub(r"\\", "", flag)[:2] for flag in text.split() if flag != "\\Recent") for text in told]
    return ",".join("".join(of_one) or "-" for of_one in letters) or "none"


def untold(text):
    return text.replace("user@example.com", "me")


def outcome(client, name):
    said = []
    rights = client.ask(f"MYRIGHTS {name}")
    listed = client.ask(f"GETACL {name}")
    said.append(" ".join(found(rights, r"MYRIGHTS \S+ (.*)")) or short(rights[-1]))
    said.append("[" + (untold(" ".join(found(listed, r"ACL \S+ (.*)"))) or short(listed[-1])) + "]")
    select = client.ask(f"SELECT {name}")
    kept = found(select, r"PERMANENTFLAGS \((.*?)\)")
    # Where there is nothing to be seen, Dovecot gives no reason.
    opened = {"NO": "NO-NONEXISTENT"}.get(short(select[-1]), short(select[-1]))
    said.append("; " + opened + " " + "".join(sorted(re.sub(r"\\", "", flag)[:2] for flag in (kept or [""])[0].split())))
    client.ask(f"STORE 1 +FLAGS {ALL}")
    said.append("store " + flags(client.ask("FETCH 1 FLAGS")))
    append = client.ask(f"APPEND {name} {ALL} {{3+}}~abc")
    client.ask("NOOP")
    said.append("append " + short(append[-1]) + " " + flags(client.ask("FETCH 1:* FLAGS")).split(",")[-1])
    client.ask("EXPUNGE")
    said.append("left " + str(len(found(client.ask("FETCH 1:* UID"), "(FETCH)"))))
    client.ask("UNSELECT")
    said.append("below " + short(client.ask(f"CREATE {name}.below")[-1]))
    renamed = short(client.ask(f"RENAME {name} {name}r")[-1])
    said.append("rename " + renamed)
    deleted = short(client.ask(f"DELETE {name}{'r' if renamed == 'OK' else ''}")[-1])
    # Dovecot tells of something else where messages may not be expunged.
    said.append("delete " + {"NO": "NO-NOPERM"}.get(deleted, deleted))
    return " ".join(said)


def entries(text):
    return [entry for entry in text.strip().split(", ") if entry and entry != "nothing"]


def write(path, lines):
    # At once: half a list is another.
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write("".join(line + "\n" for line in lines))
    os.rename(path + ".new", path)


def main():
    port, maildir, cases, list_for_all = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
    lines = [line.rstrip("\n") for line in open(cases, encoding="utf-8")]
    cases = [line.split(" / ")[:2] for line in lines if line and line[0] != "#"]
    client = Client(port)
    for number, (own, _) in enumerate(cases):
        assert client.ask(f"CREATE p{number}")[-1].startswith("OK")
        assert client.ask(f"APPEND p{number} {{3+}}~abc")[-1].startswith("OK")
        if entries(own):
            write(f"{maildir}/.p{number}/dovecot-acl", entries(own))
    for_all = [(number, entry) for number, (_, text) in enumerate(cases) for entry in entries(text)]
    # Also for the name that a mailbox has when it is renamed.
    write(list_for_all, [f"p{number}{suffix} {entry}" for number, entry in for_all for suffix in ("", "r")])
    client = Client(port)
    for number, (own, everywhere) in enumerate(cases):
        print(f"{own} / {everywhere} / {outcome(client, f'p{number}')}", flush=True)


main()

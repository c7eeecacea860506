#!/usr/bin/env python3
"""Puts odd mbox files before two servers, and tells where their answers differ.

mbox.py OURS USER DIRECTORY PEER USER DIRECTORY

Each server is a port of this host, a user with the password `secret`, and the directory of the user's folders, which are mbox
files; the peer is Dovecot with `mail_location = mbox:DIRECTORY:INBOX=...` and `separator = /`. Then each server gets the files
that the other has left, and has to show in them what the other has shown. Differences of those that are MEANT are none.
"""
import os
import re
import socket
import sys

PATIENCE_S = 60
X = b"From x@y Tue Mar  5 00:00:00 2024\n"
A = b"From a@b Tue Mar  5 10:11:12 2024\n"
REST = A + b"S: b\n\ny\n\n"
BODY = b"x\n\n" + A + b"y\n"

# Bytes of the whole file.
WHOLE = {
    "parts": {
        "noblank": X + b"S: a\n\nx\n" + A + b"S: b\n\ny\n",
        "blank": X + b"S: a\n\nx\n\n" + A + b"S: b\n\ny\n\n",
        "blanks": X + b"S: a\n\nx\n\n\n" + A + b"S: b\n\ny\n\n\n",
        "unended": X + b"S: a\n\nx",
        "header": X + b"S: a\n",
        "headerblank": X + b"S: a\n\n",
        "headerblanks": X + b"S: a\n\n\n",
        "headerunended": X + b"S: a",
        "fromonly": X,
        "fromblank": X + b"\n",
        "fromblanks": X + b"\n\n",
        "bodyonly": X + b"\nbody\n",
        "headerfrom": X + b"S: a\n" + REST,
        "headerblankfrom": X + b"S: a\n\n" + REST,
        "headerblanksfrom": X + b"S: a\n\n\n" + REST,
        "fromfrom": X + REST,
        "fromblankfrom": X + b"\n" + REST,
        "folded": X + b"S: a\n " + A + b"\nx\n\n",
        "quoted": X + b"S: a\n\n>From here\n\n>>From x\n\n",
        "nofield": X + b"S: a\nno colon here\nT: b\n\nx\n\n",
        "nofields": X + b"no colon here\n\nx\n\n",
        "nul": X + b"S: a\0b\n\nx\0\n\n",
        "long": X + b"S: " + b"x" * 70000 + b"\n\nx\n\n",
        "cr": X + b"S: a\n\nx\ry\r\n\n",
        "none": b"",
    },
    "nombox": {"leading": b"junk\n" + X, "gt": b">" + X, "space": b" " + X, "junk": b"junk", "nobody": b"From nobody\nS: a\n\n"},
}
CRLF = {f"crlf{name}": WHOLE["parts"][name].replace(b"\n", b"\r\n") for name in ("noblank", "blank", "blanks", "headerblank", "headerfrom")}
MIXED = {
    "mixed1": (X + b"S: a\n\nx\n\n").replace(b"\n", b"\r\n") + REST,
    "mixed2": X + b"S: a\n\nx\n\r\n" + REST,
    "mixed3": X + b"S: a\n\nx\r\n\n" + REST,
}


def lengths():
    """Content-Length, which is right where it is `%d`."""
    for number, value in enumerate(["%d", "  %d", " %d ", "\t%d", "%d\r", "0%d", "%d x", "+%d", "-1", "x", "0", "3", "5000", "9" * 23]):
        field = b"Content-Length:" + (value if value[0] in " \t" else " " + value).replace("%d", str(len(BODY))).encode()
        yield f"length{number}", X + b"S: a\n" + field + b"\n\n" + BODY + b"\n" + REST
    right = b"Content-Length: %d\n" % len(BODY)
    for number, (fields, rest) in enumerate([
        (right + b"Content-Length: 2\n", b"\n" + REST), (b"Content-Length: 2\n" + right, b"\n" + REST), (right.upper(), b"\n" + REST),
        (right, b""), (right, b"\n"), (right, b"\n\n"), (right, REST), (right, b"\n\n" + REST), (right, b"\nFrom nobody\n"),
    ]):
        yield f"lengths{number}", X + b"S: a\n" + fields + b"\n" + BODY + rest
    for length in (-1, 1):
        yield f"length{length}", X + b"S: a\nContent-Length: %d\n\n" % (len(BODY) + length) + BODY + b"\n" + REST


# Header fields of the first of two messages.
FIELDS = {
    "status": ["Status: RO", "Status: O", "Status: R", "Status: ORX", "status: ro", "Status : RO", "Status:"],
    "xstatus": ["X-Status: AFTD", "X-Status: aftd", "X-Status: A F", "X-Status:"],
    "keywords": ["X-IMAPbase: 1700000000 10 a b\nX-UID: 3\nX-Keywords: a b", "X-IMAPbase: 1700000000 10 Aa\nX-UID: 3\nX-Keywords: aA"],
    "base": [
        "X-IMAPbase: 1700000000 10", "X-IMAPbase: 1700000000 10\nX-UID: 3", "X-IMAPbase: 1700000000 10\nX-UID: 10",
        "X-IMAPbase: 1700000000 10\nX-UID: 0", "X-IMAPbase: 1700000000 0000000010     \nX-UID: 0000000003   ", "X-IMAPbase: x y",
        "X-IMAPbase: 0 0", "X-IMAPbase: 1700000000", "X-IMAPbase: 4294967296 1", "X-UID: 5", "S: a\nX-IMAPbase: 1700000000 10\nX-UID: 3",
    ],
    "pseudo": ["X-IMAP: 1700000000 10", "Subject: DATA\nX-IMAP: 1700000000 0000000010 kw\nStatus: RO"],
    "others": ["S: a\nStatus: RO\nT: c\nX-Status: A\nU: d", "X-UIDL: abc\nS: a", "Lines: 4\nS: a", "X-IMAPbasex: 1\nXStatus: R"],
}
NUMBERED = {
    "uids": ["X-IMAPbase: 1700000000 10\nX-UID: 5", "X-UID: 7", "S: n"],
    "uidsmissing": ["X-IMAPbase: 1700000000 10", "X-UID: 7"],
    "basesecond": ["S: a", "X-IMAPbase: 1700000000 10\nS: b"],
}

# What stands behind `From ` in a second message: most begin one, some do not.
LINES = """
a@b Tue Mar  5 10:11:12 2024
a@b Tue Mar 5 10:11:12 2024
a@b Tue Mar 05 10:11 2024
a@b  Tue Mar  5 10:11:12 2024
a@b Tue Mar  5 10:11:12 2024 +0100
a@b Tue Mar  5 10:11:12 +0100 2024
a@b Tue Mar  5 10:11:12 CET 2024
a@b Tue Mar  5 10:11:12 2024 CET
a@b Tue Mar  5 10:11:12 2024 remote from x
a@b Tue Mar  5 10:11:12 2024x
a@b Tue, 5 Mar 2024 10:11:12 +0100
a@b Tue, 05 Mar 2024 10:11 CET
a@b 5 Mar 2024
a@b Fri Feb 30 10:11:12 2024
a@b Fri Feb 99 10:61:61 2024
a@b Tue, 32 Mar 2024 10:11:12 +0100
a@b Tue MAR  5 10:11:12 2024
a@b Tue Foo 5 10:11:12 2024
a@b Tue Mar  5 1:11:12 2024
a@b Tue Mar  5 10:11:12 24
a b@c Tue Mar  5 10:11:12 2024
"a b"@c Tue Mar  5 10:11:12 2024
"a \\" b"@c Tue Mar  5 10:11:12 2024
"a b Tue Mar  5 10:11:12 2024
Tue Mar  5 10:11:12 2024
a@b
a@b Tue
a@b\tTue Mar  5 10:11:12 2024
a@b Tuesday Mar  5 10:11:12 2024
a@b Tue March 5 10:11:12 2024
a@b Tue Mar   5 10:11:12 2024
a@b Tue Mar  5  10:11:12 2024
a@b Tue Mar  5 10:11:12  2024
a@b Tue Mar  5 10:11:12 UTC 2024 +0200
a@b Tue Mar  5 10:11:12 AB CD 2024
a@b Tue Mar  5 10:11:12.5 2024
a@b Tue Mar  5 2024 10:11:12
a@b 2024-03-05 10:11:12
a@b Tue 5 Mar 10:11:12 2024
a@b Tue Mar  5 24:00:00 2024
a@b Tue Mar  5 10:11 2024 +0100
"""

# These have a message that ends in its header, without an empty line. We give the last line its end; whether Dovecot does so
# depends on what else it does with the file.
MEANT = {"header", "headerunended", "headerfrom", "crlfheaderfrom", "lengths3", "lengths6"}


def files():
    for group in WHOLE.values():
        yield from group.items()
    yield from CRLF.items()
    yield from MIXED.items()
    yield from lengths()
    for name, headers in FIELDS.items():
        for number, header in enumerate(headers):
            yield f"{name}{number}", X + header.encode() + b"\n\nx\n\n" + REST
    for name, headers in NUMBERED.items():
        yield name, b"".join(A + header.encode() + b"\n\nx\n\n" for header in headers)
    for number, line in enumerate(LINES.strip("\n").splitlines()):
        yield f"line{number}", X + b"S: a\n\nx\n\nFrom " + line.replace("\\t", "\t").encode() + b"\nS: b\n\ny\n\n"


class Server:
    def __init__(self, port, user, directory):
        self.directory = directory
        self.link = socket.create_connection(("127.0.0.1", int(port)), PATIENCE_S)
        self.input = self.link.makefile("rb")
        self.response()
        assert self.ask(f"LOGIN {user} secret")[-1].startswith("a OK")

    def response(self):
        line = self.input.readline()
        assert line, "the server has gone"
        literal = re.search(rb"\{(\d+)\}\r\n$", line)
        return line + self.input.read(int(literal.group(1))) + self.response() if literal else line

    def ask(self, command):
        self.link.sendall(b"a " + command.encode() + b"\r\n")
        answers = []
        while not answers or not answers[-1].startswith("a "):
            answers.append(self.response().decode("latin1").rstrip("\r\n"))
        return answers

    def put(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "wb") as file:
            file.write(text)
        owner = os.stat(self.directory)
        os.chown(path, owner.st_uid, owner.st_gid)

    def left(self, name):
        with open(os.path.join(self.directory, name), "rb") as file:
            return file.read()

    def shown(self, name):
        """The messages, or why there are none."""
        opened = self.ask(f'SELECT "{name}"')
        if not opened[-1].startswith("a OK"):
            return [re.match(r"a \S+( \[\S+\])?", opened[-1]).group(0)]
        told = [line for line in opened if re.match(r"\* \d+ EXISTS|\* OK \[UIDNEXT", line)]
        shown = [re.sub(r"\].*", "]", line) for line in told]
        shown += self.ask("FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")[:-1]
        self.ask("UNSELECT")
        return [re.sub(r" ?\\Recent ?", "", line) for line in shown]


def show(name, answers):
    print(f"differs: {name}")
    for who, answer in zip(("ours", "peer"), answers):
        other = answers[1] if answer is answers[0] else answers[0]
        for line in answer:
            if line not in other:
                print(f"    {who} {line!r}"[:300])


def main():
    ours, peer = Server(*sys.argv[1:4]), Server(*sys.argv[4:7])
    different, count = 0, 0
    for name, text in files():
        count += 1
        answers = []
        for server in (ours, peer):
            server.put(name, text)
            answers.append(server.shown(name))
        if answers[0] != answers[1] and name not in MEANT:
            different += 1
            show(name, answers)
        if answers[0] != answers[1] or name in MEANT or len(answers[0]) < 2:
            continue
        # Each gets the file that the other has left.
        for server, other, expected in ((ours, peer, answers[1]), (peer, ours, answers[0])):
            server.put(f"{name}-again", other.left(name))
            found = server.shown(f"{name}-again")
            if found != expected:
                different += 1
                show(f"{name}, left by {'the peer' if server is ours else 'us'}", [found, expected] if server is ours else [expected, found])
    print(f"{different} of {count} files differ")
    sys.exit(different > 0)


main()

#!/usr/bin/env python3
"""Plays IMAP conversations on two servers and tells where their answers differ.

compare.py OURS:PORT PEER:PORT USER PASSWORD [-k TEXT]

The peer is Dovecot with `separator = .` and special uses for Drafts and Sent; both serve a user of their own without mail
that matters: its folders are removed. Where doveadm is not installed, nothing is done. Fails when something differs that
`conversations.txt` does not mark with `~`.

A conversation begins with `== name`; `mail:` names the messages that lie in its folder $BOX (`*` is all of `messages/`).
Then a command a line, on a connection that has $BOX selected; `2:` before it names a second such connection, `3:` one
without a folder. `{{text}}` is a literal; `?M=expression` keeps what it finds in the last answer as $M; `@each` plays a
command for each message, `~name` behind it marks messages.
"""
import argparse
import os
import re
import shutil
import socket
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE_S = 10


def wire(text):
    return re.sub(rb"\r?\n", b"\r\n", text)


def messages():
    folder = os.path.join(HERE, "messages")
    return {name[:-4]: wire(open(os.path.join(folder, name), "rb").read()) for name in sorted(os.listdir(folder))}


def with_literals(command):
    out = b""
    for place, piece in enumerate(re.split(r"\{\{(.*?)\}\}", command)):
        if place % 2:
            text = piece.encode("latin1").decode("unicode_escape").encode("latin1")
            out += b"{%d+}\r\n" % len(text) + text
        else:
            out += piece.encode()
    return out


class Connection:
    def __init__(self, address, user, password):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), PATIENCE_S)
        self.pending, self.count = b"", 0
        self.response()
        _, reply = self.command(b"LOGIN %s %s" % (user.encode(), password.encode()))
        if not reply.startswith("OK"):
            raise SystemExit(f"{address}: {reply}")

    def more(self):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError
        self.pending += data

    def line(self):
        while b"\n" not in self.pending:
            self.more()
        line, self.pending = self.pending.split(b"\n", 1)
        return line + b"\n"

    def response(self):
        """A response with its literals."""
        text = self.line()
        while True:
            literal = re.search(rb"\{(\d+)\}\r\n$", text)
            if not literal:
                return text[:-2].decode("latin1")
            length = int(literal.group(1))
            while len(self.pending) < length:
                self.more()
            text += self.pending[:length]
            self.pending = self.pending[length:]
            text += self.line()

    def command(self, text):
        """The untagged responses, and the tagged one without its tag."""
        self.count += 1
        tag = f"r{self.count}"
        self.socket.sendall(tag.encode() + b" " + text + b"\r\n")
        untagged = []
        try:
            while True:
                response = self.response()
                if response.startswith(tag + " "):
                    return untagged, response.split(" ", 1)[1]
                untagged.append(response)
        except EOFError:
            return untagged, "(closed)"
        except TimeoutError:
            return untagged, "(nothing)"


class Server:
    def __init__(self, address, user, password):
        self.login = (address, user, password)

    def begin(self, box, mail):
        self.box, self.values, self.open = box, {"BOX": box}, {}
        self.open["3"] = Connection(*self.login)
        self.open["3"].command(b"CREATE " + box.encode())
        for text in mail:
            begin = b'APPEND %s "05-Mar-2024 10:11:12 +0000" {%d+}\r\n' % (box.encode(), len(text))
            _, reply = self.open["3"].command(begin + text)
            assert reply.startswith("OK"), reply

    def play(self, which, command):
        if which not in self.open:
            self.open[which] = Connection(*self.login)
            if which != "3":
                self.open[which].command(b"SELECT " + self.box.encode())
        named = lambda found: self.values.get(found.group(1), found.group(0))
        untagged, reply = self.open[which].command(with_literals(re.sub(r"\$([A-Z]+)", named, command)))
        self.last = "\n".join(untagged + [reply])
        if reply.startswith("("):
            self.open.pop(which).socket.close()
        return [self.plain(response) for response in untagged], self.plain(reply)

    def keep(self, name, expression):
        found = re.search(expression, self.last)
        self.values[name] = found.group(1) if found else "none"

    def plain(self, text):
        """Without times, and numbers that are a server's own."""
        text = re.sub(r" \(\d+\.\d+( \+ \d+\.\d+)+ secs\)", "", text)
        text = re.sub(r"(UIDVALIDITY|APPENDUID|COPYUID) \d+", r"\1 V", text)
        text = re.sub(r"(MODSEQ \(?)\d+", r"\1M", text)
        text = re.sub(r"(\* OK \[[^\]]*\]) .*", r"\1", text)
        return text.replace(self.box, "BOX")

    def end(self):
        for connection in self.open.values():
            connection.socket.close()
        connection = Connection(*self.login)
        for verb, done in (("LIST", b"DELETE "), ("LSUB", b"UNSUBSCRIBE ")):
            for response in connection.command(verb.encode() + b' "" *')[0]:
                named = re.match(r'\* (?:LIST|LSUB) \(.*?\) "." (.*)$', response, re.S)
                if named and named.group(1) != "INBOX":
                    connection.command(done + named.group(1).encode("latin1"))
        connection.command(b"SELECT INBOX")
        connection.command(rb"STORE 1:* +FLAGS.SILENT (\Deleted)")
        connection.command(b"CLOSE")
        connection.socket.close()


def comparable(command, answer):
    """What is compared: no texts for people, and lists in any order."""
    untagged, reply = answer
    untagged = [response for response in untagged if not response.startswith("* OK [MAILBOXID")]
    if re.match("(LIST|LSUB) ", command):
        untagged.sort()
    if re.match("CAPABILITY|ID", command):
        untagged = []
    short = re.match(r"(OK|NO|BAD)( \[[^\]]*\])?", reply)
    return untagged, re.sub(r"\[CAPABILITY.*", "", short.group(0)) if short else reply


def conversations():
    name, mail, commands = None, [], []
    for line in open(os.path.join(HERE, "conversations.txt"), encoding="utf-8").read().splitlines() + ["== "]:
        if line.startswith("== "):
            if name:
                yield name, mail, commands
            name, mail, commands = line[3:], [], []
        elif line.startswith("mail:"):
            mail = [word.strip() for word in line[5:].split(",")]
        elif line and not line.startswith("# "):
            commands.append(line)


def expanded(commands, mail):
    for line in commands:
        if line.startswith("@each "):
            marked = re.findall(r" ~(\S+)", line)
            template = re.sub(r" ~\S+", "", line[6:])
            for number, name in enumerate(mail, 1):
                yield ("~ " if name in marked else "") + template.replace("%", str(number))
        else:
            yield line


def show(command, answers):
    print(f"differs: {command}")
    for who, (untagged, reply) in zip(("ours", "peer"), answers):
        for text in untagged + [reply]:
            print(f"    {who} {text!r}"[:600])


def main():
    if not shutil.which("doveadm"):
        print("doveadm is not installed: nothing is compared")
        return 0
    parser = argparse.ArgumentParser()
    for argument in ("ours", "peer", "user", "password"):
        parser.add_argument(argument)
    parser.add_argument("-k", default="")
    given = parser.parse_args()
    texts = messages()
    servers = [Server(address, given.user, given.password) for address in (given.ours, given.peer)]
    count = known = unknown = 0
    for name, mail, commands in conversations():
        if given.k not in name:
            continue
        mail = sorted(texts) if mail == ["*"] else mail
        box = "Z" + os.urandom(3).hex()
        for server in servers:
            server.begin(box, [texts[one] for one in mail])
        for line in expanded(commands, mail):
            kept = re.match(r"\?([A-Z])=(.*)$", line)
            if kept:
                for server in servers:
                    server.keep(*kept.groups())
                continue
            marked, which, command = re.match(r"(~ )?(?:([23]): )?(.*)$", line).groups()
            answers = [server.play(which or "1", command) for server in servers]
            differ = comparable(command, answers[0]) != comparable(command, answers[1])
            count += 1
            known += bool(differ and marked)
            if differ and not marked:
                unknown += 1
                show(f"{name}: {command}", answers)
        for server in servers:
            server.end()
    print(f"{count} commands, {known} differ as marked, {unknown} differ otherwise")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())

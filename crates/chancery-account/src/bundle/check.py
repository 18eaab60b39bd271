#!/usr/bin/env python3
"""Checks this bundle with Python 3.8 or later and OpenSSL 3, offline: python3 check.py

digests     every file of SHA256SUMS has its digest, and no file is without one
proofs      each proofs/*.tlog-proof leads from its entry to a root that the ledger signed (RFC 6962)
manifests   each releases/*/manifest.dsse.json is signed by the custodian, and its digest is in an entry
exhibit     each entry that exhibit.json cites is proved, and is the one that it says; so is its ledger
releases    each release of exhibit.json is the one of its entry and, where that is here, its manifest

It does not read exhibit.pdf, and says at the end what of exhibit.json nothing here bears out.
"""

import base64
import glob
import hashlib
import json
import os
import subprocess
import sys
import tempfile

DASH = "\u2014 "
wrong = []


def say(good, what):
    print(("ok     " if good else "WRONG  ") + what)
    if not good:
        wrong.append(what)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def keys(path):
    """The Ed25519 keys of a vkey file, by key id."""
    found = {}
    for line in read(path).decode().split("\n") if os.path.exists(path) else []:
        if line.count("+") >= 2:
            name, key_id, key = line.split("+", 2)
            key = base64.b64decode(key)
            if key[:1] == b"\x01" and sha256(name.encode(), b"\n", key)[:4].hex() == key_id:
                found[name, key_id] = key[1:]
    return found


def signed(key, message, signature):
    """Whether OpenSSL accepts an Ed25519 signature."""
    with tempfile.TemporaryDirectory() as folder:
        parts = {"key": bytes.fromhex("302a300506032b6570032100") + key}
        parts.update(message=message, signature=signature)
        for name, part in parts.items():
            with open(os.path.join(folder, name), "wb") as file:
                file.write(part)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-rawin"]
        command += ["-inkey", "key", "-in", "message", "-sigfile", "signature"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.run(command, cwd=folder, check=False, **quiet).returncode == 0


def root_of(leaf, index, size, path):
    """The root to which a path leads (RFC 9162, section 2.1.3.2), or nothing."""
    at, last, found = index, size - 1, leaf
    if index >= size:
        return None
    for other in path:
        if last == 0:
            return None
        if at & 1 or at == last:
            found = sha256(b"\x01", other, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = sha256(b"\x01", found, other)
        at, last = at >> 1, last >> 1
    return found if last == 0 else None


def check_digests():
    listed = set()
    for line in read("SHA256SUMS").decode().splitlines():
        digest, path = line.split("  ", 1)
        listed.add(path)
        good = os.path.isfile(path) and hashlib.sha256(read(path)).hexdigest() == digest
        say(good, "digest of " + path)
    for folder, _, names in os.walk("."):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), ".").replace(os.sep, "/")
            if path not in listed and path != "SHA256SUMS":
                say(False, path + " is not in SHA256SUMS")


def check_proof(path, ledger):
    """The entry that a proof proves, with its index, and the tree that it is in."""
    head, note = read(path).decode().split("\n\n", 1)
    lines = head.split("\n")
    assert lines.pop(0) == "c2sp.org/tlog-proof@v1", "not a proof"
    assert lines[0].startswith("extra "), "brings no entry along"
    entry = base64.b64decode(lines.pop(0)[6:])
    index = int(lines.pop(0)[6:])
    hashes = [base64.b64decode(line) for line in lines]
    text, signatures = note.split("\n\n", 1)
    text += "\n"
    size, root = text.split("\n")[1:3]
    before = len(wrong)
    leads = root_of(sha256(b"\x00", entry), index, int(size), hashes)
    say(leads == base64.b64decode(root), "%s: entry %d is in the tree of %s" % (path, index, size))
    good = []
    for line in signatures.split("\n"):
        if line.startswith(DASH):
            name, signature = line[len(DASH):].rsplit(" ", 1)
            signature = base64.b64decode(signature)
            key = ledger.get((name, signature[:4].hex()))
            if key:
                good.append(signed(key, text.encode(), signature[4:]))
    say(bool(good) and all(good), path + ": the ledger signed that tree (Ed25519)")
    assert len(wrong) == before, "proves nothing"
    return index, entry, (int(size), root)


def check_exhibit(entries, trees, manifests):
    exhibit = json.loads(read("exhibit.json"))
    appendix = exhibit["appendix"]
    held = (appendix["size"], appendix["root"]) in trees
    say(held, "exhibit: the ledger of its appendix is one that a proof leads to")
    leaves = {index: sha256(b"\x00", entry).hex() for index, entry in entries.items()}
    for row in appendix["entries"]:
        proved = leaves.get(row["index"]) == row["leaf"]
        say(proved, "exhibit: entry %d is proved, and has that leaf hash" % row["index"])
    cited = [fact["entries"] for part in exhibit["sections"] for fact in part["paragraphs"]]
    cited.extend(matrix["entries"] for matrix in exhibit["matrices"])
    for index in sorted({index for indices in cited for index in indices} - set(leaves)):
        say(False, "exhibit: entry %d is cited, and not proved here" % index)
    return [check_release(row, entries, manifests) for row in exhibit["releases"]]


def check_release(row, entries, manifests):
    """Whether a release's manifest is here, and bears out to whom it went and about how many people."""
    entry, at = json.loads(entries.get(row["entry"], b"{}")), "exhibit: entry %d" % row["entry"]
    named = entry.get("manifest") == "sha256:" + row["manifest"]
    say(named, "%s has the manifest of %s" % (at, row["id"]))
    is_it = entry.get("type") == "release" and entry.get("id") == row["id"]
    say(is_it, "%s is the release %s" % (at, row["id"]))
    say(entry.get("on") == row["date"], "%s is of the day %s" % (at, row["date"]))
    predicate = manifests.get("sha256:" + row["manifest"])
    if predicate is None:
        held = "to whom: the entry says %s, the exhibit %s" % (entry.get("recipient"), row["recipient"])
        print("-      exhibit: %s comes without its manifest; %s" % (row["id"], held))
        return False
    of = "exhibit: the manifest of %s says " % row["id"]
    recipient = predicate["recipient"]
    to = recipient["agency"] == entry.get("recipient")
    say(to and recipient["name"] == row["recipient"], of + "that it went to " + row["recipient"])
    say(predicate["on"] == row["date"], of + "that it is of the day " + row["date"])
    counted = isinstance(row["people"], int)
    if counted:
        people = predicate["subjects"]["released"] == row["people"]
        say(people, of + "that it is about %d people" % row["people"])
    return counted


def tell(held):
    """What was held against the evidence, and what was not."""
    print()
    print("Held against the ledger's entries: id, day and manifest of %d releases." % len(held))
    print("Held against signed manifests: recipient and people of %d of them." % sum(held))
    if not all(held):
        print("The names of recipients and the people of the others are the maker's words.")
    print("The paragraphs and charts are the maker's words: no check here bears out what they say, nor")
    print("purposes, elements, matrices and words of the law, nor that nothing was left out. This does")
    print("not read exhibit.pdf: compare its table of releases with exhibit.json.")
    print()


def check_manifest(path, custodian, entries):
    """The digest of a manifest and what it says, if the custodian signed it."""
    manifest = read(path)
    envelope = json.loads(manifest)
    kind, payload = envelope["payloadType"], base64.b64decode(envelope["payload"])
    message = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
    known = {key_id: key for (_, key_id), key in custodian.items()}
    good = [
        signed(known[one["keyid"]], message, base64.b64decode(one["sig"]))
        for one in envelope["signatures"]
        if one["keyid"] in known
    ]
    say(bool(good) and all(good), path + ": the custodian signed it (Ed25519)")
    digest = "sha256:" + hashlib.sha256(manifest).hexdigest()
    held = any(json.loads(entry).get("manifest") == digest for entry in entries)
    say(held, path + ": its digest is in an entry that is proved")
    return digest, json.loads(payload)["predicate"] if good and all(good) else None


def main():
    os.chdir(os.path.dirname(os.path.abspath(__file__)))
    check_digests()
    ledger, custodian = keys("keys/ledger.vkey"), keys("keys/custodian.vkey")
    entries, trees = {}, set()
    receipts = glob.glob("releases/*/receipt.tlog-proof")
    for path in sorted(glob.glob("proofs/*.tlog-proof") + receipts):
        try:
            index, entry, tree = check_proof(path, ledger)
            entries[index] = entry
            trees.add(tree)
        except (AssertionError, ValueError, IndexError) as problem:
            say(False, "%s: %s" % (path, problem))
    manifests, held = {}, []
    for path in sorted(glob.glob("releases/*/manifest.dsse.json")):
        try:
            digest, predicate = check_manifest(path, custodian, entries.values())
            manifests[digest] = predicate
        except (KeyError, TypeError, ValueError) as problem:
            say(False, "%s: %s" % (path, problem))
    try:
        held = check_exhibit(entries, trees, manifests)
    except (KeyError, TypeError, ValueError) as problem:
        say(False, "exhibit.json: %s" % problem)
    tell(held)
    print("All that can be checked here holds." if not wrong else "%d checks failed." % len(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

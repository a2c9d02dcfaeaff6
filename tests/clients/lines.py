"""A script: JSON texts in lines, with nothing but Python's standard library.

python3 lines.py SOCKET TREE
"""

import json
import socket
import sys

path, tree = sys.argv[1:3]
connection = socket.socket(socket.AF_UNIX)
connection.connect(path)
lines = connection.makefile("rw", encoding="utf-8", newline="\n")


def send(message):
    lines.write(json.dumps(message) + "\n")
    lines.flush()


def call(id, method, params):
    send({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
    return json.loads(lines.readline())


query = {"patterns": ["kettle"], "cwd": tree}
found = call(1, "index.search", {"query": query})["result"]
print("search:", " | ".join(f"{m['path']}: {m['text']}" for m in found["matches"]))

send([
    {"jsonrpc": "2.0", "id": 2, "method": "daemon.ping"},
    {"jsonrpc": "2.0", "method": "nobody.listens", "params": [1]},
    {"jsonrpc": "2.0", "id": 3, "method": "index.files", "params": {"query": {"dir": tree}}},
    "nonsense",
])
batch = sorted(json.loads(lines.readline()), key=lambda answer: str(answer["id"]))
print("batch:", [(answer["id"], "result" in answer) for answer in batch])

lines.write("}\n")
lines.flush()
error = json.loads(lines.readline())
print("error:", error["id"], error["error"]["code"], error["error"]["data"]["kind"])

# The last line needs no end, and is answered to a half that is closed.
lines.write(json.dumps({"jsonrpc": "2.0", "id": "last", "method": "daemon.ping"}))
lines.flush()
connection.shutdown(socket.SHUT_WR)
print("last:", json.loads(lines.readline())["id"], repr(lines.readline()))

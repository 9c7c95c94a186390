"""A slow AWS API: repeats another API's answers, long lists in short pages, each after a set time.

Run as ``python -m benchmarks.slow_server UPSTREAM SECONDS ITEMS``; it prints its URL. The first time that something is
asked it is fetched from the API at UPSTREAM and kept; from then on the answer comes from memory, SECONDS after the
request was read. Lists of the EC2 API are cut into pages of ITEMS.
"""

from __future__ import annotations

import asyncio
import re
import sys
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

__all__ = ["main"]

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_HOP = frozenset({"connection", "content-length", "host", "transfer-encoding", "expect", "amz-sdk-invocation-id",
                  "amz-sdk-request", "x-amz-date", "authorization"})  # fmt: skip


class _Asked(NamedTuple):
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


class _Answer(NamedTuple):
    status: int
    kind: str
    body: bytes


class _SlowApi:
    """Answers kept by what was asked, without signatures, times and page tokens."""

    def __init__(self, upstream: str, seconds: float, items: int) -> None:
        self._upstream = upstream
        self._seconds = seconds
        self._items = items
        self._kept: dict[tuple[object, ...], list[_Answer]] = {}
        self._lock = asyncio.Lock()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while True:
                asked = await _read(reader)
                started = asyncio.get_running_loop().time()
                answer = await self._answer(asked)
                await asyncio.sleep(max(0.0, started + self._seconds - asyncio.get_running_loop().time()))
                head = (
                    f"HTTP/1.1 {answer.status} X\r\nContent-Type: {answer.kind}\r\nContent-Length: {len(answer.body)}"
                )
                writer.write(head.encode() + b"\r\n\r\n" + (b"" if asked.method == "HEAD" else answer.body))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _answer(self, asked: _Asked) -> _Answer:
        form = dict(parse_qsl(asked.body.decode("utf-8", "replace"))) if b"Action=" in asked.body else {}
        number = int(form.pop("NextToken", "0"))
        form.pop("MaxResults", None)
        headers = dict(asked.headers)
        scope = re.search(r"Credential=[^/]+/\d+/([^/]+/[^/]+)/", headers.get("authorization", ""))
        body = urlencode(form).encode() if form else asked.body
        place = "" if scope is None else scope.group(1)
        key = (place, asked.method, asked.path, headers.get("x-amz-target", ""), body)
        async with self._lock:
            if key not in self._kept:
                fetched = await asyncio.to_thread(self._fetch, asked, body)
                self._kept[key] = _pages(fetched, self._items) if "/ec2" in place else [fetched]
        return self._kept[key][number]

    def _fetch(self, asked: _Asked, body: bytes) -> _Answer:
        headers = {name: value for name, value in asked.headers if name not in _HOP - {"authorization", "x-amz-date"}}
        request = urllib.request.Request(self._upstream + asked.path, body or None, headers, method=asked.method)
        try:
            with urllib.request.urlopen(request) as response:
                return _Answer(response.status, response.headers.get("Content-Type", ""), response.read())
        except urllib.error.HTTPError as error:
            return _Answer(error.code, error.headers.get("Content-Type", ""), error.read())


async def _read(reader: asyncio.StreamReader) -> _Asked:
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    body = await reader.readexactly(int(length.group(1))) if length else b""
    first, *lines = head.decode("latin-1").strip().split("\r\n")
    method, path, _ = first.split(" ", 2)
    pairs = (line.split(":", 1) for line in lines)
    return _Asked(method, path, tuple((name.strip().lower(), value.strip()) for name, value in pairs), body)


def _pages(answer: _Answer, items: int) -> list[_Answer]:
    """Cut the list of an EC2 answer into pages; each but the last names the number of the next."""
    if answer.status != 200:
        return [answer]
    root = ET.fromstring(answer.body)
    space = root.tag.partition("}")[0] + "}"
    lists = [child for child in root if child.find(f"{space}item") is not None]
    if len(lists) != 1 or len(lists[0]) <= items:
        return [answer]
    every = list(lists[0])
    ET.register_namespace("", space.strip("{}"))
    found: list[_Answer] = []
    for start in range(0, len(every), items):
        lists[0][:] = every[start : start + items]
        for token in root.findall(f"{space}nextToken"):
            root.remove(token)
        if start + items < len(every):
            ET.SubElement(root, f"{space}nextToken").text = str(len(found) + 1)
        found.append(answer._replace(body=ET.tostring(root)))
    return found


async def _serve(upstream: str, seconds: float, items: int) -> None:
    server = await asyncio.start_server(_SlowApi(upstream, seconds, items).serve, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


def main() -> None:
    """Serve until the process is ended."""
    asyncio.run(_serve(sys.argv[1], float(sys.argv[2]), int(sys.argv[3])))


if __name__ == "__main__":
    main()

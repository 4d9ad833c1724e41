"""A repository to read specs from, on disk and behind a real smart-HTTP server on loopback."""

import asyncio
import contextlib
import os
import ssl
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

AUTHOR = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_AUTHOR_DATE": "2026-11-20T12:00:00Z",
    "GIT_COMMITTER_DATE": "2026-11-20T12:00:00Z",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "PATH": os.environ["PATH"],
}


class Origin:
    """A bare repository that is written object by object: no work tree, so any content goes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)
        self.git("init", "-q", "--bare", "-b", "main")
        self.git("config", "uploadpack.allowFilter", "true")

    def git(self, *arguments: str, data: bytes = b"", env: Mapping[str, str] = AUTHOR) -> str:
        command = ["git", "-C", str(self.path), *arguments]
        done = subprocess.run(command, input=data, capture_output=True, env=env, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()

    def blob(self, content: str | bytes) -> str:
        data = content.encode() if isinstance(content, str) else content
        return self.git("hash-object", "-w", "--stdin", data=data)

    def commit(
        self, files: Mapping[str, str | bytes], *parents: str, branch: str = "main", **entries: str
    ) -> str:
        """A commit of exactly these files; ``entries`` are ``mode,object`` by path, for what is
        no plain file."""
        index = AUTHOR | {"GIT_INDEX_FILE": str(self.path / "building-index")}
        (self.path / "building-index").unlink(missing_ok=True)
        lines = [f"100644 {self.blob(data)}\t{path}" for path, data in files.items()]
        lines += [f"{one.replace(',', ' ')}\t{path}" for path, one in entries.items()]
        text = "\0".join([*lines, ""]).encode()
        self.git("update-index", "-z", "--index-info", data=text, env=index)
        return self.commit_tree(
            self.git("write-tree", "--missing-ok", env=index), *parents, branch=branch
        )

    def commit_tree(self, tree: str, *parents: str, branch: str = "main") -> str:
        flags = [word for parent in parents for word in ("-p", parent)]
        commit = self.git("commit-tree", "-m", f"on {branch}", *flags, tree)
        self.git("update-ref", f"refs/heads/{branch}", commit)
        return commit

    def tree(self, *entries: tuple[str, str, bytes]) -> str:
        """A tree object with any names at all: (mode, object, name)."""
        data = b"".join(
            mode.lstrip("0").encode() + b" " + name + b"\0" + bytes.fromhex(oid)
            for mode, oid, name in entries
        )
        flags = ("-t", "tree", "-w", "--stdin", "--literally")
        return self.git("hash-object", *flags, data=data)


class Server:
    """``git http-backend`` behind HTTP, which may ask for a header, wait, fail or hang up."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = ""
        self.authorization = ""
        """What a client must send."""
        self.status = 0
        """Answer everything so."""
        self.echo = ""
        """Refuse everything with these words."""
        self.seen: list[tuple[str, str]] = []
        """Method and path of every request."""
        self.sent_authorization: set[str] = set()
        self.cut = 0
        """Hang up in the middle of that many fetches."""
        self.gate: asyncio.Event | None = None
        """Fetches wait for it."""
        self.waiting = asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append((request.method, request.path))
        self.sent_authorization.add(request.headers.get("Authorization", ""))
        if self.status:
            headers = {"Location": "https://elsewhere.example/x.git/info/refs"}
            return web.Response(status=self.status, headers=headers if self.status < 400 else {})
        if self.authorization and request.headers.get("Authorization") != self.authorization:
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="git"'})
        if self.echo:
            return web.Response(
                body=packets("# service=git-upload-pack\n", "", f"ERR {self.echo}"),
                content_type="application/x-git-upload-pack-advertisement",
            )
        body = await request.read()
        fetching = b"command=fetch" in body
        if fetching and self.gate is not None:
            self.waiting.set()
            await self.gate.wait()
        status, headers, answer = await self._backend(request, body)
        if fetching and self.cut:
            self.cut -= 1
            return await self._hang_up(request, headers, answer)
        return web.Response(status=status, headers=headers, body=answer)

    async def _backend(
        self, request: web.Request, body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        env = AUTHOR | {
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": request.path,
            "QUERY_STRING": request.query_string,
            "REQUEST_METHOD": request.method,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        }
        process = await asyncio.create_subprocess_exec(
            *("git", "http-backend"),
            env=env,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate(body)
        head, _, answer = output.partition(b"\r\n\r\n")
        pairs = [line.partition(": ") for line in head.decode().splitlines()]
        headers = {name: value for name, _, value in pairs}
        status = int(headers.pop("Status", "200").split()[0])
        return status, headers, answer

    async def _hang_up(
        self, request: web.Request, headers: dict[str, str], answer: bytes
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers=headers)
        response.content_length = len(answer)
        await response.prepare(request)
        await response.write(answer[: len(answer) // 2])
        assert request.transport is not None
        request.transport.abort()
        return response


def packets(*lines: str) -> bytes:
    """As Git frames them on the wire; "" ends a section."""
    return "".join(f"{len(line) + 4:04x}{line}" if line else "0000" for line in lines).encode()


@asynccontextmanager
async def serving(root: Path, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server(root)
    app = web.Application(client_max_size=1 << 24)
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    server.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    try:
        yield server
    finally:
        if server.gate is not None:
            server.gate.set()
        with contextlib.suppress(asyncio.CancelledError):
            await runner.cleanup()

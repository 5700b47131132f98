"""A folder to serve, and paths that try to get out of it or at what it hides."""

import os
import socket
from pathlib import Path
from typing import Final

# As they are sent, after `/files/`. None of these is a path of names at all.
NOWHERE: Final = [
    b"",
    b"/",
    b".",
    b"..",
    b"../outside.txt",
    b"../../../../../../etc/passwd",
    b"sub/../../outside.txt",
    b"sub/../plain.txt",
    b"./plain.txt",
    b"sub/./deep.txt",
    b"%2e%2e/outside.txt",
    b"%2E%2e/outside.txt",
    b".%2e/outside.txt",
    b"..%2foutside.txt",
    b"%2e%2e%2foutside.txt",
    b"%2e%2e%5coutside.txt",
    b"..\\outside.txt",
    b"..%5coutside.txt",
    b"sub\\deep.txt",
    b"sub%2fdeep.txt",
    b"..;/outside.txt",
    b"%c0%ae%c0%ae/outside.txt",
    b"%c0%af..%c0%afoutside.txt",
    b"%e0%80%ae%e0%80%ae/outside.txt",
    b"/etc/passwd",
    b"//etc/passwd",
    b"%2fetc%2fpasswd",
    b"%2f%2fetc/passwd",
    b"%5c%5cserver%5cshare",
    b"plain.txt/",
    b"plain.txt%2f",
    b"sub/",
    b"sub//deep.txt",
    b"plain.txt%00",
    b"plain.txt%00.png",
    b"%00",
    b"..%00/outside.txt",
    b"plain.txt%0a",
    b"plain%0d%0aset-cookie:x.txt",
    b"plain.txt%7f",
    b"plain.txt%c2%85",
    b".env",
    b"%2eenv",
    b".git/config",
    b"sub/.hidden",
    b"sub/.git/config",
    b"...",
    b"%",
    b"plain.txt%",
    b"plain.txt%2",
    b"%zz",
    b"%u002e%u002e/outside.txt",
    b"%ff",
    b"%ed%a0%80",
    b"\xff",
]

# These are paths of names, under which there is no file that is served.
NOT_SERVED: Final = [
    b"%252e%252e/outside.txt",
    b"%25252e%25252e/outside.txt",
    b"x..%252foutside.txt",
    b"link.txt",
    b"link-inside.txt",
    b"link-to-folder/outside.txt",
    b"link-to-folder",
    b"link-to-itself",
    b"link-to-device",
    b"sub",
    b"empty-folder",
    b"pipe",
    b"socket",
    b"plain.txt/deeper",
    b"PLAIN.TXT",
    b"Plain.txt",
    b"plain.txt.",
    b"plain.txt%20",
    b"plain.txt::$DATA",
    b"PLAIN~1.TXT",
    b"CON",
    b"nul.txt",
    b"COM1",
    b"aux",
    b"C:/Windows/win.ini",
    b"dev/null",
    b"proc/self/environ",
    b"~root/profile",
    b"missing.txt",
    b"a" * 255,
    b"a" * 256,
    b"a" * 5000,
    b"a/" * 2000 + b"a",
    b"%f0%9f%92%a9",
    b"*",
    b"pla*n.txt",
    b"file:plain.txt",
]

# The content of every file that must not be read.
OUTSIDE: Final = b"what is outside or hidden"

SERVED: Final = {
    "plain.txt": b"0123456789",
    "sub/deep.txt": b"deep",
    "sub/sub/sub/deepest.txt": b"deepest",
    "empty.txt": b"",
    "two words.txt": b"two",
    "n\u00e4me.txt": b"umlaut",
    'a"b.zip': b"quote",
    "100%.txt": b"percent",
    "page.html": b"<script>alert(1)</script>",
    "large.bin": bytes(range(256)) * 3000,
}


def make_tree(folder: Path) -> Path:
    """Make a folder to serve, with everything in it that may not be; gives the folder."""
    root = folder / "served"
    for name, content in SERVED.items():
        _write(root / name, content)
    for name in ("outside.txt", "served-too/outside.txt", "served/.env", "served/.git/config"):
        _write(folder / name, OUTSIDE)
    for name in ("sub/.hidden", "sub/.git/config", "..."):
        _write(root / name, OUTSIDE)
    (root / "empty-folder").mkdir()
    (root / "link.txt").symlink_to(folder / "outside.txt")
    (root / "link-inside.txt").symlink_to("plain.txt")
    (root / "link-to-folder").symlink_to("..")
    (root / "link-to-itself").symlink_to("link-to-itself")
    (root / "link-to-device").symlink_to("/dev/zero")
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(root / "socket"))
    return root


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)

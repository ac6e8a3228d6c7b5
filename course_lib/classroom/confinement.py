"""Confines a process before it runs a student's code, so that it changes nothing outside its own folder.

Three mechanisms, each used where the system has it: limits on memory, time and the size of files (Linux, macOS);
Landlock, by which Linux refuses to write outside a folder or to connect anywhere; and Python's audit events (every
system), which also tell what was tried. Audit events alone do not stop native code.
"""

import ctypes
import os
import struct
import sys
from collections.abc import Callable

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
ON_PATHS = {"os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.chown"}
ON_PATHS |= {"os.truncate", "os.utime", "os.setxattr", "os.removexattr", "shutil.rmtree", "shutil.move"}
FORBIDDEN = {
    *("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "pty.spawn"),
    *(
        "os.startfile",
        "os.kill",
        "os.killpg",
        "ctypes.dlopen",
        "ctypes.dlsym",
        "resource.setrlimit",
        "resource.prlimit",
    ),
    *("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo"),
    *("socket.gethostbyname", "sqlite3.connect", "webbrowser.open"),
}
# Landlock: three system calls, with the same numbers on every processor
CREATE_RULESET = 444
ADD_RULE = 445
RESTRICT_SELF = 446
NO_NEW_PRIVILEGES = 38  # prctl
BENEATH_PATH = 1
WRITE_ACCESS = {1: 0b1_1111_1111_0010, 2: 0b11_1111_1111_0010, 3: 0b111_1111_1111_0010}  # by version: all that writes
WRITE_FILE = 0b10
TCP = 0b11  # bind and connect, from version 4
SCOPES = 0b11  # signals and abstract sockets beyond this process, from version 6


def limit_resources(memory: int, address_space: int, seconds: int, file_size: int) -> None:
    """Sets hard limits, in bytes and seconds of computing from now on; does nothing on Windows, which has none."""
    try:
        import resource
    except ImportError:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + (os.cpu_count() or 1) * (seconds + 5)  # the clock ends it before
    for name, value in {
        "RLIMIT_DATA": memory,
        "RLIMIT_AS": address_space,
        "RLIMIT_CPU": seconds,
        "RLIMIT_FSIZE": file_size,
        "RLIMIT_CORE": 0,
    }.items():
        try:
            resource.setrlimit(getattr(resource, name), (value, value))
        except (AttributeError, ValueError, OSError):  # macOS has no working limit on the address space
            continue


def lock_folder(folder: str) -> bool:
    """Lets this process write only beneath `folder`, and connect nowhere, by Landlock; returns whether it does."""
    if sys.platform != "linux":
        return False
    system = ctypes.CDLL(None, use_errno=True)
    version = system.syscall(CREATE_RULESET, None, 0, 1)
    if version < 1:
        return False
    writes = WRITE_ACCESS[min(version, 3)]
    ruleset = struct.pack("QQQ", writes, TCP if version >= 4 else 0, SCOPES if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    rules = system.syscall(CREATE_RULESET, ruleset, size, 0)
    if rules < 0:
        return False
    for path, access in ((folder, writes), (os.devnull, WRITE_FILE)):
        opened = os.open(path, os.O_PATH)
        system.syscall(ADD_RULE, rules, BENEATH_PATH, struct.pack("=Qi", access, opened), 0)
        os.close(opened)
    system.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    locked = system.syscall(RESTRICT_SELF, rules, 0) == 0
    os.close(rules)
    return locked


def watch(folder: str, tell: Callable[[str], None]) -> None:
    """Refuses, from now on and for good, what a student's function has no need of, and tells what was tried."""
    folder = os.path.realpath(folder)

    def refuse(event: str, arguments: tuple) -> None:
        tried = _what_is_forbidden(event, arguments, folder)
        if tried:
            tell(tried)
            raise PermissionError(f"not allowed here: {tried}")

    sys.addaudithook(refuse)


def _what_is_forbidden(event: str, arguments: tuple, folder: str) -> str:
    """What was tried that is not allowed, in words; "" where it is allowed."""
    if event in FORBIDDEN:
        return f"{event} {_short(arguments[:1])}"
    if event == "open":
        path, mode, flags = arguments
        writes = bool(set(mode or "") & set("wax+")) or bool((flags or 0) & WRITING)
        return f"to write {_short(path)}" if writes and not _is_inside(path, folder) else ""
    if event in ON_PATHS:
        outside = [path for path in arguments[:2] if not _is_inside(path, folder)]
        return f"{event} {_short(outside[0])}" if outside else ""
    return ""


def _is_inside(path: object, folder: str) -> bool:
    """Whether `path` is beneath `folder`; what is no path, an open file for one, was asked about before."""
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    if not isinstance(path, (str, os.PathLike)):
        return True
    real = os.path.realpath(path)
    return real == folder or real.startswith(folder + os.sep) or real == os.devnull


def _short(value: object) -> str:
    return str(value)[:80]

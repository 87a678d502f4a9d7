"""Take from this process what reading a hostile file does not need, by Landlock and seccomp on Linux.

Landlock (https://docs.kernel.org/userspace-api/landlock.html) leaves it the files that it may read;
seccomp (https://docs.kernel.org/userspace-api/seccomp_filter.html) refuses system calls that change
files, connect, start programs or reach into other processes. Neither needs a privilege, and neither can
be undone. Numbers and structures are those of the kernel's headers: linux/landlock.h, linux/seccomp.h,
linux/bpf_common.h, asm/unistd_64.h for x86_64 and asm-generic/unistd.h for aarch64.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# The columns of the tables of system calls, and what seccomp calls the architectures.
_COLUMNS = {"x86_64": 0, "aarch64": 1}
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
Numbers = tuple[int | None, int | None]

# Refused with EPERM, whatever their arguments.
_REFUSED: dict[str, Numbers] = {
    # Changes to files and folders.
    "creat": (85, None),
    "truncate": (76, 45),
    "ftruncate": (77, 46),
    "fallocate": (285, 47),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "rmdir": (84, None),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "link": (86, None),
    "linkat": (265, 37),
    "symlink": (88, None),
    "symlinkat": (266, 36),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "lchown": (94, None),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "setxattrat": (463, 463),
    "removexattrat": (466, 466),
    "file_setattr": (469, 469),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "open_by_handle_at": (304, 265),
    # Mounts and other roots.
    "mount": (165, 40),
    "umount2": (166, 39),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "open_tree_attr": (467, 467),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "acct": (163, 89),
    # Connections, and messages to other processes.
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "sendmmsg": (307, 269),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "semget": (64, 190),
    "semop": (65, 193),
    "semtimedop": (220, 192),
    "semctl": (66, 191),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "mq_timedsend": (242, 182),
    "mq_timedreceive": (243, 183),
    "mq_notify": (244, 184),
    # Other processes.
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "kcmp": (312, 272),
    "setns": (308, 268),
    "unshare": (272, 97),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "setrlimit": (160, 164),
    # Other users and rights.
    "setuid": (105, 146),
    "setgid": (106, 144),
    "setreuid": (113, 145),
    "setregid": (114, 143),
    "setresuid": (117, 147),
    "setresgid": (119, 149),
    "setfsuid": (122, 151),
    "setfsgid": (123, 152),
    "setgroups": (116, 159),
    "capset": (126, 91),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    # The system.
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "fanotify_init": (300, 262),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "syslog": (103, 116),
    "vhangup": (153, 58),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
    "personality": (135, 92),
    "lookup_dcookie": (212, 18),
    "nfsservctl": (180, 42),
    "uselib": (134, None),
    "ustat": (136, None),
    "_sysctl": (156, None),
}
# Refused with ENOSYS, as in a kernel without them: seccomp cannot look at what they are given, and
# libraries then use the older call, which it can look at.
_MISSING: dict[str, Numbers] = {
    "clone3": (435, 435),
    "openat2": (437, 437),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
}
# Refused by their arguments, or called here.
_OTHERS: dict[str, Numbers] = {
    "open": (2, None),
    "openat": (257, 56),
    "clone": (56, 220),
    "kill": (62, 129),
    "tgkill": (234, 131),
    "prlimit64": (302, 261),
    "ioctl": (16, 29),
    "fcntl": (72, 25),
    "seccomp": (317, 277),
    "landlock_create_ruleset": (444, 444),
    "landlock_add_rule": (445, 445),
    "landlock_restrict_self": (446, 446),
}

# A program of classic BPF on struct seccomp_data: int nr; __u32 arch; __u64 instruction_pointer;
# __u64 args[6]. Both architectures are little-endian, so that the low half of an argument comes first.
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16
_LOAD, _RETURN = 0x20, 0x06  # BPF_LD | BPF_W | BPF_ABS, BPF_RET | BPF_K
_IF_EQUAL, _IF_AT_LEAST, _IF_ANY_BIT = (
    0x15,
    0x35,
    0x45,
)  # BPF_JMP | BPF_JEQ, BPF_JGE, BPF_JSET | BPF_K
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000  # SECCOMP_RET_…
_X32 = 0x40000000  # the bit of the x86_64 kernel's other set of calls
_SET_MODE_FILTER, _TSYNC, _GET_ACTION_AVAIL = 1, 1, 2
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_THREAD = 0x10000
_O_TMPFILE = 0o20000000
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | _O_TMPFILE
# Of ioctl: type on a terminal (TIOCSTI, TIOCLINUX) or change its line discipline (TIOCSETD).
_TERMINAL = (0x5412, 0x541C, 0x5423)
# Of fcntl: have signals sent to a process (F_SETOWN, F_SETSIG, F_SETOWN_EX).
_SIGNALS = (8, 10, 15)

# LANDLOCK_ACCESS_FS_…: the first 13 are in every version, REFER, TRUNCATE and IOCTL_DEV came later.
_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_NET_RIGHTS = 0b11  # LANDLOCK_ACCESS_NET_BIND_TCP, …_CONNECT_TCP: from version 4
_SCOPES = 0b11  # LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET, …_SIGNAL: from version 6
_PATH_BENEATH = 1

# What Python and its libraries may still read besides their own folders.
_SYSTEM = (
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/nix/store", "/gnu/store"),
    *("/etc/ld.so.cache", "/etc/localtime", "/usr/share/zoneinfo", "/sys/devices/system/cpu"),
    *("/dev/null", "/dev/urandom", "/proc/cpuinfo", "/proc/meminfo"),
)

Instruction = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Protections:
    """What holds a process; `landlock` is the version that the kernel speaks, 0 where it has none."""

    limits: bool = False
    landlock: int = 0
    seccomp: bool = False

    def __str__(self) -> str:
        named = {
            "limits": self.limits,
            f"Landlock (version {self.landlock})": self.landlock,
            "seccomp": self.seccomp,
        }
        return ", ".join(name for name, active in named.items() if active) or "none"


def confine(readable: Iterable[str | Path]) -> tuple[int, bool]:
    """Confine this process for good: the version of Landlock, or 0, and whether seccomp holds it.

    Below the paths that are `readable`, and the libraries of Python and the system, files can still be
    read. Landlock holds this thread and those that it starts, seccomp all of them.
    """
    if sys.platform != "linux" or ctypes.sizeof(ctypes.c_void_p) != 8:
        return 0, False
    machine = os.uname().machine
    if machine not in _COLUMNS:
        return 0, False
    kernel = _Kernel(_COLUMNS[machine])
    # Else only a process with privileges may confine itself.
    if kernel.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return 0, False
    version = _use_landlock(kernel, [*readable, *sys.path, sys.prefix, sys.base_prefix, *_SYSTEM])
    return version, _use_seccomp(kernel, machine)


class _Kernel:
    """System calls by their names."""

    def __init__(self, column: int) -> None:
        self._library = ctypes.CDLL(None, use_errno=True)
        self._column = column

    def number(self, name: str) -> int | None:
        """The number of a call; None where this architecture has no such call."""
        return _OTHERS[name][self._column]

    def call(self, name: str, *arguments: object) -> int:
        """What it returns, -1 for an error."""
        values = [
            ctypes.c_long(one) if isinstance(one, int) else one
            for one in (self.number(name), *arguments)
        ]
        return int(self._library.syscall(*values))

    def prctl(self, *arguments: int) -> int:
        return int(self._library.prctl(*map(ctypes.c_ulong, arguments)))

    def numbers(self, table: dict[str, Numbers]) -> Iterator[int]:
        """The numbers of the calls in a table that this architecture has."""
        for numbers in table.values():
            if (number := numbers[self._column]) is not None:
                yield number


def _use_landlock(kernel: _Kernel, readable: Sequence[str | Path]) -> int:
    """Let this thread read these files and folders and no others, and write none; the version, or 0."""
    version = kernel.call("landlock_create_ruleset", None, 0, 1)
    if version < 1:
        return 0
    # struct landlock_ruleset_attr: __u64 handled_access_fs, handled_access_net, scoped; what an older
    # kernel does not know has to be 0.
    rights = max(of for since, of in _FILE_RIGHTS.items() if since <= version)
    attributes = struct.pack(
        "=QQQ", rights, _NET_RIGHTS if version >= 4 else 0, _SCOPES if version >= 6 else 0
    )
    ruleset = kernel.call("landlock_create_ruleset", attributes, len(attributes), 0)
    if ruleset < 0:
        return 0
    try:
        for path in dict.fromkeys(os.path.realpath(one) for one in readable if one):
            # What is not there, or may not be read, needs no rule.
            with suppress(OSError):
                _allow_reading(kernel, ruleset, path)
        done = kernel.call("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)
    return version if done == 0 else 0


def _allow_reading(kernel: _Kernel, ruleset: int, path: str) -> None:
    allowed = _READ_FILE | (_READ_FOLDER if os.path.isdir(path) else 0)
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)  # type: ignore[attr-defined, unused-ignore]
    try:
        # struct landlock_path_beneath_attr, packed: __u64 allowed_access; __s32 parent_fd.
        rule = struct.pack("=Qi", allowed, descriptor)
        kernel.call("landlock_add_rule", ruleset, _PATH_BENEATH, rule, 0)
    finally:
        os.close(descriptor)


def _use_seccomp(kernel: _Kernel, machine: str) -> bool:
    """Have all threads' system calls filtered; whether that is so."""
    errno_action = ctypes.c_uint32(_ERRNO)
    if kernel.call("seccomp", _GET_ACTION_AVAIL, 0, ctypes.byref(errno_action)) != 0:
        return False
    program = _filter(kernel, _AUDIT_ARCH[machine], os.getpid())
    # struct sock_filter: __u16 code; __u8 jt, jf; __u32 k. struct sock_fprog: unsigned short len; struct
    # sock_filter *filter.
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *one) for one in program))
    about = ctypes.create_string_buffer(struct.pack("@HP", len(program), ctypes.addressof(code)))
    return kernel.call("seccomp", _SET_MODE_FILTER, _TSYNC, about) == 0


def _filter(kernel: _Kernel, arch: int, process: int) -> list[Instruction]:
    """The program that allows or refuses a system call."""
    refused, allowed = (_RETURN, 0, 0, _ERRNO | errno.EPERM), (_RETURN, 0, 0, _ALLOW)

    def load(offset: int) -> Instruction:
        return (_LOAD, 0, 0, offset)

    def argument(number: int, *, high: bool = False) -> Instruction:
        return load(_ARGUMENTS + 8 * number + 4 * high)

    def when(name: str, then: Sequence[Instruction]) -> list[Instruction]:
        """What is done at this call; it ends in a return."""
        number = kernel.number(name)
        return [] if number is None else [(_IF_EQUAL, 0, len(then), number), *then]

    def unless_equal(value: int) -> list[Instruction]:
        """Refuse another value than this."""
        return [(_IF_EQUAL, 1, 0, value), refused]

    def if_any(test: int, values: Iterable[int]) -> list[Instruction]:
        """Refuse a value for which one of these tests is true."""
        return [one for value in values for one in ((test, 0, 1, value), refused)]

    program = [load(_ARCH), (_IF_EQUAL, 1, 0, arch), (_RETURN, 0, 0, _KILL), load(_NUMBER)]
    program += if_any(_IF_AT_LEAST, [_X32])
    program += if_any(_IF_EQUAL, kernel.numbers(_REFUSED))
    for number in kernel.numbers(_MISSING):
        program += [(_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]
    # Files are opened to be read.
    for name, flags in (("open", 1), ("openat", 2)):
        program += when(name, [argument(flags), *if_any(_IF_ANY_BIT, [_WRITES]), allowed])
    # Threads are started, and no processes.
    thread = [argument(0), (_IF_ANY_BIT, 1, 0, _CLONE_THREAD), refused, allowed]
    program += when("clone", thread)
    # Signals go to this process, as abort() sends them.
    for name in ("kill", "tgkill"):
        program += when(name, [argument(0), *unless_equal(process), allowed])
    # Limits are asked for, and not set.
    pointer = [argument(2), *unless_equal(0), argument(2, high=True), *unless_equal(0)]
    program += when("prlimit64", [*pointer, allowed])
    program += when("ioctl", [argument(1), *if_any(_IF_EQUAL, _TERMINAL), allowed])
    program += when("fcntl", [argument(1), *if_any(_IF_EQUAL, _SIGNALS), allowed])
    return [*program, allowed]

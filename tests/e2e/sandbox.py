#!/usr/bin/env python3
"""Runs a command under the limits that a systemd unit sets, without systemd.

    sandbox.py UNIT UID WRITABLE... -- COMMAND...

UNIT is the service's file. The command runs as UID, can write the folders WRITABLE and nothing else, has no
capabilities, sees no network, and its system calls are filtered as the unit says. Needs root, and a kernel that gives
it namespaces: else it ends with status 77 and says why. A directive of the unit that is neither carried out here nor
among those that need not be is an error, so that what the unit comes to say is tried too.
"""

import ctypes
import errno
import os
import resource
import subprocess
import sys

# Carried out by what is here.
CARRIED_OUT = {
    "User", "Group", "UMask", "StateDirectory", "StateDirectoryMode", "ReadWritePaths", "ProtectSystem", "ProtectHome",
    "PrivateMounts", "PrivateNetwork", "IPAddressDeny", "RestrictAddressFamilies", "CapabilityBoundingSet",
    "AmbientCapabilities", "NoNewPrivileges", "RestrictNamespaces", "RestrictSUIDSGID", "RestrictRealtime",
    "LockPersonality", "MemoryDenyWriteExecute", "SystemCallArchitectures", "SystemCallFilter",
    "SystemCallErrorNumber", "LimitNOFILE", "LimitCORE",
}
# How the service is started and stopped: no limits.
NO_LIMIT = {"Type", "EnvironmentFile", "ExecStart", "TimeoutStartSec", "WatchdogSec", "Restart", "RestartSec",
            "RestartPreventExitStatus"}
# Paths that the daemon can't write here in any case, or that need systemd's own file systems.
COVERED_BY_READING_ONLY = {
    "PrivateTmp", "PrivateDevices", "DevicePolicy", "ProtectKernelTunables", "ProtectKernelModules",
    "ProtectKernelLogs", "ProtectControlGroups", "ProtectClock", "ProtectHostname", "ProtectProc", "ProcSubset",
    "KeyringMode", "RemoveIPC",
}

CANNOT = 77
CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
MOUNT_SETATTR, AT_RECURSIVE, MOUNT_ATTR_RDONLY = 442, 0x8000, 1
PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP = 38, 24
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
NOT_EQUAL, MASKED_EQUAL = 1, 7
PROT_EXEC, PROT_WRITE, SHM_EXEC = 4, 2, 0o100000
PERSONALITY_OF_LINUX = 0

libc = ctypes.CDLL(None, use_errno=True)


def read_unit(path):
    """The directives of [Service]: a list of values for each."""
    section, directives = None, {}
    for line in open(path, encoding="utf-8"):
        line = line.strip()
        if line.startswith("["):
            section = line
        elif section == "[Service]" and line and line[0] not in "#;":
            name, value = line.split("=", 1)
            directives.setdefault(name, []).append(value)
    return directives


def cannot(what):
    print(f"sandbox: {what}: {os.strerror(ctypes.get_errno())}", file=sys.stderr)
    sys.exit(CANNOT)


def syscalls_of(name):
    """A system call's name as it is; those in a group of systemd's."""
    if not name.startswith("@"):
        return {name}
    text = subprocess.run(["systemd-analyze", "syscall-filter", name], check=True, capture_output=True, text=True).stdout
    found = set()
    for line in text.splitlines()[1:]:
        line = line.strip()
        if line and not line.startswith("#"):
            found |= syscalls_of(line)
    return found


def allowed_syscalls(filters):
    allowed = set()
    for line in filters:
        names = line.lstrip("~").split()
        group = set().union(*(syscalls_of(name) for name in names))
        allowed = allowed - group if line.startswith("~") else allowed | group
    # What systemd always allows: without these no program starts.
    return allowed | syscalls_of("@default")


class Compare(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("operation", ctypes.c_int), ("a", ctypes.c_uint64),
                ("b", ctypes.c_uint64)]


class Filter:
    """libseccomp's: what has no rule fails."""

    def __init__(self, otherwise):
        self.library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
        self.library.seccomp_init.restype = ctypes.c_void_p
        self.library.seccomp_rule_add_array.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint,
                                                        ctypes.c_void_p]
        self.library.seccomp_load.argtypes = [ctypes.c_void_p]
        self.context = self.library.seccomp_init(ctypes.c_uint32(otherwise))

    def rule(self, action, name, *comparisons):
        number = self.library.seccomp_syscall_resolve_name(name.encode())
        if number < 0:
            return  # another architecture's
        array = (Compare * len(comparisons))(*comparisons)
        result = self.library.seccomp_rule_add_array(self.context, action, number, len(comparisons), array)
        if result != 0:
            raise OSError(-result, f"a rule for {name}")

    def load(self):
        result = self.library.seccomp_load(self.context)
        if result != 0:
            ctypes.set_errno(-result)
            cannot("the filter of system calls")


def filter_syscalls(unit):
    refused = ERRNO | getattr(errno, unit["SystemCallErrorNumber"][0])
    allowed = allowed_syscalls(unit["SystemCallFilter"])
    calls = Filter(refused)
    families = unit["RestrictAddressFamilies"][0].split()
    if families != ["AF_UNIX"]:
        raise ValueError(f"families {families}: only AF_UNIX is carried out here")
    special = {"socket", "mmap", "mprotect", "pkey_mprotect", "shmat", "personality", "clone", "clone3", "unshare", "setns"}
    for name in sorted(allowed - special):
        calls.rule(ALLOW, name)
    calls.rule(ALLOW, "socket", Compare(0, 4, 1, 0))
    for name, argument, bits in (("mmap", 2, PROT_EXEC | PROT_WRITE),):
        # Allowed unless all of these bits are set: with any one of them clear.
        for bit in (PROT_EXEC, PROT_WRITE):
            calls.rule(ALLOW, name, Compare(argument, MASKED_EQUAL, bit & bits, 0))
    calls.rule(ALLOW, "mprotect", Compare(2, MASKED_EQUAL, PROT_EXEC, 0))
    # Threads and processes, but no namespaces: each of their flags must be clear. clone3 hides its flags, and
    # whoever is told that there is none takes clone.
    calls.rule(ALLOW, "clone", Compare(0, MASKED_EQUAL, 0x7E020080, 0))
    calls.rule(ERRNO | errno.ENOSYS, "clone3")
    calls.load()


def be_alone(writable):
    """A view of the file system of its own, in which only some folders can be written; and no network."""
    if libc.unshare(CLONE_NEWNS | CLONE_NEWNET) != 0:
        cannot("namespaces")
    if libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None) != 0:
        cannot("mounts of its own")
    for folder in writable:
        if libc.mount(folder.encode(), folder.encode(), None, MS_BIND, None) != 0:
            cannot(f"a mount of {folder}")
    attributes = (ctypes.c_uint64 * 4)(MOUNT_ATTR_RDONLY, 0, 0, 0)
    if libc.syscall(MOUNT_SETATTR, -100, b"/", AT_RECURSIVE, attributes, ctypes.sizeof(attributes)) != 0:
        cannot("read-only mounts")
    for folder in writable:
        if libc.mount(None, folder.encode(), None, MS_REMOUNT | MS_BIND, None) != 0:
            cannot(f"writing to {folder}")


def give_up_rights(unit, uid):
    # Here there may be fewer to be had than systemd has.
    descriptors = min(int(unit["LimitNOFILE"][0]), resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
    resource.setrlimit(resource.RLIMIT_CORE, (int(unit["LimitCORE"][0]),) * 2)
    os.umask(int(unit["UMask"][0], 8))
    for capability in range(64):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        cannot("no new rights")


def main():
    end = sys.argv.index("--")
    path, uid, writable, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:end], sys.argv[end + 1:]
    unit = read_unit(path)
    unknown = set(unit) - CARRIED_OUT - NO_LIMIT - COVERED_BY_READING_ONLY
    if unknown:
        raise SystemExit(f"sandbox: directives that nothing is known of here: {sorted(unknown)}")
    be_alone(writable)
    give_up_rights(unit, uid)
    filter_syscalls(unit)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()

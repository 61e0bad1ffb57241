"""Errors of a disk, as SQLite gets them from its own VFS: a bare result code, and no Python exception beside it.

apsw raises what a VFS method raised even where SQLite itself ignores the error (a checkpoint that fails after its
commit), so a VFS written in Python can not play a broken disk honestly. Here the C functions of a mounted
`FaultyVfs` are filtered: an operation that the mount's `Fault` strikes returns its code and never reaches Python's
VFS; all others go through. The layouts are SQLite's public ones (sqlite3_vfs, sqlite3_io_methods).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_int64, c_void_p
from typing import Any

import apsw

from support.faulty_disk_vfs import FaultyVfs

OPEN = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
DELETE = CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)
SIGNATURES = {
    "xRead": CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64),
    "xWrite": CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64),
    "xTruncate": CFUNCTYPE(c_int, c_void_p, c_int64),
    "xSync": CFUNCTYPE(c_int, c_void_p, c_int),
}
KINDS = {"xRead": "read", "xWrite": "write", "xTruncate": "truncate", "xSync": "sync"}


class _Vfs(ctypes.Structure):
    """The beginning of sqlite3_vfs."""

    _fields_ = [
        ("iVersion", c_int),
        ("szOsFile", c_int),
        ("mxPathname", c_int),
        ("pNext", c_void_p),
        ("zName", c_char_p),
        ("pAppData", c_void_p),
        ("xOpen", c_void_p),
        ("xDelete", c_void_p),
    ]


class _Methods(ctypes.Structure):
    """sqlite3_io_methods, version 3."""

    _fields_ = [("iVersion", c_int)] + [
        (name, c_void_p)
        for name in (
            *("xClose", "xRead", "xWrite", "xTruncate", "xSync", "xFileSize", "xLock", "xUnlock"),
            *("xCheckReservedLock", "xFileControl", "xSectorSize", "xDeviceCharacteristics"),
            *("xShmMap", "xShmLock", "xShmBarrier", "xShmUnmap", "xFetch", "xUnfetch"),
        )
    ]


class _File(ctypes.Structure):
    """sqlite3_file."""

    _fields_ = [("pMethods", POINTER(_Methods))]


class _Filter:
    """Stands between SQLite and the functions of one VFS; keeps alive what C points to."""

    def __init__(self, vfs: FaultyVfs) -> None:
        self._vfs = vfs
        self._names: dict[int, str] = {}
        self._filtered: dict[int, _Methods] = {}
        self._callbacks: list[Any] = []
        self._struct = _struct_of(vfs)
        self._open = OPEN(self._struct.xOpen)
        self._delete = DELETE(self._struct.xDelete)
        self._before = (self._struct.xOpen, self._struct.xDelete)
        self._struct.xOpen = self._pointer(OPEN(self._filter_open))
        self._struct.xDelete = self._pointer(DELETE(self._filter_delete))

    def remove(self) -> None:
        """Give the VFS its own functions back; no file may be open."""
        self._struct.xOpen, self._struct.xDelete = self._before

    def _pointer(self, callback: Any) -> int | None:
        self._callbacks.append(callback)
        return ctypes.cast(callback, c_void_p).value

    def _filter_open(self, vfs: int, name: int | None, file: int, flags: int, flags_out: int | None) -> int:
        path = ctypes.string_at(name).decode() if name else None
        own = self._vfs.own_name(path)
        if own is not None:
            code = self._vfs.mounted.fault_of("open", own)
            ctypes.cast(file, POINTER(c_void_p))[0] = None  # no methods: SQLite shall not close it
            if code:
                return code
        code = int(self._open(vfs, name, file, flags, flags_out))
        if code == apsw.SQLITE_OK and own is not None:
            self._names[file] = own
            head = ctypes.cast(file, POINTER(_File)).contents
            head.pMethods = ctypes.pointer(self._filtered_methods(head.pMethods))
        return code

    def _filter_delete(self, vfs: int, name: bytes, sync_folder: int) -> int:
        own = self._vfs.own_name(name.decode())
        code = self._vfs.mounted.fault_of("delete", own) if own is not None else apsw.SQLITE_OK
        return code or self._delete(vfs, name, sync_folder)

    def _filtered_methods(self, methods: Any) -> _Methods:
        """A copy of a table of methods, with those that can fail replaced."""
        address = ctypes.addressof(methods.contents)
        if address not in self._filtered:
            copy = _Methods.from_buffer_copy(methods.contents)
            for name, signature in SIGNATURES.items():
                through = signature(getattr(copy, name))
                setattr(copy, name, self._pointer(signature(self._failing(KINDS[name], through))))
            self._filtered[address] = copy
        return self._filtered[address]

    def _failing(self, kind: str, through: Callable[..., int]) -> Callable[..., int]:
        def operation(file: int, *values: Any) -> int:
            return self._vfs.mounted.fault_of(kind, self._names[file]) or through(file, *values)

        return operation


def _struct_of(vfs: FaultyVfs) -> _Vfs:
    """The C structure of a registered VFS."""
    pointer = c_void_p()
    connection = apsw.Connection(":memory:", vfs=vfs.NAME)
    connection.file_control("main", apsw.SQLITE_FCNTL_VFS_POINTER, ctypes.addressof(pointer))
    connection.close()
    assert pointer.value is not None
    struct = _Vfs.from_address(pointer.value)
    assert struct.zName == vfs.NAME.encode()
    return struct


@contextmanager
def failing_operations(vfs: FaultyVfs) -> Iterator[None]:
    """While this lasts, the `Fault` of what is mounted makes its operations fail."""
    installed = _Filter(vfs)
    try:
        yield
    finally:
        installed.remove()

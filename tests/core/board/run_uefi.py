"""Runs a UEFI application of tests/core in this process, and ends with its status.

usage: run_uefi.py IMAGE. Checks on the way that it is what a firmware would load: x86-64, an EFI application, nothing
imported. Loads it where it was linked to, and gives it a console; nothing else of a firmware exists, and it must not
be missed. The two ways between Microsoft's and Linux's calling conventions are machine code below.
"""
import ctypes
import mmap
import pathlib
import struct
import sys

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
MAP_FIXED_NOREPLACE = 0x100000

# int enter(rdi: entry, rsi: table): entry(rcx = 0, rdx = table), with the 32 bytes that it may spill into.
ENTER = bytes.fromhex("4883ec28" "4889f2" "31c9" "ffd7" "4883c428" "c3")
# output_string(rcx: self, rdx: text): *self->next++ = (char)*text; next is at 16.
OUTPUT_STRING = bytes.fromhex("488b4110" "0fb712" "8810" "48ffc0" "48894110" "31c0" "c3")


def executable_memory(address, size):
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | (MAP_FIXED_NOREPLACE if address else 0)
    found = libc.mmap(address, size, mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC, flags, -1, 0)
    if found in (None, ctypes.c_void_p(-1).value) or (address and found != address):
        sys.exit(f"no memory at {address:#x}")
    return found


def load(image):
    """Maps the image and returns the address of its entry."""
    header = struct.unpack_from("<I", image, 0x3C)[0]
    magic, machine, sections = struct.unpack_from("<4sHH", image, header)
    optional = header + 24
    entry, base = struct.unpack_from("<I", image, optional + 16)[0], struct.unpack_from("<Q", image, optional + 24)[0]
    size = struct.unpack_from("<I", image, optional + 56)[0]
    subsystem = struct.unpack_from("<H", image, optional + 68)[0]
    imports = struct.unpack_from("<II", image, optional + 112 + 8)
    if (magic, machine, subsystem) != (b"PE\0\0", 0x8664, 10):
        sys.exit(f"not an EFI application for x86-64: machine {machine:#x}, subsystem {subsystem}")
    if imports != (0, 0):
        sys.exit("it imports functions: a firmware has none")
    executable_memory(base, size)
    table = optional + struct.unpack_from("<H", image, header + 20)[0]
    for number in range(sections):
        virtual_size, address, raw_size, raw = struct.unpack_from("<IIII", image, table + 40 * number + 8)
        ctypes.memmove(base + address, image[raw:raw + raw_size], min(virtual_size, raw_size))
    return base + entry


def main():
    entry = load(pathlib.Path(sys.argv[1]).read_bytes())
    code = executable_memory(0, 4096)
    ctypes.memmove(code, ENTER, len(ENTER))
    ctypes.memmove(code + 64, OUTPUT_STRING, len(OUTPUT_STRING))
    text = ctypes.create_string_buffer(1 << 20)
    console = (ctypes.c_uint64 * 3)(0, code + 64, ctypes.addressof(text))
    table = (ctypes.c_uint64 * 16)()
    table[8] = ctypes.addressof(console)
    enter = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_uint64, ctypes.c_void_p)(code)
    status = enter(entry, ctypes.addressof(table))
    print(text.value.decode(), end="")
    sys.exit(status)


if __name__ == "__main__":
    main()

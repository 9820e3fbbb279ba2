// For the test of the system-call filter: confines itself as quoin-se does, then does what its
// argument says. Exit 0: it was let do it.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <string_view>
#include <thread>

#include "secure_element/confine.hpp"

int main(int argc, char** argv) {
    const std::string_view what = argc == 2 ? argv[1] : "";
    if (!quoin::secure_element::forbid_inspection()) return 3;
    if (!quoin::secure_element::filter_system_calls()) return 4;
    if (what == "write") return ::write(2, "", 0) == 0 ? 0 : 1;
    if (what == "socket") return ::socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 0 : 1;
    if (what == "unix_socket") return ::socket(AF_UNIX, SOCK_STREAM, 0) >= 0 ? 0 : 1;
    if (what == "exec") return ::execl("/bin/true", "true", nullptr);
    if (what == "fork") return ::fork() >= 0 ? 0 : 1;
    if (what == "read_file") return ::open("/etc/passwd", O_RDONLY) >= 0 ? 0 : 1;
    if (what == "read_write_file") return ::open("/etc/passwd", O_RDWR) >= 0 ? 0 : 1;
    if (what == "ptrace") return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0 ? 0 : 1;
    if (what == "code") {
        void* const page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return page != MAP_FAILED ? 0 : 1;
    }
    if (what == "thread") {
        std::jthread([] {}).join();
        return 0;
    }
    return 5;
}

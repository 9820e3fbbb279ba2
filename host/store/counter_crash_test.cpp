// Power fails at every operation that touches the disk, before it and after it: no index is ever
// used twice. The linker leads the counter's system calls here (--wrap), where they are counted;
// when the n-th comes, what the disk does not hold for sure is taken away, and the process ends.
// Or the n-th answers with an error, before its effect or after it, and the process goes on.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <set>

#include "host/store/counter.hpp"

namespace fs = std::filesystem;

extern "C" {
ssize_t __real_write(int descriptor, const void* data, std::size_t size) noexcept;
int __real_fsync(int descriptor) noexcept;
int __real_rename(const char* from, const char* to) noexcept;
int __real_mkostemp(char* name, int flags) noexcept;
int __real_renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept;
int __real_openat(int folder, const char* name, int flags, ...) noexcept;
int __real_unlinkat(int folder, const char* name, int flags) noexcept;
}

namespace {

struct Disk {
    bool on = false;
    bool errors = false;      // not the power: the operation fails
    bool keeps = false;       // a pending rename reaches it
    int left = 0;             // operations until then
    std::string target;       // the counter's file
    std::string unsynced;     // a temporary file whose bytes may not be on the disk
    std::string before;       // what `target` held before a rename that may not be on the disk
    bool renamed = false;     // such a rename is pending
    bool lost_bytes = false;  // it gave the name to bytes that may not be on the disk
};
Disk disk;

// How a process ends when the power fails.
constexpr int crashed = 9;
constexpr int crashed_before_rename = 10;  // a pending rename did not reach the disk

void write_whole(const std::string& file, const std::string& content) {
    const int descriptor = ::open(file.c_str(), O_WRONLY | O_TRUNC | O_CREAT, 0600);
    static_cast<void>(__real_write(descriptor, content.data(), content.size()));
    ::close(descriptor);
}

std::string read_whole(const std::string& file) {
    std::string content(4096, '\0');
    const int descriptor = ::open(file.c_str(), O_RDONLY);
    const ssize_t size = ::read(descriptor, content.data(), content.size());
    ::close(descriptor);
    content.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return content;
}

[[noreturn]] void power_fails() {
    if (!disk.unsynced.empty()) write_whole(disk.unsynced, "");
    if (disk.lost_bytes) write_whole(disk.target, "");
    if (!disk.renamed || disk.keeps) ::_exit(crashed);
    write_whole(disk.target, disk.before);
    ::_exit(crashed_before_rename);
}

// Must the operation answer with an error?
bool operation() {
    if (!disk.on || disk.left-- != 0) return false;
    if (!disk.errors) power_fails();
    errno = EIO;
    return true;
}

void renaming(const char* to) {
    if (!disk.on) return;
    disk.before = read_whole(to);
    disk.renamed = true;
    disk.lost_bytes = !disk.unsynced.empty();
    disk.unsynced.clear();
}

}  // namespace

extern "C" {
ssize_t __wrap_write(int descriptor, const void* data, std::size_t size) noexcept {
    if (operation()) return -1;
    const ssize_t written = __real_write(descriptor, data, size);
    return operation() ? -1 : written;
}
int __wrap_fsync(int descriptor) noexcept {
    if (operation()) return -1;
    const int answer = __real_fsync(descriptor);
    struct stat status{};
    ::fstat(descriptor, &status);
    if (S_ISDIR(status.st_mode)) {
        disk.renamed = disk.lost_bytes = false;
    } else {
        disk.unsynced.clear();
    }
    return operation() ? -1 : answer;
}
int __wrap_rename(const char* from, const char* to) noexcept {
    if (operation()) return -1;
    renaming(to);
    const int answer = __real_rename(from, to);
    return operation() ? -1 : answer;
}
int __wrap_renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
    if (operation()) return -1;
    renaming(disk.target.c_str());
    const int answer = __real_renameat(from_folder, from, to_folder, to);
    return operation() ? -1 : answer;
}
int __wrap_mkostemp(char* name, int flags) noexcept {
    if (operation()) return -1;
    const int descriptor = __real_mkostemp(name, flags);
    if (disk.on) disk.unsynced = name;
    return operation() ? -1 : descriptor;
}
// Only a new file changes the disk.
int __wrap_openat(int folder, const char* name, int flags, mode_t mode) noexcept {
    const bool is_new = (flags & O_EXCL) != 0;
    if (is_new && operation()) return -1;
    const int descriptor = __real_openat(folder, name, flags, mode);
    if (is_new && disk.on) disk.unsynced = fs::path(disk.target).parent_path() / name;
    return is_new && operation() ? -1 : descriptor;
}
int __wrap_unlinkat(int folder, const char* name, int flags) noexcept {
    if (operation()) return -1;
    const int answer = __real_unlinkat(folder, name, flags);
    const int why = errno;
    if (operation()) return -1;
    errno = why;
    return answer;
}
}

namespace quoin::store {
namespace {

constexpr std::uint64_t rounds = 4;
// unlinkat, openat, write, fsync, renameat, fsync of the folder: before and after each.
constexpr std::uint64_t operations_each = 12;
constexpr std::uint64_t pending_each = 2;  // after renameat, and before the fsync of the folder

// Takes indices in blocks of three and reports each through the pipe, which is its use. Returns how
// it ended: 0 when it was through.
int child(const fs::path& file, int pipe, int operations) {
    disk.target = file.string();
    disk.left = operations;
    disk.on = true;
    auto counter = Counter::open(file, "key");
    if (!counter) return 1;
    for (std::uint64_t round = 0; round < rounds; ++round) {
        auto block = counter->reserve(3);
        if (!block) return 1;
        while (block->left() > 0) {
            const std::uint64_t index = *block->take()->consume();
            static_cast<void>(__real_write(pipe, &index, sizeof index));
        }
    }
    return 0;
}

// The child's end: its exit code. What it used goes into `used`; an index that is there already
// fails the test.
int run(const fs::path& file, int operations, bool keeps, std::set<std::uint64_t>& used) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t process = ::fork();
    if (process == 0) {
        ::close(ends[0]);
        disk.keeps = keeps;
        ::_exit(child(file, ends[1], operations));
    }
    ::close(ends[1]);
    std::uint64_t index = 0;
    while (::read(ends[0], &index, sizeof index) == sizeof index) {
        EXPECT_TRUE(used.insert(index).second) << index << " used twice, n = " << operations;
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(process, &status, 0);
    return WEXITSTATUS(status);
}

TEST(counter_crash, reserve__power_fails_at_any_operation__no_index_twice) {
    std::string name = (fs::temp_directory_path() / "quoin-crash-XXXXXX").string();
    const fs::path folder = ::mkdtemp(name.data());
    ASSERT_TRUE(Counter::create(folder / "index", "key", 1'000'000));
    std::set<std::uint64_t> used;
    int deaths = 0;
    int renames_lost = 0;
    int operations = 0;
    for (bool through = false; !through; ++operations) {
        // Both fates of a pending rename: it reached the disk in the second turn.
        for (int again = 0; again < 2; ++again) {
            const int end = run(folder / "index", operations, again % 2 == 1, used);
            ASSERT_TRUE(end == 0 || end == crashed || end == crashed_before_rename)
                << "could not go on after a crash";
            deaths += end == 0 ? 0 : 1;
            renames_lost += end == crashed_before_rename ? 1 : 0;
            through = end == 0;
        }
    }
    fs::remove_all(folder);
    EXPECT_EQ(operations - 1, static_cast<int>(operations_each * rounds));
    EXPECT_EQ(deaths, static_cast<int>(operations_each * rounds) * 2);
    EXPECT_EQ(renames_lost, static_cast<int>(pending_each * rounds));
    EXPECT_GE(used.size(), 3 * rounds);
    std::cout << deaths << " crashes, " << used.size() << " indices used, each once\n";
}

TEST(counter_crash, reserve__an_operation_fails__nothing_given_then_or_later) {
    std::string name = (fs::temp_directory_path() / "quoin-crash-XXXXXX").string();
    const fs::path file = fs::path(::mkdtemp(name.data())) / "index";
    ASSERT_TRUE(Counter::create(file, "key", 1000));
    std::set<std::uint64_t> used;
    for (int n = 0; n <= static_cast<int>(operations_each); ++n) {
        auto counter = Counter::open(file, "key");
        ASSERT_TRUE(counter) << "could not go on after an error, n = " << n;
        disk = {};
        disk.target = file.string();
        disk.left = n;
        disk.on = disk.errors = true;
        auto block = counter->reserve(3);
        disk = {};
        // None fails in the last turn: the loop reached all of them.
        ASSERT_EQ(block.has_value(), n == static_cast<int>(operations_each)) << n;
        if (!block) {
            EXPECT_EQ(counter->reserve(3).error().code, Code::state_wrong) << n;
            continue;
        }
        while (block->left() > 0) EXPECT_TRUE(used.insert(*block->take()->consume()).second);
    }
    EXPECT_EQ(used.size(), 3U);
    fs::remove_all(file.parent_path());
}

// The harness can fail: a counter that gives indices away before they are durable is caught.
TEST(counter_crash, canary__used_before_durable__is_found) {
    std::string name = (fs::temp_directory_path() / "quoin-crash-XXXXXX").string();
    const fs::path folder = ::mkdtemp(name.data());
    const fs::path file = folder / "index";
    ASSERT_TRUE(files::create(file, "0", 0600));
    std::set<std::string> used;
    bool twice = false;
    for (int operations = 0; operations < 10; ++operations) {
        const pid_t process = ::fork();
        if (process == 0) {
            disk.target = file.string();
            disk.left = operations;
            const std::string next = read_whole(file);
            write_whole(folder / fmt::format("used-{}-{}", next, operations), "");
            disk.on = true;
            static_cast<void>(
                files::write_atomically(file, fmt::format("{}", std::stoi(next) + 1), 0600));
            ::_exit(0);
        }
        ::waitpid(process, nullptr, 0);
    }
    for (const auto& entry : fs::directory_iterator(folder)) {
        const std::string used_by = entry.path().filename().string();
        if (!used_by.starts_with("used-")) continue;
        twice |= !used.insert(used_by.substr(0, used_by.rfind('-'))).second;
    }
    fs::remove_all(folder);
    EXPECT_TRUE(twice);
}

}  // namespace
}  // namespace quoin::store

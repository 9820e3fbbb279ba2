// Power fails at every operation that touches the disk, before it and after it: the key store is
// the old one or the new one, and never older than what was answered. The linker leads the store's
// system calls here (--wrap), where they are counted; when the n-th comes, what the disk does not
// hold for sure is taken away, and the process ends.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>

#include <spdlog/spdlog.h>

#include "secure_element/element_fixture.hpp"

namespace fs = std::filesystem;

extern "C" {
ssize_t __real_write(int descriptor, const void* data, std::size_t size) noexcept;
ssize_t __real_pwrite(int descriptor, const void* data, std::size_t size, off_t at) noexcept;
int __real_fsync(int descriptor) noexcept;
int __real_renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept;
int __real_openat(int folder, const char* name, int flags, ...) noexcept;
int __real_unlinkat(int folder, const char* name, int flags) noexcept;
}

namespace {

struct Disk {
    bool on = false;
    int left = 0;              // operations until the power fails
    bool undo_rename = false;  // one that the folder does not hold yet did not reach the disk
    fs::path store;
    fs::path unsynced{};   // a new file whose bytes may not be on the disk
    std::string before{};  // what the store held before such a rename
    bool existed = false;
    bool renamed = false;
    bool lost_bytes = false;  // the name went to bytes that are not on the disk
};
Disk disk;

std::string read_whole(const fs::path& file) {
    std::string content(1U << 20U, '\0');
    const int descriptor = ::open(file.c_str(), O_RDONLY);
    const ssize_t size = descriptor < 0 ? 0 : ::read(descriptor, content.data(), content.size());
    ::close(descriptor);
    content.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return content;
}

void write_whole(const fs::path& file, const std::string& content) {
    const int descriptor = ::open(file.c_str(), O_WRONLY | O_TRUNC | O_CREAT, 0600);
    static_cast<void>(__real_write(descriptor, content.data(), content.size()));
    ::close(descriptor);
}

void operation() {
    if (!disk.on || disk.left-- != 0) return;
    if (!disk.unsynced.empty()) write_whole(disk.unsynced, "");
    if (disk.lost_bytes) write_whole(disk.store, "");
    if (disk.renamed && disk.undo_rename) {
        if (disk.existed) {
            write_whole(disk.store, disk.before);
        } else {
            ::unlink(disk.store.c_str());
        }
    }
    ::_exit(9);
}

}  // namespace

extern "C" {
ssize_t __wrap_write(int descriptor, const void* data, std::size_t size) noexcept {
    operation();
    const ssize_t written = __real_write(descriptor, data, size);
    operation();
    return written;
}
ssize_t __wrap_pwrite(int descriptor, const void* data, std::size_t size, off_t at) noexcept {
    operation();
    const ssize_t written = __real_pwrite(descriptor, data, size, at);
    operation();
    return written;
}
int __wrap_fsync(int descriptor) noexcept {
    operation();
    const int answer = __real_fsync(descriptor);
    struct stat status{};
    ::fstat(descriptor, &status);
    if (S_ISDIR(status.st_mode)) {
        disk.renamed = disk.lost_bytes = false;
    } else {
        disk.unsynced.clear();
    }
    operation();
    return answer;
}
int __wrap_renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
    operation();
    if (disk.on) {
        disk.existed = fs::exists(disk.store);
        disk.before = read_whole(disk.store);
        disk.renamed = true;
        disk.lost_bytes = !disk.unsynced.empty();
        disk.unsynced.clear();
    }
    const int answer = __real_renameat(from_folder, from, to_folder, to);
    operation();
    return answer;
}
int __wrap_openat(int folder, const char* name, int flags, mode_t mode) noexcept {
    const bool is_new = (flags & O_EXCL) != 0;
    if (is_new) operation();
    const int descriptor = __real_openat(folder, name, flags, mode);
    if (is_new && disk.on) disk.unsynced = disk.store.parent_path() / name;
    if (is_new) operation();
    return descriptor;
}
int __wrap_unlinkat(int folder, const char* name, int flags) noexcept {
    operation();
    const int answer = __real_unlinkat(folder, name, flags);
    operation();
    return answer;
}
}

namespace quoin::secure_element {
namespace {

using namespace keys::se;

constexpr int rounds = 3;
constexpr int operations_each = 12;  // unlinkat, openat, write, fsync, renameat, fsync: twice

// Raises the counter, and reports each value that it may answer.
int child(const fs::path& folder, int pipe, int operations, bool undo_rename) {
    auto opened = Store::open(folder, ElementInProcess::unlock('k'));
    if (!opened) return 1;
    disk = {.on = true, .left = operations, .undo_rename = undo_rename, .store = folder / "store"};
    auto& counters = opened->contents.counters.items;
    if (counters.empty()) counters.push_back({{"c"}, 0, 0});
    for (int round = 0; round < rounds; ++round) {
        ++counters[0].value;
        if (!opened->store.save(opened->contents)) return 1;
        static_cast<void>(__real_write(pipe, &counters[0].value, sizeof counters[0].value));
    }
    return 0;
}

struct Outcome {
    int end;
    std::uint64_t answered;  // the last value; 0: none
};
// For a child that reports what it answered into the pipe.
Outcome wait(pid_t process, const int (&ends)[2]) {
    ::close(ends[1]);
    Outcome result{0, 0};
    while (::read(ends[0], &result.answered, sizeof result.answered) > 0) {
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(process, &status, 0);
    result.end = WEXITSTATUS(status);
    return result;
}
Outcome run(const fs::path& folder, int operations, bool undo_rename) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t process = ::fork();
    if (process == 0) ::_exit(child(folder, ends[1], operations, undo_rename));
    return wait(process, ends);
}

// The counter in the store. It must open whatever happened; a store that never was has 0.
std::uint64_t value_in(const fs::path& folder) {
    const auto opened = Store::open(folder, ElementInProcess::unlock('k'));
    EXPECT_TRUE(opened) << opened.error().message;
    if (!opened || opened->contents.counters.items.empty()) return 0;
    return opened->contents.counters.items[0].value;
}

TEST(StoreCrash, save__power_fails_at_any_operation__old_or_new_store) {
    int deaths = 0;
    for (const bool undo_rename : {false, true}) {
        std::string name = (fs::temp_directory_path() / "quoin-crash-XXXXXX").string();
        const fs::path folder = ::mkdtemp(name.data());
        int operations = 0;
        for (bool through = false; !through; ++operations) {
            const std::uint64_t before = value_in(folder);
            const Outcome result = run(folder, operations, undo_rename);
            ASSERT_TRUE(result.end == 0 || result.end == 9) << "could not go on after a crash";
            const std::uint64_t answered = std::max(before, result.answered);
            const std::uint64_t after = value_in(folder);
            EXPECT_GE(after, answered) << "what was answered is gone, n = " << operations;
            EXPECT_LE(after, answered + 1) << "n = " << operations;
            deaths += result.end == 9 ? 1 : 0;
            through = result.end == 0;
        }
        EXPECT_EQ(operations - 1, operations_each * rounds);
        fs::remove_all(folder);
    }
    EXPECT_EQ(deaths, 2 * operations_each * rounds);
}

// quoin-se's commands that change the state, and what is in the store after each of them.
constexpr std::array states{"counted 0, c+0",
                            "counted 0, new, c+0",
                            "counted 0, new, c+1",
                            "counted 1, new, c+1",
                            "counted 1, c+1",
                            "counted 1, c+1, d",
                            "zeroized"};
constexpr std::size_t commands = states.size() - 1;

class CommandCrash {
public:
    CommandCrash() {
        Policy counted = signs;
        counted.max_uses = 9;
        const auto made = box_.ask(user_, Generate{{"counted"}, Algorithm::ed25519, counted});
        const auto counter = box_.ask(user_, CreateCounter{{"c"}});
        EXPECT_TRUE(made && counter);
        first_ = counter ? counter->value : 0;
    }

    // Runs the commands in a child whose power fails; the number of those that were answered.
    Outcome run(int operations, bool undo_rename) {
        int ends[2];
        EXPECT_EQ(::pipe(ends), 0);
        const pid_t process = ::fork();
        if (process == 0) {
            disk = {.on = true,
                    .left = operations,
                    .undo_rename = undo_rename,
                    .store = box_.folder() / "store"};
            for (std::uint64_t done = 1; done <= commands; ++done) {
                if (!run_one(done)) ::_exit(1);
                static_cast<void>(__real_write(ends[1], &done, sizeof done));
            }
            ::_exit(0);
        }
        return wait(process, ends);
    }

    // What a quoin-se that is started again has.
    std::string state() {
        box_.open();
        user_ = box_.greeted(ElementInProcess::administrator);
        const auto keys = box_.ask(user_, List{});
        if (!keys && keys.error().code == Code::state_wrong) return "zeroized";
        if (!keys) return keys.error().message;
        std::string text;
        for (const KeyEntry& key : keys->keys.items) {
            text += key.name.text;
            text += key.name.text == "counted" ? fmt::format(" {}, ", key.uses) : ", ";
        }
        const auto counter = box_.ask(user_, ReadCounter{{"c"}});
        text += counter ? fmt::format("c+{}", counter->value - first_) : "no counter";
        return text + (box_.ask(user_, ReadCounter{{"d"}}) ? ", d" : "");
    }

private:
    bool run_one(std::uint64_t number) {
        switch (number) {
            case 1:
                return box_.ask(user_, Generate{{"new"}, Algorithm::ed25519, signs}).has_value();
            case 2:
                return box_.ask(user_, IncrementCounter{{"c"}}).has_value();
            case 3:
                return box_.ask(user_, Sign{{"counted"}, {}, {}}).has_value();
            case 4:
                return box_.ask(user_, Remove{{"new"}}).has_value();
            case 5:
                return box_.ask(user_, CreateCounter{{"d"}}).has_value();
            default:
                return box_.ask(user_, Zeroize{}).has_value();
        }
    }

    static constexpr Policy signs{.operations = may_sign};
    ElementInProcess box_;
    Session user_ = box_.greeted(ElementInProcess::administrator);
    std::uint64_t first_ = 0;
};

TEST(CommandCrash, power_fails_at_any_operation__state_before_the_command_or_after_it) {
    spdlog::set_level(spdlog::level::off);
    int deaths = 0;
    std::set<std::string> seen;
    for (const bool undo_rename : {false, true}) {
        bool through = false;
        for (int operations = 0; !through; ++operations) {
            CommandCrash crash;
            const Outcome result = crash.run(operations, undo_rename);
            ASSERT_TRUE(result.end == 0 || result.end == 9) << "a command failed";
            through = result.end == 0;
            const std::string state = crash.state();
            seen.insert(state);
            const auto after = std::min<std::size_t>(result.answered + 1, commands);
            EXPECT_TRUE(state == states[result.answered] || state == states[after])
                << "answered " << result.answered << ", n = " << operations << ": " << state;
            deaths += through ? 0 : 1;
        }
    }
    // Zeroize does two things more: it overwrites what was there, and syncs that.
    EXPECT_EQ(deaths, 2 * (operations_each * static_cast<int>(commands) + 4));
    EXPECT_EQ(seen.size(), states.size()) << "the last one is reached";
}

// The harness can fail: a store that is written in place is caught.
TEST(StoreCrash, canary__written_in_place__is_found) {
    std::string name = (fs::temp_directory_path() / "quoin-crash-XXXXXX").string();
    const fs::path folder = ::mkdtemp(name.data());
    ASSERT_EQ(run(folder, 1000, false).end, 0);
    const std::string whole = read_whole(folder / "store");
    const pid_t process = ::fork();
    if (process == 0) {
        const int file = ::open((folder / "store").c_str(), O_WRONLY | O_TRUNC);
        disk = {.on = true, .left = 1, .store = folder / "store"};
        [[maybe_unused]] const ssize_t half = ::write(file, whole.data(), whole.size() / 2);
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(process, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 9);
    EXPECT_FALSE(Store::open(folder, ElementInProcess::unlock('k')));
    fs::remove_all(folder);
}

}  // namespace
}  // namespace quoin::secure_element

// Power fails at every operation that touches the disk or the anchor, before it and after it, and
// between two starts old files are put back: no value twice, and what was advanced stays. The
// linker leads the system calls here (--wrap), where they are counted; when the n-th comes, what
// the disk does not hold for sure is taken away, and the process ends. Or the n-th answers with an
// error, before its effect or after it, and the process goes on.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <random>
#include <set>

#include "host/counters/test_store.hpp"

namespace fs = std::filesystem;

extern "C" {
ssize_t __real_write(int descriptor, const void* data, std::size_t size) noexcept;
int __real_fsync(int descriptor) noexcept;
int __real_renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept;
int __real_openat(int folder, const char* name, int flags, ...) noexcept;
int __real_unlinkat(int folder, const char* name, int flags) noexcept;
}

namespace {

struct Disk {
    bool on = false;
    int error = 0;            // not the power: the operation fails so
    bool keeps = false;       // a pending rename reaches the disk
    int left = 0;             // operations until then
    std::string target;       // the store's file
    std::string unsynced{};   // a temporary file whose bytes may not be on the disk
    std::string before{};     // what `target` held before a rename that may not be on the disk
    bool renamed = false;     // such a rename is pending
    bool lost_bytes = false;  // it gave the name to bytes that may not be on the disk
};
Disk disk;

constexpr int crashed = 9;

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
    if (disk.renamed && !disk.keeps) write_whole(disk.target, disk.before);
    ::_exit(crashed);
}

// Must the operation answer with an error?
bool operation() {
    if (!disk.on || disk.left-- != 0) return false;
    if (disk.error == 0) power_fails();
    errno = disk.error;
    return true;
}

void anchor_step() {
    if (disk.error == 0) operation();
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
int __wrap_renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
    if (operation()) return -1;
    if (disk.on) {
        disk.before = read_whole(disk.target);
        disk.renamed = true;
        disk.lost_bytes = !disk.unsynced.empty();
        disk.unsynced.clear();
    }
    const int answer = __real_renameat(from_folder, from, to_folder, to);
    return operation() ? -1 : answer;
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

namespace quoin::counters {
namespace {

constexpr int rounds = 3;
constexpr int disk_operations = 12;   // unlinkat, openat, write, fsync, renameat, fsync: twice
constexpr int anchor_operations = 2;  // before and after a count
constexpr int operations = anchor_operations +  // the claim
                           (2 + 2 * rounds) * (disk_operations + anchor_operations);

enum class What : std::uint8_t { index, number, floor };
struct Report {
    What what;
    std::uint64_t value;
};

// The anchor in memory that outlives the processes.
class SharedCounters {
public:
    SharedCounters()
        : memory_(::mmap(nullptr, sizeof(test::Counters), PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0)),
          counters_(std::construct_at(static_cast<test::Counters*>(memory_))) {}
    SharedCounters(const SharedCounters&) = delete;
    SharedCounters& operator=(const SharedCounters&) = delete;
    ~SharedCounters() { ::munmap(memory_, sizeof(test::Counters)); }
    std::unique_ptr<Anchor> anchor() {
        return std::make_unique<test::MemoryAnchor>(*counters_, anchor_step);
    }

private:
    void* memory_;
    test::Counters* counters_;
};

class Crash : public testing::Test {
protected:
    Crash() {
        std::string name = (fs::temp_directory_path() / "quoin-crash-XXXXXX").string();
        file_ = fs::path(::mkdtemp(name.data())) / "counters";
        EXPECT_TRUE(Store::create(file_, "test", shared_.anchor().get()));
        const auto opened = Store::open(file_, "test", shared_.anchor());
        EXPECT_TRUE(opened && (*opened)->add_scarce("index", 1'000'000));
        EXPECT_TRUE((*opened)->advance("policy", 0));
        EXPECT_TRUE((*opened)->sequence("numbers"));
    }
    ~Crash() override { fs::remove_all(file_.parent_path()); }

    // Uses values and reports each through the pipe, which is its use.
    int child(int pipe, int steps) {
        disk.target = file_.string();
        disk.left = steps;
        disk.on = true;
        const auto report = [&](What what, std::uint64_t value) {
            const Report made{what, value};
            static_cast<void>(__real_write(pipe, &made, sizeof made));
        };
        auto store = Store::open(file_, "test", shared_.anchor());
        if (!store) return store.error().code == Code::integrity_mismatch ? 2 : 1;
        std::uint64_t policy = (*store)->floor("policy")->value;
        auto numbers = (*store)->sequence("numbers");
        for (int round = 0; round < rounds && numbers; ++round) {
            for (int i = 0; i < 10; ++i) report(What::number, *numbers->next());
            const auto block = (*store)->reserve("index", 3);
            if (!block) return 1;
            for (std::uint64_t i = 0; i < block->count; ++i) {
                report(What::index, block->first + i);
            }
            if (!(*store)->advance("policy", ++policy)) return 1;
            report(What::floor, policy);
        }
        return numbers ? 0 : 1;
    }

    // How the child ended.
    int run(int steps, bool keeps) {
        int ends[2];
        EXPECT_EQ(::pipe(ends), 0);
        const pid_t process = ::fork();
        if (process == 0) {
            ::close(ends[0]);
            disk.keeps = keeps;
            ::_exit(child(ends[1], steps));
        }
        ::close(ends[1]);
        Report report{};
        while (::read(ends[0], &report, sizeof report) == sizeof report) {
            if (report.what == What::floor) {
                EXPECT_GT(report.value, floor_) << "a floor was lost";
                floor_ = report.value;
            } else {
                auto& used = report.what == What::index ? indices_ : numbers_;
                EXPECT_TRUE(used.insert(report.value).second)
                    << report.value << " used twice, n = " << steps;
            }
        }
        ::close(ends[0]);
        int status = 0;
        ::waitpid(process, &status, 0);
        return WEXITSTATUS(status);
    }

    SharedCounters shared_;
    fs::path file_;
    std::set<std::uint64_t> indices_, numbers_;
    std::uint64_t floor_ = 0;
};

TEST_F(Crash, any_operation__power_fails__no_value_twice_and_it_goes_on) {
    int deaths = 0;
    int steps = 0;
    for (bool through = false; !through; ++steps) {
        // Both fates of a pending rename: it reached the disk in the second turn.
        for (const bool keeps : {false, true}) {
            const int end = run(steps, keeps);
            ASSERT_TRUE(end == 0 || end == crashed) << "could not go on after a crash: " << end;
            deaths += end == crashed ? 1 : 0;
            through = end == 0;
        }
    }
    EXPECT_EQ(steps - 1, operations);
    EXPECT_EQ(deaths, 2 * operations);
    EXPECT_GE(deaths, 200);
    std::cout << deaths << " crashes, " << indices_.size() << " indices and " << numbers_.size()
              << " numbers used, each once\n";
}

TEST_F(Crash, any_operation__power_fails_and_old_files_are_put_back__no_value_twice) {
    std::mt19937_64 dice(20261123);
    std::vector<std::string> files{read_whole(file_)};
    int refused = 0;
    int deaths = 0;
    for (int turn = 0; turn < 400; ++turn) {
        const std::string newest = read_whole(file_);
        const bool puts_back = dice() % 2 == 0;
        const std::string old = files[dice() % files.size()];
        if (puts_back) write_whole(file_, old);
        int end = run(static_cast<int>(dice() % (operations + 20)), dice() % 2 == 0);
        // It may have ended before it looked at it.
        if (puts_back && read_whole(file_) == old) write_whole(file_, newest);
        if (end == 2) {
            ++refused;
            end = run(static_cast<int>(dice() % (operations + 20)), dice() % 2 == 0);
        }
        ASSERT_TRUE(end == 0 || end == crashed) << "the newest file does not go on: " << end;
        deaths += end == crashed ? 1 : 0;
        files.push_back(read_whole(file_));
    }
    EXPECT_GE(deaths, 200);
    EXPECT_GE(refused, 100);
    std::cout << deaths << " crashes, " << refused << " old files refused, " << indices_.size()
              << " indices used, each once\n";
}

TEST_F(Crash, any_operation__answers_with_an_error__nothing_given_and_it_goes_on) {
    for (const int error : {ENOSPC, EROFS, EIO}) {
        const auto store = Store::open(file_, "test", shared_.anchor());
        ASSERT_TRUE(store) << store.error().message;
        for (int n = 0; n <= disk_operations; ++n) {
            disk = {.on = true, .error = error, .left = n, .target = file_.string()};
            const auto block = (*store)->reserve("index", 3);
            disk = {};
            // None fails in the last turn: the loop reached all of them.
            ASSERT_EQ(block.has_value(), n == disk_operations) << n;
            if (!block) {
                EXPECT_EQ(block.error().code, Code::resource_unavailable);
                EXPECT_EQ((*store)->status().problem, block.error().message);
            }
            const auto next = block ? block : (*store)->reserve("index", 3);
            ASSERT_TRUE(next) << next.error().message;
            EXPECT_EQ((*store)->status().problem, "");
            EXPECT_TRUE(indices_.insert(next->first).second) << "given twice";
        }
    }
    EXPECT_EQ(*indices_.rbegin(), 3 * (indices_.size() - 1)) << "none was lost";
}

// The harness can fail: a number that is used before it is durable is found.
TEST_F(Crash, canary__used_before_durable__is_found) {
    const fs::path file = file_.parent_path() / "canary";
    std::set<std::string> used;
    bool is_twice = false;
    write_whole(file, "0");
    for (int steps = 0; steps < 10; ++steps) {
        const std::string next = read_whole(file);
        is_twice |= !used.insert(next).second;
        const pid_t process = ::fork();
        if (process == 0) {
            disk = {.on = true, .left = steps, .target = file.string()};
            const auto folder = files::HeldFolder::open(file.parent_path());
            const auto done =
                folder->replace("canary", fmt::format("{}", std::stoi(next) + 1), 0600);
            ::_exit(done ? 0 : 1);
        }
        ::waitpid(process, nullptr, 0);
    }
    EXPECT_TRUE(is_twice);
}

}  // namespace
}  // namespace quoin::counters

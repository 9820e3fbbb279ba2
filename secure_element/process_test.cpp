// The real process, by its own client: durability, who may ask, what memory holds, what it gave up.
#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdlib>
#include <fstream>

#include "host/crypto/crypto.hpp"
#include "host/keys/se/store.hpp"
#include "secure_element/memory_fixture.hpp"
#include "secure_element/process_fixture.hpp"
#include "secure_element/store.hpp"

namespace quoin::secure_element {
namespace {

using namespace keys::se;
using testing::HasSubstr;

constexpr std::string_view text = "what is signed";
constexpr std::string_view nobody = "65534";

#ifdef __SANITIZE_ADDRESS__
constexpr bool locks_memory = false;  // the sanitizer's mlockall() does nothing
#else
constexpr bool locks_memory = true;
#endif

Policy allowing(unsigned operations) {
    return {.operations = static_cast<std::uint8_t>(operations)};
}

// A program whose input and output are pipes.
class Helper {
public:
    explicit Helper(std::vector<std::string> arguments) {
        int in[2];
        int out[2];
        EXPECT_EQ(::pipe2(in, O_CLOEXEC), 0);
        EXPECT_EQ(::pipe2(out, O_CLOEXEC), 0);
        std::vector<char*> pointers;
        for (std::string& argument : arguments) pointers.push_back(argument.data());
        pointers.push_back(nullptr);
        posix_spawn_file_actions_t actions{};
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, in[0], 0);
        posix_spawn_file_actions_adddup2(&actions, out[1], 1);
        EXPECT_EQ(::posix_spawn(&process, pointers[0], &actions, nullptr, pointers.data(), environ),
                  0);
        posix_spawn_file_actions_destroy(&actions);
        ::close(in[0]);
        ::close(out[1]);
        input_ = Descriptor(in[1]);
        output_ = Descriptor(out[0]);
    }
    std::string line() const {
        std::string read;
        char c = 0;
        while (::read(output_.number(), &c, 1) == 1 && c != '\n') read += c;
        return read;
    }
    void send(std::string_view bytes) const {
        EXPECT_EQ(::write(input_.number(), bytes.data(), bytes.size()),
                  static_cast<ssize_t>(bytes.size()));
    }
    int wait() {
        input_ = Descriptor();
        int status = 0;
        ::waitpid(process, &status, 0);
        return status;
    }
    pid_t process = 0;

private:
    Descriptor input_;
    Descriptor output_;
};

class Process : public testing::Test {
protected:
    void SetUp() override { ASSERT_TRUE(element.start()) << element.log(); }
    Helper signer(std::string_view uid, int count) {
        return Helper(
            {CLIENT_FIXTURE, element.socket, std::string(uid), "device", std::to_string(count)});
    }
    ElementProcess element;
};

TEST_F(Process, sign__key_made_inside__openssl_verifies) {
    const auto client = element.client();
    const auto key = must(client->generate("device", Algorithm::ml_dsa_65, allowing(may_sign)));
    const auto signature = must(client->sign("device", bytes_of(text), bytes_of("ctx")));
    const crypto::PublicKey openssl(
        EVP_PKEY_new_raw_public_key_ex(nullptr, "ML-DSA-65", nullptr, key.data(), key.size()));
    EXPECT_TRUE(openssl.verify(bytes_of(text), signature, bytes_of("ctx")));
    EXPECT_FALSE(openssl.verify(bytes_of(text), signature));
}

TEST_F(Process, keys__killed_and_restarted__are_there_and_client_reconnects) {
    const auto client = element.client();
    const auto key = must(client->generate("device", Algorithm::ed25519, allowing(may_sign)));
    element.stop(SIGKILL);
    const auto gone = client->describe("device");
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().code, Code::resource_unavailable);
    EXPECT_THAT(gone.error().message, HasSubstr("is it running?"));
    ASSERT_TRUE(element.start()) << element.log();
    EXPECT_EQ(must(client->describe("device")).public_key, key);
    element.stop();
    ASSERT_TRUE(element.start()) << element.log();
    EXPECT_TRUE(client->sign("device", bytes_of(text), {})) << "asked again by itself";
    element.stop();
    ASSERT_TRUE(element.start()) << element.log();
    const auto removed = client->remove("device");
    ASSERT_FALSE(removed) << "not to be asked twice";
    EXPECT_THAT(removed.error().message, HasSubstr("nobody knows"));
}

TEST_F(Process, client__after_fork__has_a_connection_of_its_own) {
    const auto client = element.client();
    must(client->generate("device", Algorithm::ed25519, allowing(may_sign)));
    const pid_t child = ::fork();
    if (child == 0) {
        const auto signature = client->sign("device", bytes_of(text), {});
        ::_exit(signature ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_TRUE(client->sign("device", bytes_of(text), {}));
}

TEST_F(Process, client__many_threads__every_answer_to_its_own_question) {
    const auto client = element.client();
    const auto key = must(client->generate("device", Algorithm::ed25519, allowing(may_sign)));
    const crypto::PublicKey openssl(
        EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, key.data(), key.size()));
    std::atomic<int> good = 0;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 8; ++i) {
            threads.emplace_back([&, i] {
                for (int j = 0; j < 50; ++j) {
                    const std::string message = fmt::format("{} {}", i, j);
                    const auto signature = client->sign("device", bytes_of(message), {});
                    if (signature && openssl.verify(bytes_of(message), *signature)) ++good;
                }
            });
        }
    }
    EXPECT_EQ(good, 400);
}

TEST_F(Process, uid__not_allowed__refused_and_logged) {
    must(element.client()->generate("device", Algorithm::ed25519, allowing(may_sign)));
    Helper stranger = signer(nobody, 1);
    const std::string line = stranger.line();
    EXPECT_THAT(line, HasSubstr("peer_forbidden"));
    EXPECT_THAT(line, HasSubstr("uid 65534"));
    EXPECT_NE(stranger.wait(), 0);
    element.stop();  // then all of its log has been read
    EXPECT_THAT(element.log(), HasSubstr("refused_connection uid=65534"));
    ASSERT_TRUE(element.start({"--allow-uid", std::string(nobody)})) << element.log();
    Helper known = signer(nobody, 1);
    EXPECT_THAT(known.line(), HasSubstr("is not for uid 65534")) << "the key is another uid's";
    known.wait();
}

TEST_F(Process, policy__users_of_a_key__sign_with_it_and_others_do_not) {
    element.stop();
    ASSERT_TRUE(element.start({"--allow-uid", std::string(nobody)})) << element.log();
    const auto store =
        must(keys::se::open(must(keys::Uri::parse("se:socket=" + element.socket.string()))));
    const auto try_as_nobody = [&] {
        Helper helper = signer(nobody, 1);
        std::string line = helper.line();
        helper.wait();
        return line;
    };
    must(store->generate("device", "ML-DSA-65", {}));
    EXPECT_THAT(try_as_nobody(), HasSubstr("is not for uid 65534"));
    must(store->remove("device"));
    must(store->generate("device", "ML-DSA-65", {.users = {65534}}));
    EXPECT_EQ(try_as_nobody(), "done");
    must(store->remove("device"));
    must(store->generate("device", "ML-DSA-65", {.users = {65533}}));
    EXPECT_THAT(try_as_nobody(), HasSubstr("is not for uid 65534"));
    EXPECT_EQ(
        store->generate("b", "ML-DSA-65", {.users = {1, 2, 3, 4, 5, 6, 7, 8, 9}}).error().code,
        Code::input_unsupported);
}

// The seeds of the keys, as the store's file has them.
std::vector<ByteVector> seeds_in(const std::filesystem::path& home) {
    std::string bytes(32, 'k');
    const Unlock unlock =
        RawKey(MutableBytes(reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()));
    const auto opened = must(Store::open(home, unlock));
    std::vector<ByteVector> seeds;
    for (const StoredKey& key : opened.contents.keys.items) {
        const Bytes material = key.material.expose();
        seeds.emplace_back(material.begin(), material.end());
    }
    return seeds;
}

TEST_F(Process, memory__of_a_client_that_signed__holds_no_seed) {
    must(element.client()->generate("device", Algorithm::ml_dsa_65, allowing(may_sign)));
    Helper client = signer("0", 100);
    ASSERT_EQ(client.line(), "done");
    // The store is locked while quoin-se runs: a copy is read.
    const TestFolder copy;
    std::filesystem::copy(element.home / "store", copy.path() / "store");
    const std::vector<ByteVector> seeds = seeds_in(copy.path());
    ASSERT_EQ(seeds.size(), 1U);
    EXPECT_EQ(count_in_memory(client.process, seeds[0]), 0);
    EXPECT_GE(count_in_memory(element.process(), seeds[0]), 1) << "the canary: it would be found";
    EXPECT_EQ(client.wait(), 0);
}

TEST_F(Process, zeroize__keys_and_files__nothing_is_found) {
    const auto client = element.client();
    must(client->generate("device", Algorithm::ml_dsa_65, allowing(may_sign)));
    must(client->generate("kem", Algorithm::ml_kem_768, allowing(may_decapsulate)));
    const TestFolder copy;
    std::filesystem::copy(element.home / "store", copy.path() / "store");
    const std::vector<ByteVector> seeds = seeds_in(copy.path());
    ASSERT_EQ(seeds.size(), 2U);
    ASSERT_TRUE(client->zeroize());
    EXPECT_EQ(client->sign("device", bytes_of(text), {}).error().code, Code::state_wrong);
    for (const ByteVector& seed : seeds) {
        EXPECT_EQ(count_in_memory(element.process(), seed), 0);
    }
    element.stop();
    EXPECT_TRUE(seeds_in(element.home).empty());
    ASSERT_TRUE(element.start()) << element.log();
    EXPECT_THAT(element.log(), HasSubstr("zeroized=true"));
    EXPECT_EQ(element.client()->list().error().code, Code::state_wrong);
}

std::string status_of(pid_t process, std::string_view field) {
    std::ifstream file(fmt::format("/proc/{}/status", process));
    std::string line;
    while (std::getline(file, line)) {
        if (line.starts_with(field)) return line;
    }
    return "";
}

TEST_F(Process, confinement__while_it_runs__filter_no_new_privileges_locked_memory) {
    EXPECT_THAT(status_of(element.process(), "Seccomp:"), HasSubstr("2"));
    EXPECT_THAT(status_of(element.process(), "NoNewPrivs:"), HasSubstr("1"));
    EXPECT_EQ(status_of(element.process(), "VmLck:").contains(" 0 kB"), !locks_memory);
    std::ifstream limits(fmt::format("/proc/{}/limits", element.process()));
    std::string all((std::istreambuf_iterator<char>(limits)), {});
    EXPECT_THAT(all, testing::ContainsRegex("Max core file size +0 +0"));
}

TEST(Confinement, system_calls__that_are_not_needed__end_the_process) {
    for (const char* call :
         {"socket", "unix_socket", "exec", "fork", "read_write_file", "ptrace", "code", "thread"}) {
        Helper helper({CONFINE_FIXTURE, call});
        const int status = helper.wait();
        EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) << call << " " << status;
    }
    Helper reading({CONFINE_FIXTURE, "read_file"});
    EXPECT_EQ(WEXITSTATUS(reading.wait()), 1) << "refused, not ended: glibc tries";
    Helper writing({CONFINE_FIXTURE, "write"});
    EXPECT_EQ(writing.wait(), 0) << "the canary: what is needed is let through";
}

// Bytes straight into the socket, and all that comes back until it is closed.
std::string talk(const std::filesystem::path& path, const std::string& bytes) {
    const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    std::ranges::copy(path.native(), address.sun_path);
    EXPECT_EQ(::connect(socket.number(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::send(socket.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
    ::shutdown(socket.number(), SHUT_WR);
    std::string answer;
    std::array<char, 4096> piece{};
    ssize_t count = 0;
    while ((count = ::recv(socket.number(), piece.data(), piece.size(), 0)) > 0) {
        answer.append(piece.data(), static_cast<std::size_t>(count));
    }
    return answer;
}

TEST_F(Process, frame__longer_than_the_limit__refused_and_closed) {
    const std::string answer = talk(element.socket, std::string("\xFF\xFF\xFF\xFF", 4));
    EXPECT_THAT(answer, HasSubstr("no frame"));
    EXPECT_TRUE(element.client()->list()) << "the others go on";
}

TEST_F(Process, frames__nonsense_of_right_length__each_is_answered) {
    const std::string frame("\0\0\0\6\1\x7F\0\0\0\1", 10);
    const std::string answer = talk(element.socket, frame + frame);
    const std::size_t first = answer.find("this is no request");
    ASSERT_NE(first, std::string::npos);
    EXPECT_NE(answer.find("this is no request", first + 1), std::string::npos);
}

TEST(Start, wrong_seal_key__exit_and_reason) {
    ElementProcess element;
    ASSERT_TRUE(element.start());
    element.stop();
    EXPECT_FALSE(element.start({}, 'x'));
    EXPECT_THAT(element.log(), HasSubstr("code=input_unauthenticated"));
    EXPECT_TRUE(element.start({}, 'k'));
}

TEST(Start, user__started_as_root__locked_and_no_longer_root) {
    ElementProcess element;
    std::filesystem::permissions(element.socket.parent_path(), std::filesystem::perms(0777));
    ASSERT_TRUE(element.start({"--user", "nobody", "--allow-uid", "0"})) << element.log();
    EXPECT_THAT(status_of(element.process(), "Uid:"), HasSubstr("65534\t65534\t65534\t65534"));
    EXPECT_THAT(status_of(element.process(), "Groups:"), testing::Not(HasSubstr("0")));
    EXPECT_THAT(status_of(element.process(), "CapEff:"), HasSubstr("0000000000004000"))
        << "CAP_IPC_LOCK";
    EXPECT_THAT(status_of(element.process(), "CapPrm:"), HasSubstr("0000000000004000"));
    EXPECT_EQ(status_of(element.process(), "VmLck:").contains(" 0 kB"), !locks_memory);
    EXPECT_TRUE(element.client()->generate("k", Algorithm::ml_dsa_65, allowing(may_sign)));
    EXPECT_EQ(element.client()->zeroize().error().code, Code::peer_forbidden);
}

TEST(Start, user__passphrase_that_only_root_may_read__opened_before_it_becomes_the_user) {
    ElementProcess element;
    std::filesystem::permissions(element.socket.parent_path(), std::filesystem::perms(0777));
    const auto file = element.socket.parent_path() / "passphrase";
    ASSERT_TRUE(files::write_atomically(file, "correct horse battery\n", 0600));
    ASSERT_TRUE(element.start({"--user", "nobody", "--passphrase-file", file.string()}))
        << element.log();
    EXPECT_THAT(status_of(element.process(), "Uid:"), HasSubstr("65534\t65534\t65534\t65534"));
}

// A configuration that loads a provider of its own into every program that reads it.
TEST(Start, openssl_conf__of_somebody_else__is_not_read) {
    const TestFolder folder;
    const std::string file = folder.path() / "openssl.cnf";
    std::ofstream(file) << "config_diagnostics = 1\nopenssl_conf = i\n[i]\nproviders = p\n"
                           "[p]\nforeign = f\n[f]\nmodule = /nowhere/foreign.so\nactivate = 1\n";
    ElementProcess element;
    ::setenv("OPENSSL_CONF", file.c_str(), 1);
    const bool started = element.start();
    ::unsetenv("OPENSSL_CONF");
    ASSERT_TRUE(started) << element.log();
    EXPECT_TRUE(element.client()->generate("k", Algorithm::slh_dsa_shake_128f, allowing(may_sign)));
}

TEST(Start, second_process__same_home__refused) {
    ElementProcess element;
    ASSERT_TRUE(element.start());
    Helper second({QUOIN_SE, "--home", element.home, "--seal-key-fd", "0"});
    second.send(std::string(32, 'k'));
    const int status = second.wait();
    EXPECT_EQ(WEXITSTATUS(status), exit_code(Code::resource_unavailable));
    EXPECT_TRUE(element.client()->list());
}

TEST(Start, passphrase_file__argon2id__right_opens_wrong_does_not) {
    ElementProcess element;
    const TestFolder folder;
    const std::string file = folder.path() / "passphrase";
    const auto write = [&](std::string_view passphrase, int mode) {
        std::ofstream(file) << passphrase << "\n";
        std::filesystem::permissions(file, std::filesystem::perms(mode));
    };
    write("correct horse battery", 0600);
    ASSERT_TRUE(element.start({"--passphrase-file", file})) << element.log();
    element.stop();
    write("incorrect horse battery", 0600);
    EXPECT_FALSE(element.start({"--passphrase-file", file}));
    EXPECT_THAT(element.log(), HasSubstr("code=input_unauthenticated"));
    write("correct horse battery", 0644);
    EXPECT_FALSE(element.start({"--passphrase-file", file}));
    EXPECT_THAT(element.log(), HasSubstr("chmod 600"));
    write("short", 0600);
    EXPECT_FALSE(element.start({"--passphrase-file", file}));
    write("correct horse battery", 0600);
    EXPECT_TRUE(element.start({"--passphrase-file", file})) << element.log();
}

}  // namespace
}  // namespace quoin::secure_element

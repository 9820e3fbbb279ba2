// Loading and unloading, threads, fork, and memory over many operations.
#include <link.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <string_view>
#include <thread>

#include "provider/fixture.hpp"

namespace quoin::provider::test {
namespace {

constexpr std::array kems = {"ML-KEM-512", "ML-KEM-768", "ML-KEM-1024", "X25519MLKEM768"};
constexpr std::array names = {"ML-KEM-512",
                              "ML-KEM-768",
                              "ML-KEM-1024",
                              "X25519MLKEM768",
                              "ML-DSA-44",
                              "ML-DSA-65",
                              "ML-DSA-87",
                              "id-MLDSA44-Ed25519-SHA512",
                              "id-MLDSA65-Ed25519-SHA512"};

using Digest = Owner<EVP_MD_CTX, EVP_MD_CTX_free>;

// One signature, verified; another message does not.
bool signs(const Library& library, const Key& key) {
    Octets message = pattern(40), signature(5000);
    std::size_t size = signature.size();
    const auto verified = [&] {
        const Digest context(EVP_MD_CTX_new());
        return EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, library, nullptr, key.get(),
                                       nullptr) == 1 &&
               EVP_DigestVerify(context.get(), signature.data(), size, message.data(),
                                message.size()) == 1;
    };
    const Digest context(EVP_MD_CTX_new());
    if (EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, library, nullptr, key.get(),
                              nullptr) != 1 ||
        EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) !=
            1 ||
        !verified()) {
        return false;
    }
    message[0] ^= 1;
    return !verified();
}

// One encapsulation to the key and one decapsulation give the same secret; or it signs.
bool round_trip(const Library& library, const Key& key) {
    if (std::ranges::find(kems, std::string_view(EVP_PKEY_get0_type_name(key.get()))) ==
        kems.end()) {
        return signs(library, key);
    }
    std::array<std::uint8_t, 1568> ciphertext{};
    std::array<std::uint8_t, 64> sent{};
    std::array<std::uint8_t, 64> received{};
    std::size_t ciphertext_size = ciphertext.size();
    std::size_t size = sent.size();
    const KeyContext context(EVP_PKEY_CTX_new_from_pkey(library, key.get(), nullptr));
    return EVP_PKEY_encapsulate_init(context.get(), nullptr) == 1 &&
           EVP_PKEY_encapsulate(context.get(), ciphertext.data(), &ciphertext_size, sent.data(),
                                &size) == 1 &&
           EVP_PKEY_decapsulate_init(context.get(), nullptr) == 1 &&
           EVP_PKEY_decapsulate(context.get(), received.data(), &size, ciphertext.data(),
                                ciphertext_size) == 1 &&
           sent == received && sent != std::array<std::uint8_t, 64>{};
}

bool is_mapped(std::string_view file) {
    std::pair<std::string_view, bool> search{file, false};
    dl_iterate_phdr(
        [](dl_phdr_info* object, std::size_t, void* argument) {
            auto& [name, found] = *static_cast<decltype(search)*>(argument);
            found = found || std::string_view(object->dlpi_name).ends_with(name);
            return 0;
        },
        &search);
    return search.second;
}

TEST(life, unload__nothing_left__mapped_no_more_and_loads_again) {
    for (int round = 0; round < 20; ++round) {
        {
            const Library library = Library::ours();
            for (const char* const name : names) {
                EXPECT_TRUE(round_trip(library, generate(library, name))) << queued_errors();
            }
            EXPECT_TRUE(is_mapped("/quoin.so"));
        }
        EXPECT_FALSE(is_mapped("/quoin.so"));
    }
}

TEST(life, unload__while_keys_live__they_end_later) {
    for (const char* const name : names) {
        Key key;
        {
            const Library library = Library::ours();
            key = generate(library, name);
        }
        EXPECT_NE(key, nullptr);
        EXPECT_TRUE(is_mapped("/quoin.so"));
        key.reset();
        EXPECT_FALSE(is_mapped("/quoin.so")) << name;
    }
}

TEST(life, library_contexts__two_at_once__each_its_own) {
    const Library first = Library::ours();
    const Key key = generate(first, "ML-KEM-768");
    {
        const Library second = Library::ours();
        EXPECT_TRUE(round_trip(second, generate(second, "ML-KEM-768")));
    }
    EXPECT_TRUE(round_trip(first, key)) << queued_errors();
}

TEST(life, backend__asked__one_of_the_builds) {
    const Library library = Library::ours();
    const char* name = nullptr;
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_ptr("quoin-backend", const_cast<char**>(&name), 0),
        OSSL_PARAM_construct_end()};
    ASSERT_EQ(OSSL_PROVIDER_get_params(library.provider(1), parameters), 1);
    const std::string_view backend = name;
    EXPECT_TRUE(backend == "portable" || backend == "avx2" || backend == "avx512") << backend;
}

TEST(life, threads__one_context_and_one_key__every_exchange_right) {
    const Library library = Library::ours();
    std::array<Key, names.size()> shared;
    for (std::size_t i = 0; i < shared.size(); ++i) shared[i] = generate(library, names[i]);
    std::atomic<int> right = 0;
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 8; ++thread) {
            threads.emplace_back([&] {
                for (int i = 0; i < 100; ++i) {
                    const auto which = static_cast<std::size_t>(i) % names.size();
                    if (round_trip(library, shared[which])) ++right;
                    if (round_trip(library, generate(library, names[which]))) ++right;
                }
            });
        }
    }
    EXPECT_EQ(right, 8 * 100 * 2);
}

TEST(life, fork__both_go_on__with_different_keys) {
    const Library library = Library::ours();
    std::array<Key, names.size()> keys;
    for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = generate(library, names[i]);
    const auto all_work = [&] {
        return std::ranges::all_of(keys, [&](const Key& key) { return round_trip(library, key); });
    };
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        const Octets made = part(generate(library, "ML-KEM-768"), "pub");
        const bool right =
            all_work() && ::write(pipe[1], made.data(), made.size()) == std::ssize(made);
        ::_exit(right ? 0 : 1);
    }
    const Octets made = part(generate(library, "ML-KEM-768"), "pub");
    EXPECT_TRUE(all_work());
    ::close(pipe[1]);
    Octets of_child(made.size());
    EXPECT_EQ(::read(pipe[0], of_child.data(), of_child.size()), std::ssize(of_child));
    EXPECT_NE(of_child, made) << "parent and child drew the same randomness";
    ::close(pipe[0]);
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

TEST(life, memory__100000_operations__does_not_grow) {
    const Library library = Library::ours();
    const auto work = [&](std::size_t rounds) {
        for (std::size_t i = 0; i < rounds; ++i) {
            const Key key =
                generate(library, kems[i % kems.size()]);  // 3 operations with the exchange
            ASSERT_TRUE(round_trip(library, key)) << queued_errors();
        }
    };
    work(400);  // OpenSSL's caches fill
    const std::size_t before = ::mallinfo2().uordblks;
    work(33'334);
    EXPECT_LE(::mallinfo2().uordblks, before + 4096);
}

}  // namespace
}  // namespace quoin::provider::test

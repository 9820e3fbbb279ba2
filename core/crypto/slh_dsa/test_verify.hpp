// Verification against OpenSSL: thousands of damaged signatures, keys and messages.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/crypto/slh_dsa/fixture.hpp"

namespace quoin::core::slh_dsa {

// Something signed by OpenSSL, and a part of it damaged.
template <class Set>
struct Signed {
    ByteVector key;
    ByteVector message;
    ByteVector context;
    ByteVector signature;

    // One for all tests: the small sets need a second to sign.
    static const Signed& example() {
        static const Signed made = [] {
            auto generator = seeded();
            const auto peer = Peer<Set>::generate();
            Signed example{peer.public_key(),
                           random_bytes(generator, 1 + generator() % 500),
                           random_bytes(generator, 1 + generator() % 254),
                           {}};
            example.signature = peer.sign(example.message, example.context);
            return example;
        }();
        return made;
    }

    bool openssl_accepts() const {
        return Peer<Set>::from_public(key).verify(message, context, signature);
    }
    template <class Backend>
    bool we_accept_by() const {
        const Result<void> verified = verify_bytes<Set, Backend>(key, message, context, signature);
        EXPECT_TRUE(verified || verified.error() == Code::integrity_signature);
        return verified.has_value();
    }
    // By the backend of this number, if this processor has it.
    bool we_accept(std::size_t backend) const {
        if constexpr (avx2_is_built) {
            if (backend % 3 == 1 && test::runs_here<Avx2>()) return we_accept_by<Avx2>();
            if constexpr (!Set::is_shake) {
                if (backend % 3 == 2 && test::runs_here<ShaNi>()) return we_accept_by<ShaNi>();
            }
        }
        return we_accept_by<Portable>();
    }
    void expect_accepted() const {
        for (std::size_t backend = 0; backend < 3; ++backend) EXPECT_TRUE(we_accept(backend));
        EXPECT_TRUE(openssl_accepts());
    }
    void expect_refused(std::size_t backend, const std::string& what) const {
        EXPECT_FALSE(we_accept(backend)) << what << ", seed " << random_seed;
        EXPECT_FALSE(openssl_accepts()) << what << ", seed " << random_seed;
    }
};

struct Part {
    std::string name;
    std::size_t first;
    std::size_t size;
};

// FIPS 205, figures 14, 15 and 17: R, FORS, and of each layer the chains and the path.
template <class Set>
std::vector<Part> parts_of_signature() {
    std::vector<Part> parts = {{"R", 0, Set::n}, {"FORS", Set::n, Set::fors_signature_size}};
    std::size_t first = Set::n + Set::fors_signature_size;
    for (unsigned layer = 0; layer < Set::d; ++layer) {
        const std::string name = "layer " + std::to_string(layer);
        const std::size_t chains_size = Set::len * Set::n;
        parts.push_back({name + ", chains", first, chains_size});
        parts.push_back(
            {name + ", path", first + chains_size, Set::xmss_signature_size - chains_size});
        first += Set::xmss_signature_size;
    }
    return parts;
}

template <class Set>
class verifying : public testing::Test {
protected:
    // One bit, one byte, or up to n bytes in a row.
    void damage(MutableBytes bytes) {
        const std::size_t at = generator() % bytes.size();
        const std::uint64_t kind = generator() % 3;
        if (kind == 0) {
            bytes[at] ^= static_cast<std::uint8_t>(1U << (generator() % 8));
            return;
        }
        const std::size_t count = kind == 1 ? 1 : 1 + generator() % Set::n;
        for (std::uint8_t& byte : bytes.subspan(at, std::min(count, bytes.size() - at))) {
            byte ^= static_cast<std::uint8_t>(1 + generator() % 255);
        }
    }

    const Signed<Set>& good = Signed<Set>::example();
    std::mt19937_64 generator = seeded();
};
TYPED_TEST_SUITE_P(verifying);

TYPED_TEST_P(verifying, signature__each_part_damaged__refused_as_by_openssl) {
    using Set = TypeParam;
    this->good.expect_accepted();
    const std::vector<Part> parts = parts_of_signature<Set>();
    ASSERT_EQ(parts.back().first + parts.back().size, Set::signature_size);
    const std::size_t rounds = 160 / parts.size();
    for (std::size_t round = 0; round < rounds; ++round) {
        for (const Part& part : parts) {
            Signed<Set> bad = this->good;
            this->damage(MutableBytes(bad.signature).subspan(part.first, part.size));
            bad.expect_refused(round, part.name);
        }
    }
}

TYPED_TEST_P(verifying, signature__parts_exchanged_or_constant__refused_as_by_openssl) {
    using Set = TypeParam;
    const auto exchanged = [&](std::size_t first, std::size_t size) {
        Signed<Set> bad = this->good;
        const auto begin = bad.signature.begin() + static_cast<std::ptrdiff_t>(first);
        const auto middle = begin + static_cast<std::ptrdiff_t>(size);
        std::swap_ranges(begin, middle, middle);
        return bad;
    };
    exchanged(Set::n, (1 + Set::a) * Set::n).expect_refused(0, "two trees of FORS");
    for (unsigned layer = 0; layer + 1 < Set::d; ++layer) {
        const std::size_t end = Set::signature_size - layer * Set::xmss_signature_size;
        exchanged(end - 2 * Set::xmss_signature_size, Set::xmss_signature_size)
            .expect_refused(layer, "two layers");
    }
    for (const std::uint8_t fill : {std::uint8_t{0x00}, std::uint8_t{0xff}}) {
        Signed<Set> bad = this->good;
        std::ranges::fill(bad.signature, fill);
        bad.expect_refused(0, "constant");
    }
}

TYPED_TEST_P(verifying, signature__truncated_or_extended__refused_as_by_openssl) {
    const std::size_t whole = this->good.signature.size();
    for (std::size_t i = 0; i < 100; ++i) {
        auto bad = this->good;
        bad.signature.resize(i < 4 ? i : this->generator() % whole);
        bad.expect_refused(i, "truncated to " + std::to_string(bad.signature.size()));
        bad = this->good;
        const ByteVector more = random_bytes(this->generator, 1 + (i < 4 ? i : i * i));
        bad.signature.insert(bad.signature.end(), more.begin(), more.end());
        bad.expect_refused(i, "extended by " + std::to_string(more.size()));
    }
}

TYPED_TEST_P(verifying, key_message_and_context__damaged__refused_as_by_openssl) {
    using Set = TypeParam;
    for (std::size_t i = 0; i < 12; ++i) {
        auto bad = this->good;
        this->damage(MutableBytes(bad.key).first(Set::n));
        bad.expect_refused(i, "PK.seed");
        bad = this->good;
        this->damage(MutableBytes(bad.key).last(Set::n));
        bad.expect_refused(i, "PK.root");
        bad = this->good;
        this->damage(bad.message);
        bad.expect_refused(i, "message");
        bad = this->good;
        this->damage(bad.context);
        bad.expect_refused(i, "context");
    }
}

TYPED_TEST_P(verifying, message_and_context__of_another_length__refused_as_by_openssl) {
    auto bad = this->good;
    bad.message.pop_back();
    bad.expect_refused(0, "shorter message");
    bad = this->good;
    bad.message.push_back(0);
    bad.expect_refused(1, "longer message");
    bad = this->good;
    bad.context.pop_back();
    bad.expect_refused(2, "shorter context");
    bad = this->good;
    bad.context.push_back(0);
    bad.expect_refused(0, "longer context");
    bad = this->good;
    bad.context.resize(256);
    bad.expect_refused(1, "context that is too long");
    bad = this->good;
    bad.context.clear();
    bad.message.clear();
    bad.expect_refused(2, "nothing");
    // A byte moved from the one to the other.
    bad = this->good;
    bad.message.insert(bad.message.begin(), bad.context.back());
    bad.context.pop_back();
    bad.expect_refused(0, "moved to the message");
    bad = this->good;
    bad.context.push_back(bad.message.front());
    bad.message.erase(bad.message.begin());
    bad.expect_refused(1, "moved to the context");
}

REGISTER_TYPED_TEST_SUITE_P(verifying, signature__each_part_damaged__refused_as_by_openssl,
                            signature__parts_exchanged_or_constant__refused_as_by_openssl,
                            signature__truncated_or_extended__refused_as_by_openssl,
                            key_message_and_context__damaged__refused_as_by_openssl,
                            message_and_context__of_another_length__refused_as_by_openssl);

}  // namespace quoin::core::slh_dsa

// ML-DSA signatures made by others: C2SP/wycheproof, by way of Botan's test data.
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <fstream>

#include "host/crypto/crypto.hpp"

namespace quoin::crypto {
namespace {

struct Counts {
    int valid = 0;
    int invalid = 0;
};

class VectorFile {
public:
    explicit VectorFile(const std::string& path) : file_(path) {}

    Counts run() {
        for (std::string line; std::getline(file_, line);) {
            if (line.starts_with('#')) title_ = line;
            const std::size_t equals = line.find(" = ");
            if (line.starts_with('#') || equals == std::string::npos) continue;
            take(line.substr(0, equals), line.substr(equals + 3));
        }
        return counts_;
    }

private:
    void take(const std::string& name, const std::string& value) {
        if (name == "Mode") mode_ = value;
        if (name == "Key") key_ = from_hex(value);
        if (name == "Msg") message_ = from_hex(value);
        if (name == "Signature") signature_ = from_hex(value);
        if (name == "Valid") check(value == "1");
    }

    void check(bool valid) {
        ASSERT_TRUE(key_ && message_ && signature_) << title_;
        const Algorithm algorithm = mode_ == "ML-DSA-4x4"   ? Algorithm::ml_dsa_44
                                    : mode_ == "ML-DSA-6x5" ? Algorithm::ml_dsa_65
                                                            : Algorithm::ml_dsa_87;
        EVP_PKEY* raw = EVP_PKEY_new_raw_public_key_ex(nullptr, info(algorithm).openssl_name,
                                                       nullptr, key_->data(), key_->size());
        const bool verified = raw != nullptr && PublicKey(raw).verify(*message_, *signature_);
        EXPECT_EQ(verified, valid) << mode_ << " " << title_;
        (valid ? counts_.valid : counts_.invalid) += 1;
    }

    std::ifstream file_;
    std::string title_, mode_;
    Result<ByteVector> key_ = fail(Code::input_not_found, "none");
    Result<ByteVector> message_ = fail(Code::input_not_found, "none");
    Result<ByteVector> signature_ = fail(Code::input_not_found, "none");
    Counts counts_;
};

TEST(vectors, ml_dsa_verify__the_few_in_this_folder) {
    const Counts counts = VectorFile("host/crypto/vectors/ml_dsa_verify.vec").run();
    EXPECT_EQ(counts.valid, 3);
    EXPECT_EQ(counts.invalid, 9);
}

TEST(vectors, ml_dsa_verify__all_in_shared) {
    const std::string path = "../shared/vectors/ml_dsa_verify.vec";
    if (!std::ifstream(path)) GTEST_SKIP() << "NOT RUN: " << path << " is not there";
    const Counts counts = VectorFile(path).run();
    EXPECT_EQ(counts.valid, 175);
    EXPECT_EQ(counts.invalid, 46);
}

}  // namespace
}  // namespace quoin::crypto

// For tests: arithmetic modulo a number by OpenSSL's BIGNUM, on little-endian bytes.
#pragma once

#include <gtest/gtest.h>
#include <openssl/bn.h>

#include <memory>
#include <string>

#include "core/crypto/test_hex.hpp"

namespace quoin::core::test {

class Number {
public:
    Number() : bn_(BN_new(), &BN_free) {}
    explicit Number(Bytes little_endian) : Number() {
        BN_lebin2bn(little_endian.data(), static_cast<int>(little_endian.size()), bn_.get());
    }
    static Number of_hex(const char* text) {
        Number n;
        BIGNUM* raw = n.bn_.get();
        EXPECT_NE(BN_hex2bn(&raw, text), 0);
        return n;
    }

    Number plus(const Number& b) const {
        Number sum;
        BN_add(sum.bn_.get(), bn_.get(), b.bn_.get());
        return sum;
    }
    Number minus(const Number& b) const {
        Number difference;
        BN_sub(difference.bn_.get(), bn_.get(), b.bn_.get());
        return difference;
    }
    Number times(const Number& b) const {
        const Context context;
        Number product;
        BN_mul(product.bn_.get(), bn_.get(), b.bn_.get(), context.get());
        return product;
    }
    Number modulo(const Number& m) const {
        const Context context;
        Number rest;
        BN_nnmod(rest.bn_.get(), bn_.get(), m.bn_.get(), context.get());
        return rest;
    }
    ByteVector bytes(std::size_t size = 32) const {
        ByteVector little_endian(size);
        EXPECT_EQ(BN_bn2lebinpad(bn_.get(), little_endian.data(), static_cast<int>(size)),
                  static_cast<int>(size));
        return little_endian;
    }

private:
    struct Context : std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)> {
        Context() : unique_ptr(BN_CTX_new(), &BN_CTX_free) {}
    };
    std::unique_ptr<BIGNUM, decltype(&BN_free)> bn_;
};

}  // namespace quoin::core::test

// SHA3-512 of what comes piece by piece. Threads: one owner.
#pragma once

#include <memory>

#include "host/crypto/crypto.hpp"

namespace quoin::crypto {

class Sha3_512Stream {
public:
    static Result<Sha3_512Stream> begin();
    Result<void> add(Bytes piece);
    Result<Sha3_512Digest> finish();  // ends it

private:
    struct Free {
        void operator()(EVP_MD_CTX* context) const noexcept;
    };
    using Context = std::unique_ptr<EVP_MD_CTX, Free>;
    explicit Sha3_512Stream(Context context) : context_(std::move(context)) {}
    Context context_;
};

}  // namespace quoin::crypto

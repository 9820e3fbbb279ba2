#include <fmt/ranges.h>

#include "host/lms/engine.hpp"

namespace quoin::lms {
namespace {

namespace lms = core::lms;

Result<lms::Parameters> parameters_of(const Shape& shape) {
    auto made = lms::Parameters::make(shape.levels);
    if (!made) {
        return fail(Code::input_invalid,
                    "LMS takes 1 to {} levels of height 5, 10, 15, 20 or 25 and width 1, 2, 4 or "
                    "8, heights of at most {} together",
                    lms::max_levels, lms::max_total_height);
    }
    return *made;
}

}  // namespace

std::string_view hash_name(Hash hash) {
    switch (hash) {
        case Hash::sha256:
            return "sha256";
        case Hash::sha256_192:
            return "sha256-192";
        case Hash::shake256:
            return "shake256";
        case Hash::shake256_192:
            return "shake256-192";
    }
    return "unknown";
}

std::size_t digest_size(Hash hash) {
    return with_family(hash, []<class Family>() { return Family::n; });
}

std::string describe(const Shape& shape) {
    std::vector<std::string> levels;
    levels.reserve(shape.levels.size());
    for (const Level level : shape.levels) {
        levels.push_back(fmt::format("H{} W{}", level.height, level.w));
    }
    const bool shake = shape.hash == Hash::shake256 || shape.hash == Hash::shake256_192;
    return fmt::format("{} {}_M{} {}", shape.levels.size() == 1 ? "LMS" : "HSS",
                       shake ? "SHAKE" : "SHA256", digest_size(shape.hash),
                       fmt::join(levels, " / "));
}

std::size_t signature_size(const Shape& shape) {
    const auto parameters = parameters_of(shape);
    if (!parameters) return 0;
    return with_family(shape.hash,
                       [&]<class Family>() { return lms::signature_size<Family>(*parameters); });
}

Result<std::uint64_t> capacity(const Shape& shape) {
    QUOIN_TRY(const lms::Parameters parameters, parameters_of(shape));
    return parameters.capacity();
}

Result<Shape> shape_of_public_key(Bytes public_key) {
    core::Reader reader(public_key);
    const auto count = reader.take_unsigned<4>();
    const auto type = reader.take_unsigned<4>();
    const auto ots = reader.take_unsigned<4>();
    if (!count || !type || !ots || *count < 1 || *count > lms::max_levels) {
        return fail(Code::peer_malformed, "is no LMS public key");
    }
    for (const Hash hash : {Hash::sha256, Hash::sha256_192, Hash::shake256, Hash::shake256_192}) {
        const auto level =
            with_family(hash, [&]<class Family>() { return lms::level_of<Family>(*type, *ots); });
        if (level && public_key.size() == 28 + digest_size(hash)) return Shape{hash, {*level}};
    }
    return fail(Code::peer_malformed, "is an LMS public key of types {} and {}, unknown here",
                *type, *ots);
}

Result<std::string> describe_public_key(Bytes public_key) {
    QUOIN_TRY(const Shape shape, shape_of_public_key(public_key));
    const int levels = public_key[3];  // u32str(L), at most 8
    if (levels == 1) return describe(shape);
    return fmt::format("HSS of {} levels, the top one {}", levels, describe(shape).substr(4));
}

bool runs_low(std::uint64_t left, std::uint64_t capacity) { return left < capacity / 10; }

}  // namespace quoin::lms

// Inputs that several algorithms share.
#pragma once

#include "core/crypto/known_answers/operation.hpp"

namespace quoin::core::known_answers {

// 0 to 255, four times.
inline constexpr auto kilobyte = [] {
    std::array<std::uint8_t, 1024> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i);
    return bytes;
}();

}  // namespace quoin::core::known_answers

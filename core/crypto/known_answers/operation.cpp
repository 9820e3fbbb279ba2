#include "core/crypto/known_answers/operation.hpp"

namespace quoin::core::known_answers {

bool same(Bytes a, Bytes b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i] != b[i]) return false;
    }
    return true;
}

}  // namespace quoin::core::known_answers

// Run under valgrind by ctest, input marked undefined: nothing may branch or index on it.
// usage: keccak_constant_time_check portable | interleaved | avx2 | avx2_four | leak
#include <cstdio>
#include <string_view>

#include "core/crypto/keccak/keccak.hpp"
#include "core/crypto/test_valgrind.hpp"

namespace quoin::core::keccak {
namespace {

using Message = std::array<std::uint8_t, 300>;
using Output = std::array<std::uint8_t, 400>;

Message undefined_message() {
    Message message{};
    VALGRIND_MAKE_MEM_UNDEFINED(message.data(), message.size());
    return message;
}

// The output is made public, and used so that nothing is optimised away.
int use(Output& output) {
    VALGRIND_MAKE_MEM_DEFINED(output.data(), output.size());
    return output[0] == output[1] ? 0 : 1;
}

template <class Backend>
void one() {
    Output output{};
    Shake128<Backend>::digest(output, undefined_message());
    std::fprintf(stderr, "%d\n", use(output));
}

void four() {
    const Message message = undefined_message();
    std::array<Output, 4> outputs{};
    Shake256x4<Avx2> xof;
    xof.absorb_common(message);
    xof.squeeze({outputs[0], outputs[1], outputs[2], outputs[3]});
    for (Output& output : outputs) std::fprintf(stderr, "%d\n", use(output));
}

void leak() {
    Output output{};
    Shake128<>::digest(output, undefined_message());
    if (output[0] == 0) std::fputs("zero\n", stderr);
}

bool run(std::string_view what) {
    if (what == "portable") return one<Portable>(), true;
    if (what == "interleaved") return one<Interleaved>(), true;
    if (what == "leak") return leak(), true;
    if constexpr (avx2_is_built) {
        if (what == "avx2") return one<Avx2>(), true;
        if (what == "avx2_four") return four(), true;
    }
    return false;
}

}  // namespace
}  // namespace quoin::core::keccak

int main(int argument_count, char** arguments) {
    return quoin::core::test::run_check(argument_count, arguments, quoin::core::keccak::run);
}

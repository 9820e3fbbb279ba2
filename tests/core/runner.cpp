#include "tests/core/runner.hpp"

#include "tests/core/image.hpp"
#include "tests/core/platform.hpp"

namespace quoin::tests {
namespace {

using namespace std::string_view_literals;

struct Outcome {
    bool passed = true;
    std::size_t stack_bytes = 0;     // the most of all rounds
    std::uint64_t instructions = 0;  // the mean of all rounds
};

void write_number(std::uint64_t number) {
    std::array<char, 20> digits{};
    std::size_t first = digits.size();
    do {
        // 32-bit machines have no 64-bit division: this long division by 10 needs none.
        std::uint64_t quotient = 0;
        std::uint64_t rest = 0;
        for (unsigned bit = 64; bit-- > 0;) {
            rest = (rest << 1U) | ((number >> bit) & 1U);
            quotient <<= 1U;
            if (rest >= 10) {
                rest -= 10;
                quotient |= 1U;
            }
        }
        digits[--first] = static_cast<char>('0' + rest);
        number = quotient;
    } while (number != 0);
    platform::write({digits.data() + first, digits.size() - first});
}

void write_field(std::string_view name, std::uint64_t value) {
    platform::write(",\""sv);
    platform::write(name);
    platform::write("\":"sv);
    write_number(value);
}

// The rounds of an operation are powers of two: the mean is a shift.
unsigned shift_of(unsigned rounds) {
    unsigned shift = 0;
    while ((1U << shift) < rounds) ++shift;
    return shift;
}

Outcome measure(const Memory& memory, const Operation& operation) {
    Outcome outcome;
    for (unsigned round = 0; round < operation.rounds; ++round) {
        platform::paint_stack();
        const std::uint64_t before = platform::instructions();
        const bool done = operation.run(memory, round);
        outcome.instructions += platform::instructions() - before;
        const std::size_t used = platform::stack_used();
        if (used > outcome.stack_bytes) outcome.stack_bytes = used;
        if (!done || (operation.check != nullptr && !operation.check(memory, round))) {
            outcome.passed = false;
        }
    }
    outcome.instructions >>= shift_of(operation.rounds);
    const std::size_t size = platform::stack_size();
    if (size != 0 && outcome.stack_bytes + 64 > size) outcome.passed = false;
    return outcome;
}

void report(const Operation& operation, const Outcome& outcome) {
    platform::write("{\"operation\":\""sv);
    platform::write(operation.name);
    platform::write(outcome.passed ? "\",\"passed\":true"sv : "\",\"passed\":false"sv);
    write_field("rounds"sv, operation.rounds);
    if (outcome.stack_bytes != 0) write_field("stack_bytes"sv, outcome.stack_bytes);
    if (outcome.instructions != 0) write_field("instructions"sv, outcome.instructions);
    platform::write("}\n"sv);
}

}  // namespace

int run_all() {
    int passed = 0;
    int failed = 0;
    for (const Group group : image()) {
        for (const Operation& operation : group()) {
            const Outcome outcome = measure(memory(), operation);
            report(operation, outcome);
            ++(outcome.passed ? passed : failed);
        }
    }
    platform::write("{\"passed\":"sv);
    write_number(static_cast<std::uint64_t>(passed));
    write_field("failed"sv, static_cast<std::uint64_t>(failed));
    write_field("stack_size"sv, platform::stack_size());
    platform::write("}\n"sv);
    return passed == 0 ? 1 : failed;  // an empty image has proved nothing
}

}  // namespace quoin::tests

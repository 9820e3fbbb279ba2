// A UEFI application on x86-64 (UEFI specification 2.10, 4.1 and 12.4): prints on the console.
#include <array>

#include "tests/core/platform.hpp"
#include "tests/core/runner.hpp"

namespace quoin::tests {
namespace {

// Only what is used here; the rest is bytes that must be skipped.
struct TextOutput {
    void* reset;
    std::uint64_t (*output_string)(TextOutput* self, const char16_t* text);
};
struct SystemTable {
    std::array<std::uint8_t, 64> skipped;  // header, vendor, revision, input handles, output handle
    TextOutput* output;
};

TextOutput* output = nullptr;

}  // namespace

namespace platform {

void write(std::string_view text) {
    std::array<char16_t, 2> terminated{};
    for (const char letter : text) {
        terminated[0] = static_cast<char16_t>(letter);
        output->output_string(output, terminated.data());
    }
}

std::uint64_t instructions() { return 0; }
bool instructions_are_counted() { return true; }
void paint_stack() {}
std::size_t stack_used() { return 0; }
std::size_t stack_size() { return 0; }

}  // namespace platform
}  // namespace quoin::tests

// Microsoft's linkers want it wherever a vector register might hold floating-point numbers.
extern "C" int _fltused;
int _fltused = 0;

extern "C" std::uint64_t efi_main(void* image, quoin::tests::SystemTable* table) noexcept;
extern "C" std::uint64_t efi_main(void* /*image*/, quoin::tests::SystemTable* table) noexcept {
    quoin::tests::output = table->output;
    return quoin::tests::run_all() == 0 ? 0 : 1;
}

// A Cortex-M4 in qemu-system-arm: start-up, semihosting, an instruction counter, a painted stack.
//
// Memory: image.ld. The stack is at the bottom of the RAM: below it is nothing, so that an overflow
// faults at once and cannot spoil data.
#include <array>

#include "tests/core/platform.hpp"
#include "tests/core/runner.hpp"

extern "C" {
// image.ld's symbols: only their addresses mean something.
extern std::uint32_t stack_bottom, stack_top, data_start, data_end, bss_start, bss_end;
extern const std::uint32_t data_source;
[[noreturn]] void reset() noexcept;
void fault() noexcept;
[[noreturn]] void after_fault() noexcept;
void tick() noexcept;
}

namespace quoin::tests {
namespace {

// Arm's semihosting: the debugger, here QEMU, does it at this breakpoint.
int semihost(int operation, const void* argument) {
    register int r0 asm("r0") = operation;
    register const void* r1 asm("r1") = argument;
    asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}
constexpr int sys_write0 = 0x04;
constexpr int sys_exit_extended = 0x20;
constexpr std::uint32_t stopped_application_exit = 0x20026;

[[noreturn]] void end(std::uint32_t code) {
    const std::array<std::uint32_t, 2> reason{stopped_application_exit, code};
    semihost(sys_exit_extended, reason.data());
    while (true) {
    }
}

constexpr std::uint32_t pattern = 0xA5A55A5A;
// Left alone below the painter's own frame.
constexpr std::uint32_t margin_words = 16;

std::uint32_t* stack_pointer() {
    std::uint32_t* pointer = nullptr;
    asm volatile("mov %0, sp" : "=r"(pointer));
    return pointer;
}

std::uint32_t* painted_from = nullptr;

}  // namespace

namespace platform {

void write(std::string_view text) {
    std::array<char, 64> terminated{};
    while (!text.empty()) {
        const std::size_t size = text.size() < 63 ? text.size() : 63;
        for (std::size_t i = 0; i < size; ++i) terminated[i] = text[i];
        terminated[size] = 0;
        semihost(sys_write0, terminated.data());
        text.remove_prefix(size);
    }
}

// SysTick, and how often it has wrapped: it is read at least once in each 2^24 ticks of 40
// instructions, or its interrupt counts. One nanosecond an instruction (-icount shift=0), 25 MHz.
volatile std::uint32_t* const systick = reinterpret_cast<volatile std::uint32_t*>(0xE000E010);
volatile std::uint32_t wraps = 0;
constexpr std::uint32_t systick_reload = 0x00FFFFFF;

std::uint64_t instructions() {
    while (true) {
        const std::uint32_t before = wraps;
        const std::uint32_t left = systick[2];
        if (before == wraps) {
            return 40 * ((std::uint64_t{before} << 24U) + (systick_reload - left));
        }
    }
}

bool instructions_are_counted() {
    const std::uint64_t before = instructions();
    std::uint32_t left = 500'000;
    asm volatile("1: subs %0, %0, #1\n bne 1b" : "+r"(left) : : "cc");
    const std::uint64_t counted = instructions() - before;
    return counted >= 999'900 && counted <= 1'000'200;
}

void start_systick() {
    systick[1] = systick_reload;
    systick[2] = 0;
    systick[0] = 7;  // on, with its interrupt, on the processor's clock
}

[[gnu::noinline]] void paint_stack() {
    painted_from = stack_pointer();
    for (std::uint32_t* word = &stack_bottom; word < painted_from - margin_words; ++word) {
        *word = pattern;
    }
}

[[gnu::noinline]] std::size_t stack_used() {
    const std::uint32_t* word = &stack_bottom;
    while (word < painted_from && *word == pattern) ++word;
    return static_cast<std::size_t>(painted_from - word) * sizeof *word;
}

std::size_t stack_size() {
    return static_cast<std::size_t>(&stack_top - &stack_bottom) * sizeof(std::uint32_t);
}

}  // namespace platform
}  // namespace quoin::tests

extern "C" void reset() noexcept {
    const std::uint32_t* source = &data_source;
    for (std::uint32_t* word = &data_start; word < &data_end;) *word++ = *source++;
    for (std::uint32_t* word = &bss_start; word < &bss_end;) *word++ = 0;
    quoin::tests::platform::start_systick();
    quoin::tests::end(quoin::tests::run_all() == 0 ? 0 : 1);
}

// The stack may be what is at fault: begin a new one.
extern "C" [[gnu::naked]] void fault() noexcept {
    asm volatile("ldr r0, =stack_top\n mov sp, r0\n b after_fault");
}

extern "C" void after_fault() noexcept {
    quoin::tests::platform::write("{\"fault\":true}\n");
    quoin::tests::end(3);
}

extern "C" void tick() noexcept {
    quoin::tests::platform::wraps = quoin::tests::platform::wraps + 1;
}

namespace {
using Handler = void (*)() noexcept;
struct Vectors {
    std::uint32_t* stack;
    std::array<Handler, 15> handlers;
};
// Armv7-M, B1.5.2: reset, NMI, the faults (3 to 6), and SysTick (15).
[[gnu::section(".vectors"), gnu::used]] constinit const Vectors vectors{
    &stack_top,
    {reset, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault,
     fault, tick}};
}  // namespace

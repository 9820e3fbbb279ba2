// Compiled in every build with -ffreestanding -fno-exceptions -fno-rtti: the headers of core/base
// must go where there is no operating system. Not linked into anything.
#include <array>

#include "core/base/bytes.hpp"
#include "core/base/constant_time.hpp"
#include "core/base/result.hpp"
#include "core/base/secret.hpp"

namespace quoin::core {

struct Key;
Result<bool> use_everything(Bytes input, MutableBytes output);

Result<bool> use_everything(Bytes input, MutableBytes output) {
    Reader reader(input);
    QUOIN_TRY(const std::uint64_t number, reader.take_unsigned<4>());
    QUOIN_TRY(const Bytes rest, reader.take(reader.remaining()));
    QUOIN_CHECK(reader.finish());
    Writer writer(output);
    QUOIN_CHECK(writer.put_unsigned<4>(number));
    QUOIN_CHECK(writer.put(rest));
    QUOIN_CHECK(writer.finish());
    std::array<std::uint8_t, 32> bytes{};
    Secret<Key, 32> secret(bytes);
    const Secret<Key, 32> moved(std::move(secret));
    return ct::equal(moved.expose(), writer.written());
}

}  // namespace quoin::core

#include <memory_store.hpp>

#include "host/keys/conformance.hpp"

namespace quoin::keys {
namespace {

class MemoryFixture final : public StoreFixture {
public:
    Result<std::unique_ptr<SecurityProvider>> create() override { return example::create(memory_); }
    Result<std::unique_ptr<SecurityProvider>> open() override { return example::open(memory_); }

private:
    std::shared_ptr<example::Memory> memory_ = example::make_memory();
};

INSTANTIATE_TEST_SUITE_P(memory, Conformance, testing::Values([] {
                             return std::unique_ptr<StoreFixture>(
                                 std::make_unique<MemoryFixture>());
                         }));

}  // namespace
}  // namespace quoin::keys

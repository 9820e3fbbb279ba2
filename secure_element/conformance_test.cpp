// quoin-se as a key store: the suite of host/keys, over the real process, by the socket and by the
// emulated bus.
#include "host/keys/conformance.hpp"

#include "host/keys/se/store.hpp"
#include "secure_element/process_fixture.hpp"

namespace quoin::keys {
namespace {

template <bool over_bus>
class Fixture final : public StoreFixture {
public:
    Result<std::unique_ptr<SecurityProvider>> create() override {
        element_.stop();
        std::filesystem::remove_all(element_.home);
        if (!element_.start({"--bus-socket", bus_socket()})) {
            return fail(Code::internal, "{}", element_.log());
        }
        return se::create(secure_element::must(Uri::parse(uri())));
    }
    Result<std::unique_ptr<SecurityProvider>> open() override {
        element_.stop();
        if (!element_.start({"--bus-socket", bus_socket()})) {
            return fail(Code::internal, "{}", element_.log());
        }
        return se::open(secure_element::must(Uri::parse(uri())));
    }

private:
    std::string bus_socket() const { return element_.socket.string() + ".bus"; }
    std::string uri() const {
        return over_bus ? fmt::format("se:socket={};bus=spi-10m", bus_socket())
                        : fmt::format("se:socket={}", element_.socket.string());
    }
    secure_element::ElementProcess element_;
};

template <bool over_bus>
std::unique_ptr<StoreFixture> make() {
    return std::make_unique<Fixture<over_bus>>();
}
INSTANTIATE_TEST_SUITE_P(socket, Conformance, testing::Values(make<false>));
INSTANTIATE_TEST_SUITE_P(bus, Conformance, testing::Values(make<true>));

}  // namespace
}  // namespace quoin::keys

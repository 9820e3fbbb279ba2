// Any topic and any client id: a place that is not `elsewhere` has the exact shape of its row, and
// no client but its own device or a service ever touches a device's branch.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "broker/feed_fixture.hpp"
#include "broker/policy.hpp"
#include "broker/topic.hpp"

namespace {

using namespace quoin::broker;

constexpr std::string_view site = "plant";

const StateTable& full_table() {
    static const FakeIssuer fake;
    static const StateTable table = [] {
        StateTable built{std::string(site), fake.issuer_key()};
        built.open({});
        const Now now{1, 1};
        const quoin::feed::Device device{1, "mpu-1", 1, quoin::feed::Grant::full, "", "", {}};
        for (const quoin::feed::ToPlugin& line :
             {quoin::feed::ToPlugin{FakeIssuer::hello(1, 1'000'000)}, quoin::feed::ToPlugin{device},
              quoin::feed::ToPlugin{fake.end({device}, 1)}}) {
            if (!built.apply(line, now)) std::abort();
        }
        return built;
    }();
    return table;
}

void check_target(std::string_view topic) {
    const Target target = target_of(site, topic);
    if (target.place == Place::elsewhere) return;
    if (topic.find('#') != std::string_view::npos) std::abort();
    if (target.place == Place::plant_event) {
        if (!topic.starts_with("quoin-events/plant/")) std::abort();
        return;
    }
    const std::string device = target.any_device ? "+" : std::string(target.device);
    if (!topic.starts_with("quoin/plant/" + device + "/")) std::abort();
    const bool wildcard = topic.find('+') != std::string_view::npos;
    if (wildcard != (target.any_device || target.any_stream)) std::abort();
}

void check_access(std::string_view client, std::string_view topic) {
    for (const Access access : {Access::read, Access::write, Access::subscribe}) {
        if (!may(full_table(), client, access, topic, {2, 2})) continue;
        if (client.starts_with("service.")) continue;
        if (!topic.starts_with("quoin/plant/" + std::string(client) + "/")) std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const std::size_t split = input.find('\n');
    const std::string_view topic = input.substr(0, split);
    const std::string_view client = split == input.npos ? "mpu-1" : input.substr(split + 1);
    check_target(topic);
    check_access(client, topic);
    if (printable(input).size() > 64) std::abort();
    return 0;
}

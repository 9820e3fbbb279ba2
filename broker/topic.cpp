#include "broker/topic.hpp"

#include <array>
#include <cstddef>

#include "host/x509/identity.hpp"

namespace quoin::broker {
namespace {

constexpr std::size_t max_levels = 5;

struct Levels {
    std::array<std::string_view, max_levels> level{};
    std::size_t count = 0;  // max_levels + 1: too many
};

Levels split(std::string_view topic) {
    Levels levels;
    while (true) {
        const std::size_t slash = topic.find('/');
        if (levels.count < max_levels) levels.level[levels.count] = topic.substr(0, slash);
        ++levels.count;
        if (slash == std::string_view::npos || levels.count > max_levels) return levels;
        topic.remove_prefix(slash + 1);
    }
}

bool is_stream(std::string_view text) {
    return !text.empty() && text.size() <= 64 &&
           text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") ==
               std::string_view::npos;
}

Place place_of(std::string_view branch) {
    if (branch == "event") return Place::event;
    if (branch == "cmd") return Place::cmd;
    return Place::elsewhere;
}

Place place_of(std::string_view branch, std::string_view leaf) {
    const bool stream = leaf == "+" || is_stream(leaf);
    if (branch == "telemetry" && stream) return Place::telemetry;
    if (branch == "ack" && stream) return Place::ack;
    if (branch == "attest" && leaf == "challenge") return Place::challenge;
    if (branch == "attest" && leaf == "evidence") return Place::evidence;
    return Place::elsewhere;
}

bool is_plant_event(std::string_view site, std::string_view topic) {
    constexpr std::string_view prefix = "quoin-events/";
    if (!topic.starts_with(prefix)) return false;
    topic.remove_prefix(prefix.size());
    if (!topic.starts_with(site)) return false;
    topic.remove_prefix(site.size());
    return topic.size() > 1 && topic.front() == '/' &&
           topic.find_first_of("+#") == std::string_view::npos;
}

}  // namespace

Target target_of(std::string_view site, std::string_view topic) {
    if (is_plant_event(site, topic)) return {.place = Place::plant_event};
    const Levels levels = split(topic);
    const auto& level = levels.level;
    if (levels.count < 4 || levels.count > 5 || level[0] != "quoin" || level[1] != site) return {};
    const bool any_device = level[2] == "+";
    if (!any_device && !x509::is_valid_id(level[2])) return {};
    const Place place = levels.count == 4 ? place_of(level[3]) : place_of(level[3], level[4]);
    if (place == Place::elsewhere) return {};
    return {.place = place,
            .device = any_device ? std::string_view{} : level[2],
            .any_device = any_device,
            .any_stream = levels.count == 5 && level[4] == "+"};
}

}  // namespace quoin::broker

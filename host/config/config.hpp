// Configuration files (TOML): every key is bound to a variable, with its type and range.
//
//     QUOIN_TRY(auto document, config::Document::load(home / "quoin.toml"));
//     auto root = document.root();
//     root.text("site", site, config::required);
//     auto verifier = root.table("verifier");
//     verifier.integer("period_s", period_s, {1, 86'400});
//     QUOIN_CHECK(document.finish());
//
// A key that is absent leaves its variable as it was: set the default before. conf.d/*.toml beside
// the file are laid over it in the order of their names; the last file that has a key wins, tables
// are laid over each other, arrays are replaced. At most 1 MiB a file. Errors name file, line and
// key: config_unknown_key (with the nearest known one), config_missing, config_invalid. Threads:
// one at a time.
#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/error.hpp"

namespace quoin::config {

inline constexpr std::size_t max_file_size = 1U << 20U;

enum class Presence : std::uint8_t { optional, required };
inline constexpr Presence required = Presence::required;

template <class T>
struct Range {
    T least = std::numeric_limits<T>::lowest();
    T most = std::numeric_limits<T>::max();
};

struct State;

// One table. A table that is absent is empty, so that its required keys are reported as missing.
class Section {
public:
    // Given texts must not be empty.
    void text(std::string_view key, std::string& value, Presence presence = Presence::optional);
    void choice(std::string_view key, std::string& value, std::span<const std::string_view> allowed,
                Presence presence = Presence::optional);
    void flag(std::string_view key, bool& value);
    void number(std::string_view key, double& value, Range<double> range,
                Presence presence = Presence::optional);
    void texts(std::string_view key, std::vector<std::string>& values);
    template <std::integral T>
    void integer(std::string_view key, T& value, Range<T> range,
                 Presence presence = Presence::optional) {
        static_assert(sizeof(T) < 8 || std::signed_integral<T>,
                      "TOML integers are signed, 64 bits");
        std::int64_t wide = value;
        integer_in(key, wide, {range.least, range.most}, presence);
        value = static_cast<T>(wide);
    }

    Section table(std::string_view key);
    std::vector<Section> tables(std::string_view key);  // [[key]]
    bool has(std::string_view key) const;
    // From here on a danger_ flag that is true is an error, in the whole document.
    void forbid_danger();
    // Says at the place of `key` what is wrong with a value that only the caller can judge.
    void refuse(std::string_view key, std::string_view problem);

private:
    friend class Document;
    explicit Section(std::shared_ptr<State> state, std::size_t record)
        : state_(std::move(state)), record_(record) {}
    void integer_in(std::string_view key, std::int64_t& value, Range<std::int64_t> range,
                    Presence presence);
    std::shared_ptr<State> state_;
    std::size_t record_;  // of this table in the state
};

class Document {
public:
    // The file and conf.d/*.toml beside it.
    static Result<Document> load(const std::filesystem::path& file);
    // `name` stands for the file in messages.
    static Result<Document> parse(std::string_view text, std::string_view name);

    Section root() const;
    // After everything is bound: the first error, or nothing.
    Result<void> finish() const;

private:
    explicit Document(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
};

}  // namespace quoin::config

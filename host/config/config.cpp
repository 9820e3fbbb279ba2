#include "host/config/config.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <toml++/toml.hpp>

#include "host/files/files.hpp"

namespace quoin::config {

namespace {

struct Record {
    std::string prefix;                      // "" or "verifier."
    std::string file;                        // for keys that are missing
    std::vector<const toml::table*> layers;  // the last one wins
    std::set<std::string, std::less<>> known;
};

}  // namespace

struct State {
    std::vector<toml::table> documents;
    std::vector<Record> records;
    std::vector<Error> errors;
    bool is_danger_forbidden = false;
};

namespace {

std::string place_of(const toml::source_region& source) {
    return fmt::format("{}:{}", source.path ? *source.path : std::string("configuration"),
                       source.begin.line);
}

// The least number of insertions, deletions and replacements that make `b` of `a`.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
        }
    }
    return row[b.size()];
}

constexpr std::size_t max_compared_size = 64;  // bytes; longer keys are nobody's typing mistake

std::string hint(const Record& record, std::string_view key) {
    if (record.known.empty() || key.size() > max_compared_size) return "";
    const auto nearest = std::ranges::min_element(
        record.known, {}, [&](const std::string& known) { return distance(key, known); });
    return fmt::format("; did you mean \"{}{}\"?", record.prefix, *nearest);
}

void collect_unknown(const Record& record, std::vector<Error>& errors) {
    for (const toml::table* layer : record.layers) {
        for (const auto& [key, node] : *layer) {
            if (record.known.contains(key.str())) continue;
            errors.push_back({Code::config_unknown_key,
                              fmt::format("{}: key \"{}{}\" is not known{}", place_of(key.source()),
                                          record.prefix, key.str(), hint(record, key.str()))});
        }
    }
}

const toml::node* find(const Record& record, std::string_view key) {
    for (auto layer = record.layers.rbegin(); layer != record.layers.rend(); ++layer) {
        if (const toml::node* node = (*layer)->get(key)) return node;
    }
    return nullptr;
}

std::string place_of(const Record& record, std::string_view key) {
    const toml::node* node = find(record, key);
    return node != nullptr ? place_of(node->source()) : record.file;
}

void refuse_at(State& state, const Record& record, std::string_view key, std::string_view problem) {
    state.errors.push_back(
        {Code::config_invalid,
         fmt::format("{}: \"{}{}\" {}", place_of(record, key), record.prefix, key, problem)});
}

// The node of the key, which becomes known; null when it is absent (an error when required).
const toml::node* bind(State& state, std::size_t index, std::string_view key, Presence presence) {
    Record& record = state.records[index];
    record.known.emplace(key);
    const toml::node* node = find(record, key);
    if (node == nullptr && presence == Presence::required) {
        state.errors.push_back(
            {Code::config_missing,
             fmt::format("{}: \"{}{}\" is missing", record.file, record.prefix, key)});
    }
    return node;
}

std::size_t add_record(State& state, Record record) {
    state.records.push_back(std::move(record));
    return state.records.size() - 1;
}

Result<toml::table> parse_toml(std::string_view text, std::string_view name) {
    try {
        return toml::parse(text, name);
    } catch (const toml::parse_error& error) {
        return fail(Code::config_invalid, "{}:{}: {}", name, error.source().begin.line,
                    error.description());
    }
}

Result<toml::table> parse_file(const std::filesystem::path& file) {
    QUOIN_TRY(const std::string text, files::read(file, max_file_size));
    return parse_toml(text, file.string());
}

Result<std::vector<std::filesystem::path>> overlays(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> found;
    std::error_code failure;
    if (!std::filesystem::is_directory(folder, failure)) return found;
    std::filesystem::directory_iterator entry(folder, failure);
    for (; !failure && entry != std::filesystem::directory_iterator(); entry.increment(failure)) {
        if (entry->path().extension() == ".toml") found.push_back(entry->path());
    }
    if (failure) {
        return fail(Code::config_invalid, "{}: cannot read: {}", folder.string(),
                    failure.message());
    }
    std::ranges::sort(found);
    return found;
}

std::shared_ptr<State> make_state(std::vector<toml::table> documents, std::string file) {
    auto state = std::make_shared<State>();
    state->documents = std::move(documents);
    Record root{.prefix = "", .file = std::move(file), .layers = {}, .known = {}};
    for (const toml::table& document : state->documents) root.layers.push_back(&document);
    add_record(*state, std::move(root));
    return state;
}

}  // namespace

void Section::text(std::string_view key, std::string& value, Presence presence) {
    const toml::node* node = bind(*state_, record_, key, presence);
    if (node == nullptr) return;
    const auto* given = node->as_string();
    if (given == nullptr || given->get().empty()) return refuse(key, "must be a text, not empty");
    value = given->get();
}

void Section::choice(std::string_view key, std::string& value,
                     std::span<const std::string_view> allowed, Presence presence) {
    const toml::node* node = bind(*state_, record_, key, presence);
    if (node == nullptr) return;
    const auto* given = node->as_string();
    if (given == nullptr || std::ranges::find(allowed, given->get()) == allowed.end()) {
        return refuse(key, fmt::format("must be one of {}", fmt::join(allowed, ", ")));
    }
    value = given->get();
}

void Section::flag(std::string_view key, bool& value) {
    const toml::node* node = bind(*state_, record_, key, Presence::optional);
    if (node == nullptr) return;
    const auto* given = node->as_boolean();
    if (given == nullptr) return refuse(key, "must be true or false");
    value = given->get();
    if (value && state_->is_danger_forbidden && key.starts_with("danger_")) {
        refuse(key, "is not allowed in approved mode");
    }
}

void Section::forbid_danger() { state_->is_danger_forbidden = true; }

void Section::number(std::string_view key, double& value, Range<double> range, Presence presence) {
    const toml::node* node = bind(*state_, record_, key, presence);
    if (node == nullptr) return;
    const auto given = node->is_number() ? node->value<double>() : std::nullopt;
    if (!given || !std::isfinite(*given) || *given < range.least || *given > range.most) {
        return refuse(key, fmt::format("must be a number from {} to {}", range.least, range.most));
    }
    value = *given;
}

void Section::integer_in(std::string_view key, std::int64_t& value, Range<std::int64_t> range,
                         Presence presence) {
    const toml::node* node = bind(*state_, record_, key, presence);
    if (node == nullptr) return;
    const auto* given = node->as_integer();
    if (given == nullptr || given->get() < range.least || given->get() > range.most) {
        return refuse(key,
                      fmt::format("must be a whole number from {} to {}", range.least, range.most));
    }
    value = given->get();
}

void Section::texts(std::string_view key, std::vector<std::string>& values) {
    const toml::node* node = bind(*state_, record_, key, Presence::optional);
    if (node == nullptr) return;
    std::vector<std::string> given;
    const toml::array* array = node->as_array();
    for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
        const auto* element = (*array)[i].as_string();
        if (element != nullptr && !element->get().empty()) given.push_back(element->get());
    }
    if (array == nullptr || given.size() != array->size()) {
        return refuse(key, "must be a list of texts, none of them empty");
    }
    values = std::move(given);
}

Section Section::table(std::string_view key) {
    state_->records[record_].known.emplace(key);
    const Record& record = state_->records[record_];
    Record inner{.prefix = fmt::format("{}{}.", record.prefix, key),
                 .file = record.file,
                 .layers = {},
                 .known = {}};
    for (const toml::table* layer : record.layers) {
        const toml::node* node = layer->get(key);
        if (node == nullptr) continue;
        if (node->is_table()) {
            inner.layers.push_back(node->as_table());
        } else {
            refuse(key, "must be a table");
        }
    }
    return Section(state_, add_record(*state_, std::move(inner)));
}

std::vector<Section> Section::tables(std::string_view key) {
    const toml::node* node = bind(*state_, record_, key, Presence::optional);
    std::vector<Section> sections;
    if (node == nullptr) return sections;
    const toml::array* array = node->as_array();
    if (array == nullptr) {
        refuse(key, "must be a list of tables ([[…]])");
        return sections;
    }
    for (std::size_t i = 0; i < array->size(); ++i) {
        const toml::table* element = (*array)[i].as_table();
        if (element == nullptr) {
            refuse(key, "must be a list of tables ([[…]])");
            break;
        }
        const Record& record = state_->records[record_];
        Record inner{.prefix = fmt::format("{}{}[{}].", record.prefix, key, i),
                     .file = place_of(element->source()),
                     .layers = {element},
                     .known = {}};
        sections.push_back(Section(state_, add_record(*state_, std::move(inner))));
    }
    return sections;
}

bool Section::has(std::string_view key) const {
    return find(state_->records[record_], key) != nullptr;
}

void Section::refuse(std::string_view key, std::string_view problem) {
    refuse_at(*state_, state_->records[record_], key, problem);
}

Result<Document> Document::load(const std::filesystem::path& file) {
    std::vector<toml::table> documents;
    QUOIN_TRY(auto main, parse_file(file));
    documents.push_back(std::move(main));
    QUOIN_TRY(const auto more, overlays(file.parent_path() / "conf.d"));
    for (const auto& overlay : more) {
        QUOIN_TRY(auto document, parse_file(overlay));
        documents.push_back(std::move(document));
    }
    return Document(make_state(std::move(documents), file.string()));
}

Result<Document> Document::parse(std::string_view text, std::string_view name) {
    if (text.size() > max_file_size) {
        return fail(Code::config_invalid, "{}: longer than {} bytes", name, max_file_size);
    }
    std::vector<toml::table> documents;
    QUOIN_TRY(auto document, parse_toml(text, name));
    documents.push_back(std::move(document));
    return Document(make_state(std::move(documents), std::string(name)));
}

Section Document::root() const { return Section(state_, 0); }

Result<void> Document::finish() const {
    // Unknown keys first: a mistyped key is also why another one is missing.
    std::vector<Error> errors;
    for (const Record& record : state_->records) collect_unknown(record, errors);
    errors.insert(errors.end(), state_->errors.begin(), state_->errors.end());
    if (errors.empty()) return {};
    if (errors.size() > 1) {
        errors.front().message += fmt::format(" (and {} more)", errors.size() - 1);
    }
    return std::unexpected(errors.front());
}

}  // namespace quoin::config

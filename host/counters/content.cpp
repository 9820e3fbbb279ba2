#include "host/counters/content.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "core/crypto/sha2/sha2.hpp"

namespace quoin::counters {
namespace {

constexpr std::string_view kinds[] = {"sequence", "scarce", "floor"};
constexpr std::size_t checksum_size = 7 + 64 + 1;  // "sha256 ", hex, newline

void put_hex(std::string& text, Bytes bytes) {
    for (const std::uint8_t byte : bytes) fmt::format_to(std::back_inserter(text), "{:02x}", byte);
}

// There may be a hundred thousand of them, while others wait.
void put_number(std::string& text, std::uint64_t value) {
    char digits[20];
    const auto [end, failure] = std::to_chars(std::begin(digits), std::end(digits), value);
    text += ' ';
    text.append(digits, end);
}

// Takes words and lines off the front of a text; once something does not fit, it takes nothing.
class Lines {
public:
    explicit Lines(std::string_view text) : rest_(text) {}

    std::string_view word(char end = ' ') {
        const std::size_t size = good_ ? rest_.find(end) : std::string_view::npos;
        if (size == std::string_view::npos) {
            good_ = false;
            return {};
        }
        const std::string_view taken = rest_.substr(0, size);
        rest_.remove_prefix(size + 1);
        return taken;
    }
    std::uint64_t number(char end = ' ') {
        const std::string_view text = word(end);
        std::uint64_t value = 0;
        const auto [at, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
        good_ = good_ && failure == std::errc() && at == text.data() + text.size();
        return value;
    }
    void expect(std::string_view text) {
        good_ = good_ && rest_.starts_with(text);
        if (good_) rest_.remove_prefix(text.size());
    }
    bool at_end() const { return rest_.empty(); }
    bool good() const { return good_; }

private:
    std::string_view rest_;
    bool good_ = true;
};

bool from_hex(std::string_view text, std::vector<std::uint8_t>& bytes) {
    if (text.size() % 2 != 0 || text.size() > 2 * max_digest_size) return false;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        std::uint8_t byte = 0;
        const auto [at, failure] = std::from_chars(text.data() + i, text.data() + i + 2, byte, 16);
        if (failure != std::errc() || at != text.data() + i + 2) return false;
        bytes.push_back(byte);
    }
    return true;
}

bool take_entry(std::string_view line, Content& content) {
    Lines words(line);
    const auto* const kind = std::ranges::find(kinds, words.word());
    if (kind == std::ranges::end(kinds)) return false;
    const std::string_view name = words.word();
    Entry entry{.kind = static_cast<Kind>(kind - kinds)};
    // The line ends where its view does: its last word is ended by the newline that was put back.
    if (entry.kind == Kind::sequence) {
        entry.value = words.number('\n');
    } else if (entry.kind == Kind::scarce) {
        entry.value = words.number();
        entry.limit = words.number('\n');
    } else {
        entry.value = words.number();
        std::vector<std::uint8_t> digest;
        if (!from_hex(words.word('\n'), digest)) return false;
        if (!digest.empty()) content.digests.emplace(name, std::move(digest));
    }
    entry.next = entry.durable = entry.value;  // everything that was reserved counts as given
    if (!words.good() || !words.at_end() || !is_word(name, max_name_size)) return false;
    if (entry.value > entry.limit) return false;
    content.entries.emplace_hint(content.entries.end(), name, entry);
    return true;
}

bool parse(std::string_view text, Content& content) {
    Lines lines(text);
    lines.expect("quoin-counters 1\nstore ");
    content.name = lines.word('\n');
    lines.expect("anchor ");
    content.anchor = lines.word('\n');
    lines.expect("generation ");
    content.generation = lines.number('\n');
    lines.expect("first ");
    content.first = lines.number('\n');
    lines.expect("time ");
    content.time.floor_ms = lines.number();
    content.time.boot = lines.word();
    content.time.boottime_ms = lines.number('\n');
    while (lines.good() && !lines.at_end()) {
        const std::string_view line = lines.word('\n');
        // With its newline, which is behind it in `text`.
        if (!lines.good() || !take_entry({line.data(), line.size() + 1}, content)) return false;
    }
    return lines.good() && content.generation < UINT64_MAX - 1;
}

}  // namespace

bool is_word(std::string_view text, std::size_t max_size) {
    return !text.empty() && text.size() <= max_size &&
           std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

std::string lines_of(const Content& content) {
    std::string text;
    text.reserve(256 + content.entries.size() * 48);
    auto to = std::back_inserter(text);
    fmt::format_to(to, "quoin-counters 1\nstore {}\nanchor {}\ngeneration {}\nfirst {}\n",
                   content.name, content.anchor, content.generation, content.first);
    fmt::format_to(to, "time {} {} {}\n", content.time.floor_ms, content.time.boot,
                   content.time.boottime_ms);
    for (const auto& [name, entry] : content.entries) {
        text += kinds[static_cast<std::size_t>(entry.kind)];
        text += ' ';
        text += name;
        put_number(text, entry.value);
        if (entry.kind == Kind::scarce) put_number(text, entry.limit);
        if (entry.kind == Kind::floor) {
            text += ' ';
            if (const auto digest = content.digests.find(name); digest != content.digests.end()) {
                put_hex(text, digest->second);
            }
        }
        text += '\n';
    }
    return text;
}

std::string encode(const Content& content) { return with_checksum(lines_of(content)); }

std::string with_checksum(std::string text) {
    const auto digest = core::sha2::Sha256::of(bytes_of(text));
    text += "sha256 ";
    put_hex(text, digest);
    return text + '\n';
}

Result<Content> decode(std::string_view text) {
    Content content;
    // Sound only if writing it again gives the same bytes: there is one way to write it.
    if (text.size() > checksum_size &&
        parse(text.substr(0, text.size() - checksum_size), content) && encode(content) == text) {
        return content;
    }
    return fail(Code::integrity_mismatch, "it is damaged, or no file of counters");
}

}  // namespace quoin::counters

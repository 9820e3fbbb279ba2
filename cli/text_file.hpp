// The file a command writes.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string_view>

#include "host/error.hpp"

namespace quoin::cli {

// A file being written, or stdout for "-". Left unfinished, it is removed: no half export.
class TextFile {
public:
    static Result<TextFile> create(const std::filesystem::path& file);
    TextFile(const TextFile&) = delete;
    TextFile& operator=(const TextFile&) = delete;
    TextFile(TextFile&&) = default;
    TextFile& operator=(TextFile&&) = default;
    ~TextFile();

    // False once a write failed; finish() says why.
    bool write(std::string_view text);
    Result<void> finish();

private:
    struct Closer {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    TextFile(std::filesystem::path name, std::FILE* adopted)
        : name_(std::move(name)), owned_(adopted) {}
    std::FILE* stream() const { return owned_ ? owned_.get() : stdout; }

    std::filesystem::path name_;  // empty: nothing to remove
    std::unique_ptr<std::FILE, Closer> owned_;
    int failure_ = 0;
};

}  // namespace quoin::cli

#include "cli/text_file.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>

namespace quoin::cli {

Result<TextFile> TextFile::create(const std::filesystem::path& file) {
    if (file == "-") return TextFile({}, nullptr);
    std::FILE* opened = std::fopen(file.c_str(), "wx");
    if (opened == nullptr) {
        return fail(Code::input_invalid, "cannot make {}: {}", file.string(), std::strerror(errno));
    }
    return TextFile(file, opened);
}

TextFile::~TextFile() {
    if (!owned_ || name_.empty()) return;
    std::error_code ignored_because_the_export_failed_already;
    std::filesystem::remove(name_, ignored_because_the_export_failed_already);
}

bool TextFile::write(std::string_view text) {
    if (failure_ == 0 && std::fwrite(text.data(), 1, text.size(), stream()) != text.size()) {
        failure_ = errno;
    }
    return failure_ == 0;
}

Result<void> TextFile::finish() {
    if (failure_ == 0 && std::fflush(stream()) != 0) failure_ = errno;
    if (failure_ != 0) {
        return fail(Code::resource_full, "cannot write {}: {}",
                    name_.empty() ? "-" : name_.string(), std::strerror(failure_));
    }
    name_.clear();
    return {};
}

}  // namespace quoin::cli

#include "host/counters/anchor.hpp"

namespace quoin::counters {
namespace {

class ProviderAnchor final : public Anchor {
public:
    ProviderAnchor(std::unique_ptr<keys::SecurityProvider> provider, std::string_view uri,
                   std::string_view name)
        : provider_(std::move(provider)),
          uri_(uri),
          claims_(fmt::format("{}.claims", name)),
          generation_(fmt::format("{}.generation", name)),
          is_hardware_(provider_->describe().residence == keys::Residence::hardware) {}

    std::string uri() const override { return uri_; }
    Strength strength() const override {
        return is_hardware_ ? Strength::hardware : Strength::separate_process;
    }
    Result<std::uint64_t> create() override {
        // Alone, it is what a crash has left of this function.
        auto claims = provider_->create_counter(claims_);
        if (!claims && claims.error().code != Code::input_conflict) return claims;
        return provider_->create_counter(generation_);
    }
    Result<std::uint64_t> claims() override { return provider_->read_counter(claims_); }
    Result<std::uint64_t> generation() override { return provider_->read_counter(generation_); }
    Result<std::uint64_t> claim() override { return provider_->increment_counter(claims_); }
    Result<std::uint64_t> increment() override { return provider_->increment_counter(generation_); }

private:
    std::unique_ptr<keys::SecurityProvider> provider_;
    std::string uri_;
    std::string claims_;
    std::string generation_;
    bool is_hardware_;
};

}  // namespace

std::string_view strength_text(Strength strength) {
    switch (strength) {
        case Strength::hardware:
            return "hardware: a restored disk is noticed";
        case Strength::separate_process:
            return "another process: a restored disk is noticed, unless that process's own files "
                   "were put back as well";
        case Strength::none:
            break;
    }
    return "none: a restored disk is NOT noticed";
}

Result<std::unique_ptr<Anchor>> make_anchor(std::unique_ptr<keys::SecurityProvider> provider,
                                            std::string_view uri, std::string_view name) {
    QUOIN_CHECK(keys::check_name(name));
    if (name.size() > max_store_name_size) {
        return fail(Code::input_invalid, "{}: the name of a store has at most {} characters", name,
                    max_store_name_size);
    }
    if (!provider->describe().counts) {
        return fail(Code::input_unsupported,
                    "{}: has no counters; a TPM or quoin-se can notice a restored disk, or choose "
                    "none and know that nobody does",
                    uri);
    }
    return std::make_unique<ProviderAnchor>(std::move(provider), uri, name);
}

}  // namespace quoin::counters

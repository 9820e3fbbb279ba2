// What is refused changes nothing: commands out of order, for handles of another kind, over a
// limit. The state is the store's file, the signed statement, and what the session holds.
#include <functional>

#include "secure_element/element_fixture.hpp"

namespace quoin::secure_element {
namespace {

using namespace keys::se;

Policy allowing(unsigned operations) {
    return {.operations = static_cast<std::uint8_t>(operations)};
}

class Refusals : public testing::Test {
protected:
    void SetUp() override {
        Policy once = allowing(may_sign);
        once.max_uses = 1;
        Policy slow = allowing(may_sign);
        slow.max_uses_per_minute = 1;
        make("key", Algorithm::ed25519, allowing(may_sign));
        make("once", Algorithm::ed25519, once);
        make("slow", Algorithm::ed25519, slow);
        make("agrees", Algorithm::x25519, allowing(may_agree | may_derive));
        make("kem", Algorithm::ml_kem_768, allowing(may_decapsulate));
        make("blobs", Algorithm::aes_256_gcm, allowing(may_seal));
        ASSERT_TRUE(box.ask(user, Sign{{"once"}, {}, {}}));
        ASSERT_TRUE(box.ask(user, Sign{{"slow"}, {}, {}}));
        ASSERT_TRUE(box.ask(user, CreateCounter{{"c"}}));
        std::array<std::uint8_t, 32> peer{9};
        const auto session = box.ask(user, DeriveSession{{"agrees"}, {peer}, {}});
        ASSERT_TRUE(session);
        cipher = session->handle;
        const auto taken = box.ask(user, TakeEphemeral{Algorithm::x25519});
        ASSERT_TRUE(taken);
        ephemeral = taken->handle;
    }
    void make(const char* name, Algorithm algorithm, const Policy& policy) {
        ASSERT_TRUE(box.ask(user, Generate{{name}, algorithm, policy}));
    }
    // A reading of the state asks for a statement: it costs a session of its own and nothing else.
    std::string state() {
        std::string all = box.state();
        for (const auto& [handle, held] : user.held) {
            all += fmt::format(" {}:{}", handle, held.index());
        }
        return all + user.label + (user.greeted ? "+" : "-");
    }
    template <class Message>
    void expect_refused(Session& who, const Message& message, Code code, int line) {
        const std::string before = state();
        EXPECT_EQ(code_of(box.ask(who, message)), code) << "line " << line;
        EXPECT_EQ(state(), before) << "line " << line;
    }

    ElementInProcess box;
    Session user = box.greeted();
    std::uint64_t cipher = 0;
    std::uint64_t ephemeral = 0;
    const std::array<std::uint8_t, 32> some{9};
    const ByteVector ciphertext = ByteVector(1088, 5);
};

#define EXPECT_REFUSED(who, message, code)   \
    expect_refused(who, message, Code::code, \
                   __LINE__)  // NOLINT(cppcoreguidelines-macro-usage): the line

TEST_F(Refusals, commands__out_of_order__state_stays) {
    Session fresh = ElementInProcess::session();
    EXPECT_REFUSED(fresh, (Generate{{"new"}, Algorithm::ed25519, allowing(may_sign)}), state_wrong);
    EXPECT_REFUSED(fresh, IncrementCounter{{"c"}}, state_wrong);
    EXPECT_REFUSED(fresh, Remove{{"key"}}, state_wrong);
    EXPECT_REFUSED(fresh, Zeroize{}, state_wrong);
    Session administrator = ElementInProcess::session(ElementInProcess::administrator);
    EXPECT_REFUSED(administrator, Zeroize{}, state_wrong);
    EXPECT_REFUSED(user, Hello{{bytes_of("another")}}, state_wrong);
    EXPECT_REFUSED(user, Zeroize{}, peer_forbidden);
    EXPECT_REFUSED(user, (Generate{{"key"}, Algorithm::ml_dsa_44, allowing(may_sign)}),
                   input_conflict);
    EXPECT_REFUSED(user, CreateCounter{{"c"}}, input_conflict);
    EXPECT_REFUSED(user, IncrementCounter{{"d"}}, input_not_found);
    EXPECT_REFUSED(user, Remove{{"nobody"}}, input_not_found);
    EXPECT_REFUSED(user, (Sign{{"once"}, {}, {}}), peer_forbidden);
    EXPECT_REFUSED(user, (Sign{{"slow"}, {}, {}}), peer_too_fast);
    Session stranger = box.greeted(4711);
    EXPECT_REFUSED(stranger, Remove{{"key"}}, peer_forbidden);
    EXPECT_REFUSED(stranger, IncrementCounter{{"c"}}, peer_forbidden);
    EXPECT_REFUSED(stranger, Drop{ephemeral}, input_not_found);
}

TEST_F(Refusals, handles__of_another_kind__state_stays_and_they_can_still_be_used) {
    EXPECT_REFUSED(user, (Seal{{"", ephemeral}, {}, {}}), input_not_found);
    EXPECT_REFUSED(user, (Open{{"", ephemeral}, {}, {}}), input_not_found);
    EXPECT_REFUSED(user, (Agree{{"", cipher}, some}), input_not_found);
    EXPECT_REFUSED(user, (Decapsulate{{"", ephemeral}, {ciphertext}}), input_unsupported);
    EXPECT_REFUSED(user, (DeriveSession{{"", cipher}, {some}, {}}), input_not_found);
    EXPECT_REFUSED(user, (DeriveSession{{"", ephemeral}, {ciphertext}, {}}), input_invalid);
    EXPECT_REFUSED(user, (Open{{"", cipher}, {}, {ciphertext}}), integrity_mismatch);
    EXPECT_REFUSED(user, Drop{cipher + 1}, input_not_found);
    EXPECT_REFUSED(user, (Sign{{"kem"}, {}, {}}), peer_forbidden);
    EXPECT_REFUSED(user, (Agree{{"kem"}, some}), peer_forbidden);
    EXPECT_REFUSED(user, (Decapsulate{{"agrees"}, {ciphertext}}), peer_forbidden);
    EXPECT_REFUSED(user, (Seal{{"key"}, {}, {}}), peer_forbidden);
    EXPECT_REFUSED(user, (Attest{{bytes_of("key")}, {bytes_of("nonce")}}), peer_forbidden);
    EXPECT_REFUSED(user, (Attest{{}, {}}), input_invalid);
    EXPECT_REFUSED(user, TakeEphemeral{Algorithm::ml_dsa_44}, input_unsupported);
    EXPECT_TRUE(box.ask(user, Seal{{"", cipher}, {}, {}}));
    const std::string before = state();
    EXPECT_TRUE(box.ask(user, Agree{{"", ephemeral}, some}));
    EXPECT_NE(state(), before) << "the canary: an ephemeral key that was used is seen to be gone";
}

// A frame as the protocol would have it, with a length field of its own choice.
ByteVector frame_of(Command command, std::initializer_list<ByteVector> fields) {
    ByteVector frame{protocol_version, static_cast<std::uint8_t>(command), 0, 0, 0, 7};
    for (const ByteVector& field : fields) frame.insert(frame.end(), field.begin(), field.end());
    return frame;
}
ByteVector with_length(std::size_t width, std::size_t size) {
    ByteVector field(width + size, 'x');
    for (std::size_t i = 0; i < width; ++i) {
        field[width - 1 - i] = static_cast<std::uint8_t>(size >> (8 * i));
    }
    return field;
}

// A frame with a field of that size, and the most that it may have.
struct Limit {
    std::function<ByteVector(std::size_t)> frame;
    std::size_t most;
};

TEST_F(Refusals, fields__over_their_limit__state_stays) {
    const ByteVector key{3, 'k', 'e', 'y'}, agrees{6, 'a', 'g', 'r', 'e', 'e', 's'}, empty{0};
    const ByteVector no_quote(8, 0);
    const ByteVector no_platform(1 + 2 + 32, 0);
    const Limit limits[] = {
        {[&](std::size_t size) {
             return frame_of(Command::sign, {key, empty, with_length(4, size), no_quote});
         },
         keys::se::max_message_size},
        {[&](std::size_t size) {
             return frame_of(Command::create_counter, {with_length(1, size)});
         },
         64},
        {[&](std::size_t size) { return frame_of(Command::attest, {empty, with_length(1, size)}); },
         keys::se::max_nonce_size},
        {[&](std::size_t count) {
             const auto low = static_cast<std::uint8_t>(count);
             return frame_of(Command::generate, {{3, 'n', 'e', 'w'},
                                                 {1},
                                                 {1},
                                                 ByteVector(12, 0),
                                                 {0, low},
                                                 ByteVector(4 * count, 0),
                                                 empty,
                                                 {0},
                                                 empty,
                                                 no_platform});
         },
         max_uids},
        {[&](std::size_t size) {
             return frame_of(Command::derive_session,
                             {agrees, with_length(4, 32), with_length(1, size)});
         },
         64}};
    for (const Limit& limit : limits) {
        const std::string before = state();
        EXPECT_EQ(box.refused(user, limit.frame(limit.most + 1)), Code::peer_malformed);
        EXPECT_EQ(state(), before) << limit.most;
        // What is just not over it is let through: the frame was wrong in nothing else.
        box.reply = box.element->answer(user, limit.frame(limit.most));
        const auto reply = read_reply_head(box.reply);
        ASSERT_TRUE(reply);
        EXPECT_EQ(reply->status, Status::done) << limit.most << text_of(reply->body);
    }
}

}  // namespace
}  // namespace quoin::secure_element
